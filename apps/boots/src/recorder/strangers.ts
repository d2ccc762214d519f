import type { BootLog } from '../log/boot-log';
import { RateLimit } from '../rate-limit';

/** Steps of a machine without a record that are in the log: of each so many at once, then one every minute; of all together. */
const each = { burst: 64, perSecond: 1 / 60 };
const all = { burst: 4000, perSecond: 1 };

/**
 * Which steps of machines without a record are told of: those of machines that were offered something to boot, and only so many. Their
 * offers are limited themselves, so whoever makes MACs up does not fill the log.
 */
export class Strangers {
  readonly #each: RateLimit;
  readonly #all: RateLimit;

  constructor(
    private readonly boots: Pick<BootLog, 'stateOf'>,
    clock: () => Date,
  ) {
    const now = () => clock().getTime();
    this.#each = new RateLimit(now, each);
    this.#all = new RateLimit(now, all);
  }

  async isTold(mac: string): Promise<boolean> {
    if (!this.#each.allows(mac)) return false;
    const { last } = await this.boots.stateOf(mac);
    return last !== null && this.#all.allows('');
  }
}
