import type { Lease6Command } from '@tinkerbell/domain';
import { InMemoryEventStore } from '@tinkerbell/event-store';
import type { ForeignLease } from '@tinkerbell/messaging';
import { hardwareInterface } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { countedPools, parseSubnets6, type Subnet6 } from '../dhcp6/subnet6';
import { Lease6Pool } from '../log/lease6-pool';
import { silentLogger } from '../logger';
import type { Machine, Machines } from '../machines';
import { ImportDesk } from './import-desk';
import { judgeLease6 } from './judge-lease6';

const now = '2026-01-01T00:00:00.000Z';
const expiresAt = '2026-01-01T01:00:00.000Z';
const subnets = networks('fd99::/64=fd99::a000/116');
const reservation: Machine = {
  ...{ hardwareId: 'h5', mac: '02-00-00-00-00-05' },
  interface: hardwareInterface('02-00-00-00-00-05', 'fd99::20'),
};
const machines = {
  byMac: (mac: string) => (mac === reservation.mac ? reservation : undefined),
  byReservedAddress: (ip: string) => (ip === 'fd99::20' ? reservation : undefined),
} as Machines;
const lease = (ip: string, n = 1, over: Partial<ForeignLease> = {}): ForeignLease => ({
  ...{ ip, mac: `02-00-00-00-00-0${n}`, clientId: `0003000102000000000${n}:00000001`, hostname: '' },
  ...{ state: 'bound', expiresAt, ...over },
});

async function desk() {
  const leases = await Lease6Pool.open(new InMemoryEventStore(), 'default', { pools: countedPools(subnets) });
  const desk = new ImportDesk<Lease6Command>({
    ...{ pool: leases, log: silentLogger, clock: () => new Date(now) },
    judge: (foreign, at) => judgeLease6(foreign, { machines, subnets }, at),
    stored: () => undefined,
  });
  const take = async (...foreign: readonly ForeignLease[]) =>
    (await desk.take({ leases: foreign, dryRun: false, actor: 'user' }))?.leases.map((one) =>
      one.result === 'passed-over' ? `${one.ip} ${one.reason}: ${one.message}` : `${one.ip} ${one.result}`,
    );
  return { leases, take };
}

describe('IPv6 leases of another server', () => {
  it('are bound, once, also several of one client, and counted in their pool', async () => {
    const { leases, take } = await desk();
    expect(await take(lease('fd99::a001'), lease('fd99::a002'))).toEqual(['fd99::a001 bound', 'fd99::a002 bound']);
    expect(await take(lease('fd99::a001'), lease('fd99::a002'))).toEqual(['fd99::a001 already', 'fd99::a002 already']);
    expect(leases.holderOf('fd99::a001', now)).toMatchObject({ subnet: 'fd99::/64', origin: 'pool', expiresAt });
    expect(leases.usage('fd99::/64')).toMatchObject({ used: 2 });
    expect(leases.isFree('fd99::a001', now)).toBe(false);
  });
  it('of a reservation are its machine’s', async () => {
    const { leases, take } = await desk();
    expect(await take(lease('fd99::20', 5), lease('fd99::20', 6))).toEqual([
      ...['fd99::20 bound', 'fd99::20 reserved: hardware record h5 has it for 02:00:00:00:00:05'],
    ]);
    expect(leases.holderOf('fd99::20', now)).toMatchObject({ hardwareId: 'h5', origin: 'reservation' });
  });
  it('are passed over with the reason, and the others are taken', async () => {
    const { take } = await desk();
    await take(lease('fd99::a001', 1));
    expect(
      await take(
        lease('fd99::a001', 2),
        lease('fd99::1', 3),
        lease('fd98::1', 3),
        lease('10.1.0.10', 3),
        lease('fd99::a003', 3, { expiresAt: now }),
        lease('fd99::a004', 3, { clientId: null }),
        lease('fd99::a005', 3, { state: 'declined' }),
        lease('fd99::a006', 3, { mac: null, expiresAt: null }),
      ),
    ).toEqual([
      `fd99::a001 held: fd99::a001 is bound until ${expiresAt}`,
      'fd99::1 outside: fd99::1 is in no pool, and no hardware record has it',
      'fd98::1 outside: fd98::1 is in no pool, and no hardware record has it',
      '10.1.0.10 outside: 10.1.0.10 is in no pool, and no hardware record has it',
      'fd99::a003 expired: it ran out at 2026-01-01T00:00:00.000Z',
      'fd99::a004 no-client: it names no DUID',
      'fd99::a005 declined: a client that is given it finds out, and declines',
      'fd99::a006 bound',
    ]);
  });
});

function networks(text: string): readonly Subnet6[] {
  const parsed = parseSubnets6(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}
