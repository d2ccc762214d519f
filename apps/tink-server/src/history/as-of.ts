import { InvalidError } from '@tinkerbell/domain';
import type { EventStore } from '@tinkerbell/event-store';
import type { Query } from '../http/query';
import type { ReadSide } from '../read-side';

/** A place in the log; with the time that it was asked by, if it was, in milliseconds since 1970. */
export interface Moment {
  readonly position: number;
  readonly time?: number;
}

/** Clocks of people and servers differ by so many milliseconds before a time counts as the future. */
const skew = 5_000;

/** `?at=<position or ISO 8601 time>`: the same answer as it was then. */
export class AsOf {
  constructor(
    private readonly store: Pick<EventStore, 'lastPosition' | 'positionAt'>,
    private readonly current: ReadSide,
    private readonly now: () => number = Date.now,
  ) {}

  /** What a request reads: the rows as they are, or as they were. Throws InvalidError for a time that is none, or not yet. */
  async reads(query: Query): Promise<ReadSide> {
    const then = await this.moment(query, 'at');
    if (!then) return this.current;
    const least = query.whole('minSeq', 0, Number.MAX_SAFE_INTEGER) ?? 0;
    if (then.position < least) {
      throw new InvalidError('at', `at is position ${then.position}, which lies before minSeq ${least}`);
    }
    return this.current.at(then.position);
  }

  /** The place that a parameter names, once it is readable; undefined without it. */
  async moment(query: Query, name: string): Promise<Moment | undefined> {
    const text = query.text(name);
    if (text === undefined) return undefined;
    const moment = /^\d{1,15}$/.test(text) ? { position: Number(text) } : await this.ofTime(query, name, text);
    if (moment.position > this.current.position()) {
      const last = await this.store.lastPosition();
      if (moment.position > last) {
        throw new InvalidError(name, `${name} is position ${moment.position}, but the log ends at ${last}`);
      }
      await this.current.atLeast(moment.position);
    }
    return moment;
  }

  private async ofTime(query: Query, name: string, text: string): Promise<Moment> {
    if (!/^\d{4}-\d\d-\d\d/.test(text)) {
      throw new InvalidError(name, `${name} must be a position or an ISO 8601 time, got ${JSON.stringify(text)}`);
    }
    const time = query.time(name) ?? 0;
    if (time > this.now() + skew) throw new InvalidError(name, `${name} lies in the future: ${text}`);
    return { position: await this.store.positionAt(time), time };
  }
}
