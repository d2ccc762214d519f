import { InvalidError } from '@tinkerbell/domain';
import type { Query } from '../http/query';
import type { ReadSide } from '../read-side';
import type { AsOf } from './as-of';
import { kinds, rowChanges, type RowChange } from './row-changes';

/** What changed between two moments. */
export class Differences {
  constructor(
    private readonly reads: ReadSide,
    private readonly asOf: AsOf,
  ) {}

  /** `from` is needed, `to` is now without it. Throws InvalidError. */
  async *between(query: Query): AsyncGenerator<RowChange> {
    const [kind, id] = [query.oneOf('kind', kinds), query.text('id')];
    const from = await this.asOf.moment(query, 'from');
    const to = (await this.asOf.moment(query, 'to'))?.position ?? this.reads.position();
    if (!from) throw new InvalidError('from', 'from is missing: a position or an ISO 8601 time');
    if (from.position > to) {
      throw new InvalidError('from', `from is position ${from.position}, which lies after to, position ${to}`);
    }
    const range = { from: from.position, to, ...(kind ? { kind } : {}), ...(id === undefined ? {} : { id }) };
    let seen = 0;
    for (const change of rowChanges(this.reads.history, range)) {
      yield change;
      // Other work gets its turn.
      if (++seen % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
