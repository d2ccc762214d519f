import { formatMac, InvalidError, parseIp, parseMac } from '@tinkerbell/domain';
import type { LeaseEvent, Recorded } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { holderOf, tenuresOf, type Holder, type Tenure } from '@tinkerbell/history';
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
   * All tenures of a machine or an address, oldest first. `name`: MAC, IP address, hardware id, or the host name of a lease.
   * Throws NoLeaseError.
   */
  async tenures(name: string, query: Query): Promise<readonly Tenure[]> {
    const then = await this.standpoint(query);
    const [mac, ip] = [parseMac(name), parseIp(name)?.address];
    const lookup = mac ? `mac:${mac}` : lookupOf(name, ip);
    const found = this.current.history.leases
      .keysWith(lookup)
      .flatMap((address) => this.tenuresOfAddress(address, then))
      .filter((tenure) => (mac ? tenure.mac === mac : isOf(tenure, name, ip)))
      .sort((a, b) => a.position - b.position);
    if (found.length === 0) throw new NoLeaseError(name);
    return found.map(withColons);
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

  private async standpoint(query: Query): Promise<Standpoint> {
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

interface Standpoint {
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

function isOf(tenure: Tenure, name: string, ip: string | undefined): boolean {
  if (ip !== undefined) return tenure.ip === ip;
  return [tenure.hardwareId, tenure.hostname.toLowerCase()].includes(name.toLowerCase());
}

const withColons = (tenure: Tenure): Tenure => ({ ...tenure, mac: tenure.mac && formatMac(tenure.mac) });
