import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { bootAttempts, type BootAttempt, failedRequests, type FailedRequest, heldLeases } from '@tinkerbell/history';
import { formatMac, parseMac } from '@tinkerbell/domain';
import type { EventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import type { HardwareRow, LeaseRow } from '@tinkerbell/projections';
import type { Query } from '../http/query';
import type { ReadSide } from '../read-side';
import type { AsOf } from './as-of';
import { RequestError } from '../http/http-errors';
import { findMachineOrMac } from './find-machine';
import { durationIn } from './gathered';

export interface BootHistoryOf {
  readonly id: string;
  readonly hostname: string;
  readonly mac: string;
  readonly ip: string;
  /** What it holds: that of its firmware, or of an operating system, which is no boot. */
  readonly leases: readonly HeldLease[];
  /** Newest first. */
  readonly attempts: readonly BootAttempt[];
  /** What it was not answered, newest first. */
  readonly failed: readonly FailedRequest[];
}

/** Times are ISO 8601; `leaseSeconds` 4294967295: for good. */
export type HeldLease = Pick<LeaseRow, 'ip' | 'boundAt' | 'leaseSeconds' | 'expiresAt'>;

/** Of a machine that no record has. */
export class NoBootError extends RequestError {
  readonly status = 404;
  readonly code = 'NOT_FOUND';
  constructor(mac: string, leases: readonly { readonly ip: string }[]) {
    const leased = leases.length === 0 ? 'has no lease' : `had ${leases.map(({ ip }) => ip).join(', ')}`;
    super(`${formatMac(mac)} has no hardware record; it ${leased} and did not ask for a boot file`);
  }
}

const mostAttempts = 1000;
const mostFailed = 20;

/** The boot attempts of a machine, as one trace each. */
export class BootHistory {
  constructor(
    private readonly store: Pick<EventStore, 'read'>,
    private readonly current: ReadSide,
    private readonly asOf: AsOf,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * `name`: id, MAC, IP address or host name; of a MAC what was heard of the network cards that the record has beside it, not of those
   * that it had before. A MAC that no record has is one too. Throws UnknownNameError, NoBootError, InvalidError.
   */
  async of(name: string, query: Query): Promise<BootHistoryOf> {
    const limit = query.whole('limit', 1, mostAttempts) ?? 10;
    const moment = await this.asOf.moment(query, 'at');
    const reads = moment ? this.current.at(moment.position) : this.current;
    const machine = findMachineOrMac(reads, name);
    const time = moment ? moment.time : this.now();
    const nowAfter = (events: readonly Recorded<AnyEvent>[]) =>
      time === undefined ? (events.at(-1)?.at ?? new Date(0).toISOString()) : new Date(time).toISOString();
    if (!('id' in machine)) return this.#stranger(machine.mac, moment?.position ?? Infinity, reads, nowAfter);
    const { id, hostname, mac, ip, registered } = machine;
    // What the projection has kept is of the catalogue.
    const all = reads.history.machines.events(id, reads.position()) as readonly Recorded<AnyEvent>[];
    const asked = parseMac(name.toLowerCase());
    const cards = asked === undefined ? undefined : cardsWith(asked, reads.hardware.get(id));
    const events = cards === undefined ? all : ofCards(all, cards);
    const now = nowAfter(events);
    const leases = reads.leases.findAll(registered ? `hardware:${id}` : `mac:${mac}`);
    const theirs = cards === undefined ? leases : leases.filter((lease) => cards.has(lease.mac ?? ''));
    const attempts = bootAttempts({ events, now, duration: durationIn(reads.history) });
    return {
      id,
      hostname,
      mac: formatMac(mac),
      ip,
      leases: told(heldLeases(theirs, now)),
      attempts: attempts.slice(-limit).reverse(),
      failed: newest(events),
    };
  }

  /** A MAC without a hardware record: what boots heard of it is in the stream of the MAC alone. */
  async #stranger(
    mac: string,
    position: number,
    { leases }: ReadSide,
    nowAfter: (events: readonly Recorded<AnyEvent>[]) => string,
  ): Promise<BootHistoryOf> {
    const { events } = await this.store.read<AnyEvent>(subjects.stream('boot', mac));
    const seen = events.filter((recorded) => recorded.position <= position);
    if (seen.length === 0) throw new NoBootError(mac, leases.findAll(`mac:${mac}`));
    const none = { id: '', hostname: '', mac: formatMac(mac), ip: '' };
    const found = told(heldLeases(leases.findAll(`mac:${mac}`), nowAfter(seen)));
    return { ...none, leases: found, attempts: [], failed: newest(seen) };
  }
}

function cardsWith(mac: string, row: HardwareRow | undefined): ReadonlySet<string> {
  const macs = (row?.hardware.network.interfaces ?? []).map(({ dhcp }) => dhcp.mac);
  return new Set(macs.includes(mac) ? macs : [mac]);
}

/** What has no MAC, as an enrolment, is of the card that was heard of last. */
function ofCards(events: readonly Recorded<AnyEvent>[], macs: ReadonlySet<string>): readonly Recorded<AnyEvent>[] {
  let isTheirs = true;
  return events.filter(({ aggregate, event }) => {
    const isHeard = (aggregate === 'boot' || aggregate === 'lease') && 'mac' in event.data && event.data.mac !== null;
    if (isHeard) isTheirs = macs.has(event.data.mac);
    return isTheirs || aggregate === 'hardware';
  });
}

function told(leases: readonly LeaseRow[]): readonly HeldLease[] {
  return leases.map(({ ip, boundAt, leaseSeconds, expiresAt }) => ({ ip, boundAt, leaseSeconds, expiresAt }));
}

function newest(events: readonly Recorded<AnyEvent>[]): readonly FailedRequest[] {
  return failedRequests(events).slice(-mostFailed).reverse();
}
