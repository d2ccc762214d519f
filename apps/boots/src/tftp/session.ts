import { takenBytes, type Transfer } from '@tinkerbell/tftp';
import type { Content } from '../files/shared-files';
import type { TransferPort } from './transfer-port';

/** `half-open`: never answered since its request, which may be forged; `silent`: had to be repeated to and has not answered since. */
export type Standing = 'half-open' | 'silent' | 'active';

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
  /** As the sessions have it listed. */
  standing: Standing = 'half-open';
  #markedMs: number;
  #markedBytes = 0;

  constructor(
    readonly port: TransferPort,
    /** `client`: as whom the address counts. */
    readonly peer: { readonly ip: number; readonly port: number; readonly client: string },
    /** The request as it came, to tell a repeated one from a new one. */
    readonly request: string,
    readonly name: string,
    readonly content: Content,
    public transfer: Transfer,
    readonly startedMs: number,
  ) {
    this.progressMs = startedMs;
    this.#markedMs = startedMs;
  }

  get key(): number {
    return peerKey(this.peer.ip, this.peer.port);
  }

  get standingNow(): Standing {
    const { heard, retries } = this.transfer;
    return !heard ? 'half-open' : retries > 0 ? 'silent' : 'active';
  }

  /** Whether the client took less than `minBytes` in the `progressMs` that end now. What waits for us is not its fault. */
  isTooSlow(nowMs: number): boolean {
    const { progressMs, minBytes } = this.transfer.limits;
    if (nowMs - this.#markedMs < progressMs) return false;
    const bytes = takenBytes(this.transfer);
    const isTooSlow = !this.isWaiting && bytes - this.#markedBytes < minBytes;
    this.#markedMs = nowMs;
    this.#markedBytes = bytes;
    return isTooSlow;
  }
}

export function peerKey(ip: number, port: number): number {
  return ip * 65_536 + port;
}
