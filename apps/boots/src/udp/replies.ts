import { getSystemErrorName } from 'node:util';
import { numberOf, textOf } from '@tinkerbell/domain';
import type { NativeBatch } from './native-batch';
import type { Outbox } from './outbox';
import type { Piece } from './piece';
import type { BoundSocket } from './udp-socket';

/** As many as an outbox holds. */
const slots = 256;
/** Of one, an Ethernet frame at most. */
const slotBytes = 1500;
const headBytes = 4;
const retryMs = 1;

/** `address` and what the system said. */
type OnLost = (address: string, reason: string) => void;

/** Replies to many clients through one socket. Those of one turn leave together where the system can do that. */
export class Replies {
  readonly #outbox: Outbox | undefined;
  readonly #slots: Piece['chunk'] | undefined;
  #used = 0;
  #last = { address: '', number: 0 };
  #isDue = false;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    private readonly bound: BoundSocket,
    native: NativeBatch | undefined,
    private readonly onLost: OnLost,
  ) {
    if (!native) return;
    // A bridge hands a message that is to be cut on whole: a client or relay in a container that reads frames would take the first reply in it
    // for all of it.
    this.#outbox = native.outbox(bound.fd, {
      apart: true,
      onLost: (ip, errno) => onLost(textOf(ip), getSystemErrorName(-errno)),
    });
    this.#slots = { bytes: Buffer.allocUnsafeSlow(slots * slotBytes) };
  }

  /** `bytes` are left as they are by whoever made them. */
  send(bytes: Uint8Array, port: number, address: string): void {
    if (this.#isClosed) this.onLost(address, 'its socket is closed');
    else if (this.#outbox && this.#slots && bytes.length <= slotBytes) this.#put(bytes, port, address);
    else this.#sendAlone(bytes, port, address);
  }

  /** Before its socket: the system may give that one's number to another. */
  close(): void {
    this.#isClosed = true;
    this.#outbox?.flush();
    clearTimeout(this.#retry);
    this.#retry = undefined;
  }

  #put(bytes: Uint8Array, port: number, address: string): void {
    if (this.#used === slots && !this.#flush()) {
      this.onLost(address, 'no room in the send buffer');
      return;
    }
    const chunk = this.#slots as Piece['chunk'];
    const from = this.#used++ * slotBytes;
    chunk.bytes.set(bytes, from);
    const head = chunk.bytes.readUInt32BE(from);
    this.#outbox?.put(this.#numberOf(address), port, head, [
      { chunk, from: from + headBytes, to: from + bytes.length },
    ]);
    if (this.#isDue) return;
    this.#isDue = true;
    // Behind what else is ready to be sent now: a commit lets many go at once.
    queueMicrotask(() => {
      this.#isDue = false;
      if (!this.#isClosed) this.#flush();
    });
  }

  /** Most go to one and the same: a relay, or everybody. */
  #numberOf(address: string): number {
    if (address !== this.#last.address) this.#last = { address, number: numberOf(address) };
    return this.#last.number;
  }

  #flush(): boolean {
    if (this.#outbox?.flush()) {
      this.#used = 0;
      return true;
    }
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#flush();
    }, retryMs);
    return false;
  }

  #sendAlone(bytes: Uint8Array, port: number, address: string): void {
    const failed = (error: unknown) => this.onLost(address, error instanceof Error ? error.message : String(error));
    try {
      this.bound.socket.send(bytes, port, address, (error) => error && failed(error));
    } catch (error) {
      // Closed in the meantime.
      failed(error);
    }
  }
}
