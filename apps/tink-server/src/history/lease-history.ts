import { formatMac, InvalidError, parseIp, parseMac } from '@tinkerbell/domain';
import type { LeaseEvent, Recorded } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { holderOf, tell, tenuresOf, type Holder, type Tenure } from '@tinkerbell/history';
import type { LeaseRow } from '@tinkerbell/projections';
import { RequestError } from '../http/http-errors';
import type { Query } from '../http/query';
import type { ReadSide } from '../read-side';
import { commitAt } from '../subscriptions/commit-at';
import type { AsOf, Moment } from './as-of';

/** Nothing was ever leased to, or of, that name. */
export class NoLeaseError extends RequestError {
  readonly status = 404;
  readonly code = 'NOT_FOUND';
  constructor(name: string) {
    super(`no lease of ${name} is known`);
  }
}

/** Which machine had which address, and when. */
export class LeaseHistory {
  constructor(
    private readonly store: EventStore,
    private readonly current: ReadSide,
    private readonly asOf: AsOf,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * All tenures of a machine or an address, oldest first. `name`: MAC, IP address, hardware id, or the host name of a lease: then
   * those that did not say the name too. Throws NoLeaseError.
   */
  async tenures(name: string, query: Query): Promise<readonly Tenure[]> {
    const then = await this.standpoint(query);
    const [mac, ip] = [parseMac(name), parseIp(name)?.address];
    const named = mac
      ? this.tenuresWith(`mac:${mac}`, (tenure) => tenure.mac === mac, then)
      : this.tenuresWith(lookupOf(name, ip), (tenure) => isOf(tenure, name, ip), then);
    if (named.length === 0) throw new NoLeaseError(name);
    const found = mac || ip ? named : [...named, ...this.alike(named, then)];
    const each = new Map(found.map((tenure) => [`${tenure.position} ${tenure.ip}`, tenure]));
    return [...each.values()].sort((a, b) => a.position - b.position).map(withColons);
  }

  /** Those of the same MACs and hardware records. */
  private alike(tenures: readonly Tenure[], then: Standpoint): readonly Tenure[] {
    const each = (key: 'mac' | 'hardwareId', lookup: string) =>
      [...new Set(tenures.map((tenure) => tenure[key]))].flatMap((value) =>
        value === null ? [] : this.tenuresWith(`${lookup}:${value}`, (tenure) => tenure[key] === value, then),
      );
    return [...each('mac', 'mac'), ...each('hardwareId', 'hardware')];
  }

  /** Rows may have had the lookup for one of their tenures only. */
  private tenuresWith(lookup: string, isMeant: (tenure: Tenure) => boolean, then: Standpoint): readonly Tenure[] {
    return this.current.history.leases
      .keysWith(lookup)
      .flatMap((address) => this.tenuresOfAddress(address, then))
      .filter(isMeant);
  }

  /**
   * What is known of one lease. `name`: IP address, MAC, client id in hex, hardware id, or the host name of a lease; of a machine's leases
   * the one that it holds, else the last. Throws NoLeaseError, InvalidError when it holds several.
   */
  async one(name: string, query: Query): Promise<LeaseDetail> {
    const reads = await this.asOf.reads(query);
    const { position, time } = await this.standpoint(query);
    const found = lookupsOf(name)
      .map((lookup) => reads.leases.findAll(lookup))
      .find((rows) => rows.length > 0);
    if (!found) throw new NoLeaseError(name);
    const details = found.map((row) => this.detail(row, position, time)).sort((a, b) => b.position - a.position);
    const held = details.filter(({ state }) => state === 'bound');
    if (held.length > 1) {
      throw new InvalidError(
        'name',
        `several leases are of ${name}: name one of ${held.map(({ ip }) => ip).join(', ')}`,
      );
    }
    const [detail] = [...held, ...details];
    if (!detail) throw new NoLeaseError(name);
    return detail;
  }

  /**
   * Every lease of the machine that this one is of, known by its hardware id or MAC: IPv4 before IPv6, the latest first. `name`: as above.
   * Throws NoLeaseError.
   */
  async ofMachine(name: string, query: Query): Promise<readonly LeaseRow[]> {
    const { leases } = await this.asOf.reads(query);
    const named = lookupsOf(name)
      .map((lookup) => leases.findAll(lookup))
      .find((rows) => rows.length > 0);
    if (!named) throw new NoLeaseError(name);
    const alike = named.flatMap(({ mac, hardwareId }) => [
      ...(mac === null ? [] : leases.findAll(`mac:${mac}`)),
      ...(hardwareId === null ? [] : leases.findAll(`hardware:${hardwareId}`)),
    ]);
    const byIp = new Map([...named, ...alike].map((row) => [row.ip, row]));
    const family = ({ ip }: LeaseRow) => (ip.includes(':') ? 6 : 4);
    return [...byIp.values()]
      .sort((a, b) => family(a) - family(b) || b.position - a.position)
      .map((row) => ({ ...row, mac: row.mac && formatMac(row.mac) }));
  }

  private detail(row: LeaseRow, position: number | undefined, time: string): LeaseDetail {
    const events = this.current.history.leases.events(row.ip, position) as readonly Recorded<LeaseEvent>[];
    const { giaddr = null, circuitId = null, remoteId = null, renewals = 0 } = tenuresOf(events, time).at(-1) ?? {};
    const last = events.at(-1);
    const hasRunOut = row.state === 'bound' && row.expiresAt !== null && row.expiresAt <= time;
    return {
      ...row,
      mac: row.mac && formatMac(row.mac),
      state: hasRunOut ? 'expired' : row.state,
      ...{ giaddr, circuitId, remoteId, renewals },
      lastEvent: last
        ? { type: last.event.type, at: last.at, position: last.position, text: tell(last, () => undefined).text }
        : null,
      at: time,
    };
  }

  /** Throws InvalidError for an address that is none. */
  async holder(text: string, query: Query): Promise<Holder> {
    const ip = parseIp(text)?.address;
    if (ip === undefined) throw new InvalidError('ip', `ip must be an IP address, got ${JSON.stringify(text)}`);
    const then = await this.standpoint(query);
    const { holder, previous, ...rest } = holderOf(ip, this.tenuresOfAddress(ip, then), then.time);
    return { ...rest, holder: holder && withColons(holder), previous: previous && withColons(previous) };
  }

  private tenuresOfAddress(ip: string, { position, time }: Standpoint): readonly Tenure[] {
    return tenuresOf(this.current.history.leases.events(ip, position) as readonly Recorded<LeaseEvent>[], time);
  }

  /** What `?at=` names, or now. */
  async standpoint(query: Query): Promise<Standpoint> {
    const moment = await this.asOf.moment(query, 'at');
    if (!moment) return { position: undefined, time: new Date(this.now()).toISOString() };
    return { position: moment.position, time: await this.timeOf(moment) };
  }

  /** Of a position: when its commit was stored. */
  private async timeOf({ position, time }: Moment): Promise<string> {
    if (time !== undefined) return new Date(time).toISOString();
    return (await commitAt(this.store, position))?.at ?? new Date(0).toISOString();
  }
}

/** One lease with everything that is known of it. */
export interface LeaseDetail extends LeaseRow {
  /** The relay's address; null without one. */
  readonly giaddr: string | null;
  /** Where it is plugged in by the relay's word (option 82), hex; null: it does not say. */
  readonly circuitId: string | null;
  readonly remoteId: string | null;
  readonly renewals: number;
  readonly lastEvent: {
    readonly type: string;
    readonly at: string;
    readonly position: number;
    /** For people. */
    readonly text: string;
  } | null;
  /** ISO 8601: the moment that this is about. */
  readonly at: string;
}

export interface Standpoint {
  /** undefined: the end of the log. */
  readonly position: number | undefined;
  /** ISO 8601. */
  readonly time: string;
}

const hardwareIdForm = /^[0-9a-f]{8}-[0-9a-f]{4}-/i;

function lookupOf(name: string, ip: string | undefined): string {
  if (ip !== undefined) return `ip:${ip}`;
  return hardwareIdForm.test(name) ? `hardware:${name.toLowerCase()}` : `name:${name.toLowerCase()}`;
}

/** A client id may look like other things; what is found first counts. */
function lookupsOf(name: string): readonly string[] {
  const [mac, ip] = [parseMac(name), parseIp(name)?.address];
  const hex = name.toLowerCase().replaceAll(/[:-]/g, '');
  return [
    mac ? `mac:${mac}` : lookupOf(name, ip),
    // Of DHCPv6 clients it has a colon of its own, between DUID and IAID.
    ...(/^[0-9a-f]{2,}$/.test(hex) ? [`client:${hex}`, `client:${name.toLowerCase()}`] : []),
  ];
}

function isOf(tenure: Tenure, name: string, ip: string | undefined): boolean {
  if (ip !== undefined) return tenure.ip === ip;
  return [tenure.hardwareId, tenure.hostname.toLowerCase()].includes(name.toLowerCase());
}

const withColons = (tenure: Tenure): Tenure => ({ ...tenure, mac: tenure.mac && formatMac(tenure.mac) });
