import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { bootAttempts, type BootAttempt } from '@tinkerbell/history';
import { formatMac } from '@tinkerbell/domain';
import type { Query } from '../http/query';
import type { ReadSide } from '../read-side';
import type { AsOf } from './as-of';
import { findMachine } from './find-machine';
import { durationIn } from './gathered';

export interface BootHistoryOf {
  readonly id: string;
  readonly hostname: string;
  readonly mac: string;
  readonly ip: string;
  /** Newest first. */
  readonly attempts: readonly BootAttempt[];
}

const mostAttempts = 1000;

/** The boot attempts of a machine, as one trace each. */
export class BootHistory {
  constructor(
    private readonly current: ReadSide,
    private readonly asOf: AsOf,
    private readonly now: () => number = Date.now,
  ) {}

  /** `name`: id, MAC, IP address or host name. Throws UnknownNameError, InvalidError. */
  async of(name: string, query: Query): Promise<BootHistoryOf> {
    const limit = query.whole('limit', 1, mostAttempts) ?? 10;
    const moment = await this.asOf.moment(query, 'at');
    const reads = moment ? this.current.at(moment.position) : this.current;
    const { id, hostname, mac, ip } = findMachine(reads, name);
    // What the projection has kept is of the catalogue.
    const events = reads.history.machines.events(id, reads.position()) as readonly Recorded<AnyEvent>[];
    const time = moment ? moment.time : this.now();
    const now = time === undefined ? (events.at(-1)?.at ?? new Date(0).toISOString()) : new Date(time).toISOString();
    const attempts = bootAttempts({ events, now, duration: durationIn(reads.history) });
    return { id, hostname, mac: formatMac(mac), ip, attempts: attempts.slice(-limit).reverse() };
  }
}
