import { Recent } from '../recent';
import type { SentPart } from './send-file';

/** How long a client may take from one part to the next. */
const patienceMs = 3_600_000;

/** How far files went out that clients fetch in parts (RFC 9110 §14.2). Bounded, whoever asks. */
export class SentParts {
  readonly #ends = new Recent<number>(patienceMs);

  /**
   * Whether the file has now gone out whole to this client: its parts, each beginning no later than the one before ended. What broke off
   * may have gone out up to its end, which only the client knows: it goes on from where it is. `version`: of the file; `nowMs`: since any time.
   */
  isWhole(address: string, version: string, part: SentPart, size: number, nowMs: number): boolean {
    const key = `${address} ${version}`;
    const before = this.#ends.get(key, nowMs) ?? 0;
    if (part.start > before) return false;
    const end = Math.max(before, part.end + 1);
    if (part.start > 0 || end < size || !part.isSent) this.#ends.set(key, end, nowMs);
    return part.isSent && part.end + 1 === size;
  }
}
