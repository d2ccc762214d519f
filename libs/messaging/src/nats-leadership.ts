import { randomUUID } from 'node:crypto';
import type { JetStreamManager, NatsConnection } from 'nats';
import { leaseBucket } from './nats-names';
import { pause } from './pause';

/** What somebody holds who does the one thing that only one may do. */
export interface Lease {
  /** Aborts when the lease is lost, or could be before the next renewal arrives. What runs under it must then stop. */
  readonly signal: AbortSignal;
  /** Goes up with every take-over: the fencing token. */
  readonly epoch: number;
  /** Whether nobody else can hold it yet, by the clock now: a process that was stopped learns here, before any timer, that time has passed. */
  isHeld(): boolean;
}

export interface LeadershipOptions {
  /** Milliseconds without a renewal after which another one may take over; default 3 000. */
  readonly ttlMs?: number;
  readonly log?: (line: string) => void;
}

/** Ends one candidacy: stops the work, gives the lease back, and resolves when both are done. */
export interface Candidacy {
  close(): Promise<void>;
}

interface Entry {
  readonly revision: number;
  readonly holder: string;
  readonly epoch: number;
  readonly released: boolean;
}

/** Somebody else wrote the entry first. */
class LostRaceError extends Error {}

const wrongLastSequence = [10071, 10164];

/**
 * One active holder for each name among any number of processes, by compare-and-set on the key-value bucket `tink_lease`. No clock is
 * compared with another one: a candidate takes over when it has itself seen the entry unchanged for `ttlMs`, and a holder gives up a
 * safety margin earlier, counted from before it sent its last renewal. A process that was stopped meanwhile finds out when it goes on;
 * until then two may believe that they hold the lease, so what is done under it must be harmless twice (the log's own guards see to it).
 */
export class Leadership {
  private readonly id = randomUUID();
  private readonly ttlMs: number;
  private manager: Promise<JetStreamManager> | undefined;

  constructor(
    private readonly connection: NatsConnection,
    private readonly options: LeadershipOptions = {},
  ) {
    this.ttlMs = options.ttlMs ?? 3_000;
  }

  /**
   * Runs `work` whenever this process holds the lease `name`. Work that ends or fails gives the lease back and is a candidate again. Until
   * `ready` resolves the lease is watched and not taken: one that is nobody's any more has run out by then.
   */
  run(name: string, work: (lease: Lease) => Promise<void>, ready: Promise<void> = Promise.resolve()): Candidacy {
    const stopped = new AbortController();
    const campaign = this.campaign(name, work, ready, stopped.signal);
    return {
      async close() {
        stopped.abort();
        await campaign;
      },
    };
  }

  private async campaign(
    name: string,
    work: (lease: Lease) => Promise<void>,
    ready: Promise<void>,
    stopped: AbortSignal,
  ): Promise<void> {
    let seen = { revision: -1, at: 0 };
    let [isReady, isHopeless] = [false, false];
    const becomesReady = ready.then(
      () => void (isReady = true),
      () => void (isHopeless = true), // whoever made it says why
    );
    while (!stopped.aborted && !isHopeless && !this.connection.isClosed()) {
      try {
        const entry = await this.read(name);
        const revision = entry?.revision ?? 0;
        if (revision !== seen.revision) seen = { revision, at: now() };
        const free = !entry || entry.released || entry.holder === this.id || now() - seen.at >= this.ttlMs;
        if (free && isReady) await this.hold(name, entry, work, stopped);
      } catch (error) {
        if (!(error instanceof LostRaceError)) this.options.log?.(`lease ${name}: ${String(error)}`);
      }
      const left = seen.at + this.ttlMs - now();
      const pausing = pause(left > 0 ? Math.min(left, this.ttlMs / 6) : this.ttlMs / 6, stopped);
      await (isReady ? pausing : Promise.race([pausing, becomesReady]));
    }
  }

