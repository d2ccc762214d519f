import type { Transfer } from '@tinkerbell/tftp';
import type { Content } from '../files/shared-files';
import type { TransferPort } from './transfer-port';

/** One transfer under way: its state, what it is sent through, and which of its blocks wait for their turn. */
export class Session {
  /** First and last of the blocks that wait. */
  next = 1;
  end = 0;
  /** Waits for a turn, or for the file. */
  isWaiting = false;
  isOver = false;
  deadlineMs = Number.POSITIVE_INFINITY;
  progressMs: number;

  constructor(
    readonly port: TransferPort,
    readonly peer: { readonly ip: number; readonly port: number },
    /** The request as it came, to tell a repeated one from a new one. */
    readonly request: string,
    readonly name: string,
    readonly content: Content,
    public transfer: Transfer,
    readonly startedMs: number,
  ) {
    this.progressMs = startedMs;
  }

  get key(): number {
    return peerKey(this.peer.ip, this.peer.port);
  }
}

export function peerKey(ip: number, port: number): number {
  return ip * 65_536 + port;
}
