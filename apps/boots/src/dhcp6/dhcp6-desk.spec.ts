import { clientId, type Dhcp6Message, encodeMessage, iaNa, option } from '@tinkerbell/dhcp6';
import { InMemoryEventStore } from '@tinkerbell/event-store';
import { describe, expect, it } from 'vitest';
import type { BootLog } from '../log/boot-log';
import { Lease6Pool } from '../log/lease6-pool';
import { silentLogger } from '../logger';
import type { Machines } from '../machines';
import { Metrics } from '../metrics';
import type { FailedRequest } from '../recorder/failed-requests';
import type { Dhcp6Settings } from './decision6';
import { Dhcp6Desk } from './dhcp6-desk';
import { parseSubnets6, type Subnet6 } from './subnet6';

const settings: Dhcp6Settings = {
  ...{ address: 'fd99::1', nameServers: [], leaseSeconds: 60, preference: 0, quarantineSeconds: 60, ticketSeconds: 0 },
  urls: { tftp: '[fd99::1]', http: 'http://[fd99::1]', macFormat: 'colon', binaries: {} },
  subnets: parseSubnets6('fd99::/64=reservation') as readonly Subnet6[],
};
const solicit: Dhcp6Message = {
  ...{ type: 'solicit', transactionId: 1 },
  options: [
    option(clientId, new Uint8Array([0, 4, ...Array.from({ length: 16 }, () => 7)])),
    option(iaNa, { iaid: 1, t1: 0, t2: 0, options: [] }),
  ],
};
const from = { peer: 'fe80::5054:ff:fe99:1%br0', link: ['fd99::1'] };

async function desk() {
  const noted: FailedRequest[] = [];
  const leases = await Lease6Pool.open(new InMemoryEventStore(), 'default', { pools: [], post: undefined });
  const ports = {
    ...{ leases, metrics: new Metrics(), log: silentLogger, clock: () => new Date() },
    machines: { byMac: () => undefined, byReservedAddress: () => undefined } as unknown as Machines,
    boots: { programOf: () => '' } as unknown as BootLog,
    failed: { note: (request: FailedRequest) => void noted.push(request) },
  };
  return { noted, made: new Dhcp6Desk(ports, settings) };
}

describe('what is not answered by DHCPv6', () => {
  it('is kept with its reason, for the machine that it was of', async () => {
    const { noted, made } = await desk();
    expect(await made.answer(encodeMessage(solicit), from)).toBeUndefined();
    expect(noted).toEqual([
      {
        ...{ protocol: 'dhcp', reason: 'unknown-machine', detail: 'DHCPv6 solicit' },
        ...{ source: 'fe80::5054:ff:fe99:1', mac: '52-54-00-99-00-01' },
      },
    ]);
  });
  it('is kept also when it cannot be read', async () => {
    const { noted, made } = await desk();
    await made.answer(encodeMessage(solicit).subarray(0, 9), from);
    expect(noted).toMatchObject([{ reason: 'malformed', mac: '52-54-00-99-00-01' }]);
  });
});
