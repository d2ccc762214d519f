import { createHash } from 'node:crypto';
import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { type Appended, type Commit, EventStore, type History, type SubscribeOptions } from '@tinkerbell/event-store';
import { parseStream } from '@tinkerbell/messaging';

/** One commit of a log that is made up while it is read. */
export interface Made {
  readonly stream: string;
  /** Of the commit in its stream. */
  readonly version: number;
  readonly event: AnyEvent;
}

/** Nobody can hold a log of a million commits in memory, or wait until nats-server has synced it. Read-only. */
export class GeneratedLog extends EventStore {
  constructor(
    private readonly length: number,
    private readonly make: (position: number) => Made,
    /** Milliseconds since 1970 of the first commit, and between two. */
    private readonly clock: { readonly start: number; readonly step: number },
  ) {
    super();
  }

  commit(position: number): Commit {
    const { stream, version, event } = this.make(position);
    const at = new Date(this.clock.start + position * this.clock.step).toISOString();
    const metadata = { id: `c${position}`, actor: 'user:bench' };
    const { aggregate = '', id: aggregateId = '' } = parseStream(stream) ?? {};
    const recorded = { stream, aggregate, aggregateId, position, version, index: 0, at, event, metadata } as Recorded;
    const link = (commit: number) => (commit === 0 ? '' : `${stream} ${commit}`);
    return {
      stream,
      position,
      version,
      at,
      metadata,
      events: [recorded],
      prev: link(version - 1),
      hash: link(version),
    };
  }

  async *subscribe({ after, signal }: SubscribeOptions): AsyncIterable<Commit> {
    for (let position = after + 1; position <= this.length; position++) {
      if (signal?.aborted) return;
      yield this.commit(position);
    }
    if (!signal?.aborted) await new Promise((resolve) => signal?.addEventListener('abort', resolve));
  }

  messages(): never {
    throw new Error('a generated log has no bytes');
  }

  lastPosition(): Promise<number> {
    return Promise.resolve(this.length);
  }

  positionAt(time: number): Promise<number> {
    const position = Math.floor((time - this.clock.start) / this.clock.step);
    return Promise.resolve(Math.max(0, Math.min(position, this.length)));
  }

  read(): Promise<History<never>> {
    return Promise.reject(new Error('a generated log is read from its start only'));
  }

  last(): Promise<History<never>> {
    return this.read();
  }

  append(): Promise<Appended> {
    return Promise.reject(new Error('a generated log is read-only'));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** The same id for the same text, spread as random ones are. */
export function idOf(text: string): string {
  const hex = createHash('sha1').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
