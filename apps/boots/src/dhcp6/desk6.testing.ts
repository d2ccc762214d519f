import { clientId, type Dhcp6Message, iaNa, option } from '@tinkerbell/dhcp6';
import { InMemoryEventStore } from '@tinkerbell/event-store';
import { Lease6Pool } from '../log/lease6-pool';
import { silentLogger } from '../logger';
import type { Machine } from '../machines';
import { Metrics } from '../metrics';
import { Overheard } from '../overheard';
import type { FailedRequest } from '../recorder/failed-requests';
import type { Dhcp6Settings } from './decision6';
import { Dhcp6Desk } from './dhcp6-desk';
import { parseSubnets6, type Subnet6 } from './subnet6';

/** For specs: a desk over a log in memory, and what it is asked. */
export const settings: Dhcp6Settings = {
  ...{ address: 'fd99::1', nameServers: [], leaseSeconds: 60, preference: 0, quarantineSeconds: 60, ticketSeconds: 0 },
  urls: { tftp: '[fd99::1]', http: 'http://[fd99::1]', macFormat: 'colon', binaries: {} },
  subnets: parseSubnets6('fd99::/64=reservation') as readonly Subnet6[],
  classes: [],
};
export const solicit: Dhcp6Message = {
  ...{ type: 'solicit', transactionId: 1 },
  options: [
    option(clientId, new Uint8Array([0, 4, ...Array.from({ length: 16 }, () => 7)])),
    option(iaNa, { iaid: 1, t1: 0, t2: 0, options: [] }),
  ],
};
export const from = { peer: 'fe80::5054:ff:fe99:1%br0', link: ['fd99::1'] };

export async function desk(server = settings, machine?: Machine) {
  const noted: FailedRequest[] = [];
  const clock = { ms: Date.now() };
  const leases = await Lease6Pool.open(new InMemoryEventStore(), 'default', { pools: [], post: undefined });
  const ports = {
    ...{ leases, metrics: new Metrics(), log: silentLogger, clock: () => new Date(clock.ms) },
    machines: {
      byMac: () => machine,
      byReservedAddress: () => undefined,
      netboot: () => ({ allowed: true, reason: '' }),
    },
    boots: { programOf: () => '', record: () => Promise.resolve() },
    failed: { note: (request: FailedRequest) => void noted.push(request) },
    overheard: new Overheard(() => new Date(clock.ms)),
  };
  const { metrics, overheard } = ports;
  return { noted, clock, leases, metrics, overheard, made: new Dhcp6Desk(ports, server) };
}
