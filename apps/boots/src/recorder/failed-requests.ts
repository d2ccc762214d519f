import type { BootRequestFailed } from '@tinkerbell/events';
import type { Logger } from '../logger';
import type { BootLog } from '../log/boot-log';
import type { Machines } from '../machines';
import type { Metrics } from '../metrics';
import { RateLimit } from '../rate-limit';

type Data = BootRequestFailed['data'];

/** `mac`: undefined when nobody can say whose request it was. */
export type FailedRequest = Pick<Data, 'protocol' | 'reason' | 'detail' | 'source'> & { readonly mac?: string };

export interface RecorderParts {
  readonly machines: Pick<Machines, 'byMac'>;
  readonly boots: Pick<BootLog, 'record'>;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: () => Date;
}

/** What is repeated is gathered this long, then twice as long each time, until it has been quiet for one such time. */
const gatherMs = 60_000;
const longestMs = 3_600_000;
const sweepMs = 1000;
const mostKnown = 4096;
/** MACs without a record cost nothing to make up: so many at once, then six a minute. */
const strangers = { burst: 100, perSecond: 0.1 };
/** Different things, such as names of files, that one cause is told of in one run of it; the rest is `others`. */
const mostDetails = 8;
const others = 'others';
const nobody = '00-00-00-00-00-00';
const longestDetail = 200;

/** What one machine is not served for one cause. */
interface Gathered {
  readonly cause: Pick<Data, 'protocol' | 'reason'>;
  readonly mac: string;
  readonly hardwareId: string | null;
  /** By what was asked for. */
  readonly seen: Map<string, Seen>;
  windowMs: number;
  dueMs: number;
}

interface Seen {
  readonly detail: string;
  readonly source: string;
  count: number;
  firstAt: string;
  lastAt: string;
}

/** Keeps what boots did not do for a machine, and why: the first time at once, repetitions as a count. Bounded, whoever asks. */
export class FailedRequests {
  readonly #gathered = new Map<string, Gathered>();
  readonly #strangers: RateLimit;
  readonly #sweeper: NodeJS.Timeout;

  constructor(private readonly parts: RecorderParts) {
    this.#strangers = new RateLimit(() => parts.clock().getTime(), strangers);
    this.#sweeper = setInterval(() => void this.flush(), sweepMs);
    this.#sweeper.unref();
  }

  note(request: FailedRequest): void {
    const mac = request.mac ?? nobody;
    const now = this.parts.clock();
    const key = `${mac} ${request.protocol} ${request.reason}`;
    const gathered = this.#gathered.get(key) ?? this.#begin(key, request, mac, now.getTime());
    if (!gathered) return;
    const at = now.toISOString();
    const asked = request.detail.slice(0, longestDetail);
    const detail = gathered.seen.has(asked) || this.#mayName(gathered) ? asked : others;
    const before = gathered.seen.get(detail);
    if (before) {
      if (before.count === 0) before.firstAt = at;
      before.count++;
      before.lastAt = at;
      return;
    }
    const seen = { detail, source: request.source, count: 1, firstAt: at, lastAt: at };
    gathered.seen.set(detail, seen);
    if (detail !== others) void this.#write(gathered, seen);
  }

  /** Writes what is due; `all`: what is not, too. */
  async flush(all = false): Promise<void> {
    const now = this.parts.clock().getTime();
    const writing: Promise<void>[] = [];
    for (const [key, gathered] of this.#gathered) {
      if (!all && gathered.dueMs > now) continue;
      const repeated = [...gathered.seen.values()].filter(({ count }) => count > 0);
      if (repeated.length === 0) this.#gathered.delete(key);
      for (const seen of repeated) writing.push(this.#write(gathered, seen));
      gathered.windowMs = Math.min(gathered.windowMs * 2, longestMs);
      gathered.dueMs = now + gathered.windowMs;
    }
    await Promise.all(writing);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.flush(true);
  }

  /** Undefined when there is too much already. */
  #begin(key: string, request: FailedRequest, mac: string, nowMs: number): Gathered | undefined {
    const { machines, metrics } = this.parts;
    const hardwareId = machines.byMac(mac)?.hardwareId ?? null;
    if (this.#gathered.size >= mostKnown || (hardwareId === null && !this.#strangers.allows(''))) {
      metrics.count('failed_requests_unrecorded_total', { protocol: request.protocol });
      return undefined;
    }
    const { protocol, reason } = request;
    const cause = { protocol, reason };
    const dueMs = nowMs + gatherMs;
    const gathered: Gathered = { cause, mac, hardwareId, seen: new Map(), windowMs: gatherMs, dueMs };
    this.#gathered.set(key, gathered);
    return gathered;
  }

  /** Whether one more thing is told of by its name. */
  #mayName({ seen, hardwareId }: Gathered): boolean {
    if (seen.size === 0) return true;
    return seen.size < mostDetails && (hardwareId !== null || this.#strangers.allows(''));
  }

  async #write({ cause, mac, hardwareId }: Gathered, seen: Seen): Promise<void> {
    const { protocol, reason } = cause;
    const { detail, source, count, firstAt, lastAt } = seen;
    seen.count = 0;
    const what = { protocol, reason, detail, source, count, firstAt, lastAt };
    try {
      await this.parts.boots.record({ type: 'RecordRequestFailed', hardwareId, mac, ...what });
    } catch (error) {
      // With the next ones.
      seen.count += count;
      seen.firstAt = firstAt;
      this.parts.log.warn(`not in the log, ${protocol} ${reason} of ${mac}: ${String(error)}`);
    }
  }
}
