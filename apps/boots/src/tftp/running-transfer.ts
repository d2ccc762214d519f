import type { RemoteInfo, Socket } from 'node:dgram';
import {
  decodeTftp,
  encodeTftp,
  type Step,
  stepTransfer,
  tftpError,
  type TftpPacket,
  type Transfer,
  type TransferEffect,
  type TransferEvent,
  type TransferOutcome,
} from '@tinkerbell/tftp';

/** Gives one transfer a socket and a timer. */
export class RunningTransfer {
  #transfer: Transfer | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `ownsSocket`: the socket is this transfer's alone: read from it, and close it at the end. */
  constructor(
    private readonly socket: Socket,
    private readonly peer: RemoteInfo,
    private readonly ownsSocket: boolean,
    private readonly onEnd: (outcome: TransferOutcome) => void,
  ) {
    if (!ownsSocket) return;
    socket.on('message', (bytes, from) => this.#onMessage(bytes, from));
    // A client that is gone answers with ICMP; the timer ends the transfer.
    socket.on('error', () => undefined);
  }

  start(step: Step): void {
    this.#apply(step);
  }

  take(packet: TftpPacket): void {
    this.#feed({ type: 'packet', packet });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#transfer = undefined;
    if (this.ownsSocket) this.socket.close();
  }

  #onMessage(bytes: Uint8Array, from: RemoteInfo): void {
    if (from.address !== this.peer.address || from.port !== this.peer.port) {
      // RFC 1350 §4: tell the stranger, leave the transfer alone.
      const error = { op: 'error', code: tftpError.unknownTransferId, message: 'unknown transfer' } as const;
      this.socket.send(encodeTftp(error), from.port, from.address, () => undefined);
      return;
    }
    let packet: TftpPacket;
    try {
      packet = decodeTftp(bytes);
    } catch {
      return; // Malformed: as good as lost, and the timer deals with loss.
    }
    this.take(packet);
  }

  #feed(event: TransferEvent): void {
    if (this.#transfer) this.#apply(stepTransfer(this.#transfer, event));
  }

  #apply({ transfer, effects }: Step): void {
    this.#transfer = transfer;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: TransferEffect): void {
    switch (effect.type) {
      case 'send':
        this.socket.send(encodeTftp(effect.packet), this.peer.port, this.peer.address, () => undefined);
        break;
      case 'timer':
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#feed({ type: 'timeout' }), effect.ms);
        break;
      case 'end':
        this.#end(effect.outcome);
        break;
    }
  }

  #end(outcome: TransferOutcome): void {
    clearTimeout(this.#timer);
    this.#transfer = undefined;
    if (this.ownsSocket) {
      // What was sent last, an error perhaps, is still on its way out of the process.
      setImmediate(() => this.socket.close());
    }
    this.onEnd(outcome);
  }
}
