import type { AnyEvent, BootRequestFailed, Recorded } from '@tinkerbell/events';
import { numberOf } from '@tinkerbell/domain';
import { failedText } from '@tinkerbell/history';
import { poolCounts, type LeaseRow } from '@tinkerbell/projections';
import type { DashboardPorts } from './dashboard-ports';
import { colons } from './views';
import type { AddressesView, PoolView, StrangerView } from './wire';

const mostStrangers = 200;

type Ports = Pick<DashboardPorts, 'leases' | 'pools' | 'dhcpServers' | 'hardware'>;
type NotServed = NonNullable<StrangerView['notServed']>;

/** As numbers, IPv4 before IPv6, which stays in the order of its text. */
function byAddress({ ip: one }: LeaseRow, { ip: other }: LeaseRow): number {
  const [isSix, isOtherSix] = [one.includes(':'), other.includes(':')];
  return isSix || isOtherSix ? Number(isSix) - Number(isOtherSix) : numberOf(one) - numberOf(other);
}

/** What boots gives out of its pools, and the machines that no hardware record has. */
export class AddressBook {
  /** MAC with dashes → what it was not served, the oldest first; as far back as the events that were read. */
  private readonly failed = new Map<string, NotServed>();

  constructor(
    private readonly ports: Ports,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** Takes in what boots refused to a machine without a record; whether it was that. */
  note({ event }: Recorded): boolean {
    const { type, data } = event as AnyEvent;
    if (type !== 'BootRequestFailed' || data.hardwareId !== null) return false;
    const text = failedText(data);
    this.failed.set(data.mac, { text, count: this.countOf(data, text), at: data.lastAt });
    const [oldest] = this.failed.keys();
    if (this.failed.size > mostStrangers && oldest !== undefined) this.failed.delete(oldest);
    return true;
  }

  view(): AddressesView {
    const leases = this.ports.leases.list({ lookups: ['stranger'], limit: mostStrangers }).toSorted(byAddress);
    const total = this.ports.leases.tally('stranger', 0, 0);
    return { pools: this.pools(), strangers: this.strangers(leases), moreStrangers: total - leases.length };
  }

  /** Takes the place of what was noted before. */
  private countOf({ mac, count }: BootRequestFailed['data'], text: string): number {
    const before = this.failed.get(mac);
    this.failed.delete(mac);
    return before?.text === text ? before.count + count : count;
  }

  private pools(): readonly PoolView[] {
    const { pools, leases, dhcpServers } = this.ports;
    const now = this.now().toISOString();
    return pools.list().map((row) => {
      const { id, pool, subnet, ranges, size, leasePool } = row;
      const servedBy = dhcpServers.get(leasePool)?.active?.address ?? null;
      return { id, pool, subnet, ranges, size, ...poolCounts(row, leases, now), servedBy };
    });
  }

  private strangers(leases: readonly LeaseRow[]): readonly StrangerView[] {
    const leased = leases.map(({ mac, clientId, hostname, ip, subnet, expiresAt }) => {
      const notServed = (mac !== null && this.failed.get(mac)) || null;
      return { id: mac === null ? (clientId ?? ip) : colons(mac), hostname, ip, subnet, expiresAt, notServed };
    });
    const known = new Set(leases.map(({ mac }) => mac));
    const refused = [...this.failed]
      .filter(([mac]) => !known.has(mac) && !this.ports.hardware.find(`mac:${mac}`))
      .map(([mac, notServed]) => ({ id: colons(mac), hostname: '', ip: '', subnet: '', expiresAt: null, notServed }));
    return [...refused.reverse(), ...leased];
  }
}
