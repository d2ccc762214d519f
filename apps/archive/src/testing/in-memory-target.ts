import {
  ArchiveTarget,
  RevisionConflictError,
  TargetRefusedError,
  TargetUnavailableError,
  type Expected,
  type LastEvent,
  type TargetEvent,
} from '../archive-target';

/** What every client of one store sees; two targets over it are two connections. */
export class TargetMemory {
  readonly streams = new Map<string, readonly LastEvent[]>();
  readonly kept = new Map<string, number>();

  eventsOf(stream: string): readonly LastEvent[] {
    return this.streams.get(stream) ?? [];
  }
}

const maxAppendBytes = 1_048_576;

/**
 * A fake of the port with KurrentDB's rules as its documentation has them: all or nothing, a revision per event from 0, the expected
 * revision checked, and the same events at the same place again taken as the success that they were. No proof of anything about a server.
 */
export class InMemoryTarget extends ArchiveTarget {
  appends = 0;
  /** Called before an append is stored (`before`) and after (`after`); what it throws is the answer. */
  interfere: ((when: 'before' | 'after', stream: string) => void) | undefined;
  away = false;

  constructor(readonly memory = new TargetMemory()) {
    super();
  }

  async last(stream: string): Promise<LastEvent | undefined> {
    this.reachable();
    return this.memory.eventsOf(stream).at(-1);
  }

  async append(stream: string, events: readonly TargetEvent[], expected: Expected): Promise<bigint> {
    this.reachable();
    this.interfere?.('before', stream);
    const bytes = Buffer.byteLength(JSON.stringify(events.map(({ data, metadata }) => ({ data, metadata }))));
    if (bytes > maxAppendBytes) throw new TargetRefusedError(`${stream}: an append of ${bytes} bytes`);
    const revision = this.store(stream, events, expected);
    this.appends++;
    this.interfere?.('after', stream);
    return revision;
  }

  async keepLast(stream: string, count: number): Promise<void> {
    this.reachable();
    this.memory.kept.set(stream, count);
  }

  async close(): Promise<void> {
    this.away = true;
  }

  private store(stream: string, events: readonly TargetEvent[], expected: Expected): bigint {
    const stored = this.memory.eventsOf(stream);
    const end = (stored.at(-1)?.revision ?? -1n) + 1n;
    const from = expected === 'any' ? end : expected === 'no-stream' ? 0n : expected + 1n;
    if (from !== end) {
      const there = stored.filter(({ revision }) => revision >= from).slice(0, events.length);
      const same = there.length === events.length && there.every(({ id }, i) => id === events[i]?.id);
      const last = there.at(-1);
      if (!same || !last) throw new RevisionConflictError(stream, expected);
      return last.revision;
    }
    const added = events.map(({ id, type, data, metadata }, i) => {
      const json = JSON.stringify({ data, metadata });
      return { id, type, revision: from + BigInt(i), ...(JSON.parse(json) as { data: unknown; metadata: unknown }) };
    });
    this.memory.streams.set(stream, [...stored, ...added]);
    return from + BigInt(events.length) - 1n;
  }

  private reachable(): void {
    if (this.away) throw new TargetUnavailableError('the archive is away');
  }
}
