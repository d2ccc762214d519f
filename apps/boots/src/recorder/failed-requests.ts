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
const nobody = '00-00-00-00-00-00';
const longestDetail = 200;

interface Gathered {
  readonly request: FailedRequest;
  readonly mac: string;
  readonly hardwareId: string | null;
  count: number;
  firstAt: string;
  lastAt: string;
  windowMs: number;
  dueMs: number;
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
    const { machines, metrics, clock } = this.parts;
    const mac = request.mac ?? nobody;
    const now = clock();
    const at = now.toISOString();
    const key = `${mac} ${request.protocol} ${request.reason}`;
    const before = this.#gathered.get(key);
    if (before) {
      if (before.count === 0) before.firstAt = at;
      before.count++;
      before.lastAt = at;
      return;
    }
    const hardwareId = machines.byMac(mac)?.hardwareId ?? null;
    if (this.#gathered.size >= mostKnown || (hardwareId === null && !this.#strangers.allows(''))) {
      metrics.count('failed_requests_unrecorded_total', { protocol: request.protocol });
      return;
    }
    const gathered = { request, mac, hardwareId, count: 1, firstAt: at, lastAt: at, windowMs: gatherMs, dueMs: 0 };
    gathered.dueMs = now.getTime() + gatherMs;
    this.#gathered.set(key, gathered);
    void this.#write(gathered);
  }

  /** Writes what is due; `all`: what is not, too. */
  async flush(all = false): Promise<void> {
    const now = this.parts.clock().getTime();
    const writing: Promise<void>[] = [];
    for (const [key, gathered] of this.#gathered) {
      if (!all && gathered.dueMs > now) continue;
      if (gathered.count === 0) this.#gathered.delete(key);
      else writing.push(this.#write(gathered));
      gathered.windowMs = Math.min(gathered.windowMs * 2, longestMs);
      gathered.dueMs = now + gathered.windowMs;
    }
    await Promise.all(writing);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.flush(true);
  }

  async #write(gathered: Gathered): Promise<void> {
    const { request, mac, hardwareId, count, firstAt, lastAt } = gathered;
    const { protocol, reason, source } = request;
    gathered.count = 0;
    const detail = request.detail.slice(0, longestDetail);
    const what = { protocol, reason, detail, source, count, firstAt, lastAt };
    try {
      await this.parts.boots.record({ type: 'RecordRequestFailed', hardwareId, mac, ...what });
    } catch (error) {
      // With the next ones.
      gathered.count += count;
      gathered.firstAt = firstAt;
      this.parts.log.warn(`not in the log, ${protocol} ${reason} of ${mac}: ${String(error)}`);
    }
  }
}
