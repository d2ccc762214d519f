import { getSystemErrorName } from 'node:util';
import { address, type AddressOf, header, Messages, swap16, swap32, writeAddress } from './messages';
import { control, Outbox } from './outbox';

/** A received datagram; `bytes` is only good until the taker returns. */
export type TakeDatagram = (bytes: Uint8Array, ip: number, port: number) => void;

const slots = 64;
const dontWait = 0x40;
const [socketLevel, reuseAddress, bindToDevice] = [1, 2, 25];

export interface OutboxOptions {
  /** No two datagrams leave as one message that the system cuts. */
  readonly apart?: boolean;
  /** A datagram to `ip` that the system refused, with its error number (errno(3)). */
  readonly onLost?: (ip: number, errno: number) => void;
}

type Koffi = (typeof import('koffi'))['default'];
type Call = (...args: readonly (number | Uint8Array)[]) => number;
/**
 * recvmmsg(2) and sendmmsg(2): many datagrams a system call, straight from the buffers that the file lies in. Node has one datagram a
 * call, and an allocation for each; that is most of what a packet costs (ADR 0015).
 */
export class NativeBatch {
  readonly #sendmmsg: Call;
  readonly #recvmmsg: Call;
  readonly #ppoll: Call;
  readonly #socket: Call;
  readonly #bind: Call;
  readonly #setsockopt: Call;
  readonly #close: Call;
  readonly #addressOf: AddressOf;
  /** By the longest datagram they take. */
  readonly #inboxes = new Map<number, Inbox>();

  private constructor(private readonly koffi: Koffi) {
    this.#addressOf = (view) => Number(koffi.address(view));
    const c = koffi.load(null);
    this.#sendmmsg = c.func('int sendmmsg(int, uintptr_t, unsigned int, int)') as Call;
    this.#recvmmsg = c.func('int recvmmsg(int, uintptr_t, unsigned int, int, uintptr_t)') as Call;
    this.#ppoll = c.func('int ppoll(uintptr_t, unsigned long, uintptr_t, uintptr_t)') as Call;
    this.#socket = c.func('int socket(int, int, int)') as Call;
    this.#bind = c.func('int bind(int, const void *, unsigned int)') as Call;
    this.#setsockopt = c.func('int setsockopt(int, int, int, const void *, unsigned int)') as Call;
    this.#close = c.func('int close(int)') as Call;
  }

  /** Rejects where it cannot be had. */
  static async load(): Promise<NativeBatch> {
    if (process.platform !== 'linux' || !['x64', 'arm64', 'riscv64'].includes(process.arch)) {
      throw new Error(`no layouts of C structures for ${process.platform} on ${process.arch}`);
    }
    return new NativeBatch((await import('koffi')).default);
  }

  /** A bound non-blocking UDP socket. `reuse`: others may be bound to the same port; `tiedTo`: as `tie` does. Throws an error with `code`. */
  open(ip: number, port: number, reuse: boolean, tiedTo?: string): number {
    const [ipv4, datagrams, nonBlocking, closeOnExec] = [2, 2, 0o4000, 0o2000000];
    const fd = this.#checked('socket', this.#socket(ipv4, datagrams | nonBlocking | closeOnExec, 0));
    try {
      if (reuse) this.#setsockopt(fd, socketLevel, reuseAddress, new Uint8Array([1, 0, 0, 0]), 4);
      // Before it is bound, from when on it hears.
      if (tiedTo !== undefined) this.tie(fd, tiedTo);
      const name = new Uint32Array(address.words);
      writeAddress(name, 0, ip, port);
      this.#checked('bind', this.#bind(fd, new Uint8Array(name.buffer), address.bytes));
      return fd;
    } catch (error) {
      this.#close(fd);
      throw error;
    }
  }

  /** The socket hears no other interface, and sends by none. Throws an error with `code`. */
  tie(fd: number, interfaceName: string): void {
    const name = Buffer.from(interfaceName);
    this.#checked(`tie to ${interfaceName}`, this.#setsockopt(fd, socketLevel, bindToDevice, name, name.length));
  }

  /** Takes what waits in the socket, `slots` at most, each cut off after `largest` bytes; returns whether more may wait. */
  receive(fd: number, largest: number, take: TakeDatagram): boolean {
    const { messages, views } = this.#inbox(largest);
    const { headers, names, data, at } = messages;
    const count = this.#recvmmsg(fd, at, slots, dontWait, 0);
    for (let i = 0; i < count; i++) {
      const length = headers[i * header.words + header.received] ?? 0;
      headers[i * header.words + header.nameLength] = address.bytes;
      const where = names[i * address.words] ?? 0;
      const ip = names[i * address.words + 1] ?? 0;
      let bytes = views[i];
      if (bytes?.length !== length) bytes = views[i] = data.subarray(i * largest, i * largest + length);
      take(bytes, swap32(ip), swap16(where >>> 16));
    }
    return count === slots;
  }

  outbox(fd: number, { apart = false, onLost }: OutboxOptions = {}): Outbox {
    const send = (at: number, count: number) => {
      const sent = this.#sendmmsg(fd, at, count, dontWait);
      return sent < 0 ? -this.koffi.errno() : sent;
    };
    // An older system would take no notice, and send what is to be cut as it is.
    const canSegment = !apart && this.#setsockopt(fd, control.udpLevel, control.segment, new Uint8Array(4), 4) === 0;
    return new Outbox(send, this.#addressOf, canSegment, onLost);
  }

  readiness(fds: readonly number[]): Readiness {
    const wait = (polled: number, limit: number) => this.#ppoll(polled, fds.length, limit, 0);
    return new Readiness(fds, wait, this.#addressOf);
  }

  #inbox(largest: number): Inbox {
    const known = this.#inboxes.get(largest);
    if (known) return known;
    const inbox = { messages: new Messages(slots, 1, largest, this.#addressOf), views: [] };
    this.#inboxes.set(largest, inbox);
    return inbox;
  }

  #checked(call: string, result: number): number {
    if (result >= 0) return result;
    const code = getSystemErrorName(-this.koffi.errno());
    throw Object.assign(new Error(`${call} ${code}`), { code });
  }
}

interface Inbox {
  readonly messages: Messages;
  /** What came last in each place: most packets are as long as the one before, an ACK. */
  readonly views: Uint8Array[];
}

/** Which of several sockets have something for us. */
export class Readiness {
  /** struct pollfd: descriptor; what is asked for and, in the upper half, the answer. */
  readonly #polled: Uint32Array;
  /** struct timespec. */
  readonly #limit = new Uint32Array(leastOutside);
  readonly #addresses: readonly [number, number];

  constructor(
    fds: readonly number[],
    private readonly call: (polled: number, limit: number) => number,
    addressOf: AddressOf,
  ) {
    this.#polled = new Uint32Array(Math.max(fds.length * 2, leastOutside));
    fds.forEach((fd, i) => this.#polled.set([fd, readable], i * 2));
    this.#addresses = [addressOf(this.#polled), addressOf(this.#limit)];
  }

  /** Waits until one has; false: none had. The whole process waits, so `microseconds` are few. */
  wait(microseconds: number): boolean {
    this.#limit[2] = microseconds * 1000;
    return this.call(...this.#addresses) > 0;
  }

  /** After `wait`: of socket `i`. */
  has(i: number): boolean {
    return (this.#polled[i * 2 + 1] ?? 0) >>> 16 !== 0;
  }
}

const readable = 1;
/** Words that V8 does not keep in its own heap. */
const leastOutside = 32;