  private async hold(
    name: string,
    before: Entry | undefined,
    work: (lease: Lease) => Promise<void>,
    stopped: AbortSignal,
  ): Promise<void> {
    const epoch = (before?.epoch ?? 0) + 1;
    const held = { since: now(), revision: 0 };
    held.revision = await this.write(name, epoch, before?.revision ?? 0);
    const lost = new AbortController();
    const stop = () => lost.abort();
    stopped.addEventListener('abort', stop);
    if (stopped.aborted) stop();
    this.options.log?.(`lease ${name}: held, epoch ${epoch}`);
    const renewing = this.renew(name, epoch, held, lost);
    const watchdog = setInterval(() => this.isOver(held) && lost.abort(), this.ttlMs / 20);
    try {
      if (!lost.signal.aborted)
        await work({ signal: lost.signal, epoch, isHeld: () => !lost.signal.aborted && !this.isOver(held) });
    } catch (error) {
      if (!lost.signal.aborted) this.options.log?.(`lease ${name}: its work failed: ${String(error)}`);
    } finally {
      const given = !lost.signal.aborted || stopped.aborted;
      lost.abort();
      clearInterval(watchdog);
      stopped.removeEventListener('abort', stop);
      await renewing;
      this.options.log?.(`lease ${name}: ${given ? 'given back' : 'lost'}, epoch ${epoch}`);
      await this.write(name, epoch, held.revision, true).catch(() => undefined); // it then runs out by itself
    }
  }

  /** Renews three times as often as needed, until aborted; aborts when somebody else has the lease. */
  private async renew(
    name: string,
    epoch: number,
    held: { since: number; revision: number },
    lost: AbortController,
  ): Promise<void> {
    while (!lost.signal.aborted) {
      await pause(this.ttlMs / 3, lost.signal);
      if (lost.signal.aborted) return;
      const since = now();
      try {
        held.revision = await this.write(name, epoch, held.revision);
        held.since = since;
      } catch (error) {
        if (error instanceof LostRaceError && !(await this.stillOurs(name, epoch, held))) lost.abort();
      }
      if (this.isOver(held)) lost.abort();
    }
  }

  /** A renewal whose acknowledgement was lost may have been stored: then the entry is ours, with a revision that we did not know. */
  private async stillOurs(name: string, epoch: number, held: { revision: number }): Promise<boolean> {
    try {
      const entry = await this.read(name);
      if (entry?.holder !== this.id || entry.epoch !== epoch || entry.released) return false;
      held.revision = entry.revision;
    } catch {
      return true; // not known: the watchdog decides
    }
    return true;
  }

  private isOver(held: { readonly since: number }): boolean {
    return now() - held.since >= this.ttlMs * 0.85;
  }

  /** What the stream's leader holds: another replica may be behind. */
  private async read(name: string): Promise<Entry | undefined> {
    const manager = await this.openManager();
    try {
      const { seq, data } = await manager.streams.getMessage(`KV_${leaseBucket}`, { last_by_subj: subjectOf(name) });
      return { ...(JSON.parse(new TextDecoder().decode(data)) as Omit<Entry, 'revision'>), revision: seq };
    } catch (error) {
      if (apiErrorOf(error)?.code === 404) return undefined;
      throw error;
    }
  }

  private async write(name: string, epoch: number, revision: number, released = false): Promise<number> {
    const entry: Omit<Entry, 'revision'> = { holder: this.id, epoch, released };
    try {
      const { seq } = await this.connection.jetstream().publish(subjectOf(name), JSON.stringify(entry), {
        expect: { lastSubjectSequence: revision },
        timeout: this.ttlMs / 3,
      });
      return seq;
    } catch (error) {
      if (wrongLastSequence.includes(apiErrorOf(error)?.err_code ?? 0)) throw new LostRaceError(name);
      throw error;
    }
  }

  private openManager(): Promise<JetStreamManager> {
    this.manager ??= this.connection.jetstreamManager({ checkAPI: false, timeout: this.ttlMs / 3 });
    return this.manager;
  }
}

/** Milliseconds of a clock that nobody sets. */
const now = () => performance.now();

const subjectOf = (name: string) => `$KV.${leaseBucket}.${name}`;

function apiErrorOf(error: unknown): { readonly code: number; readonly err_code: number } | undefined {
  return error instanceof Error && 'api_error' in error
    ? (error.api_error as { code: number; err_code: number })
    : undefined;
}
