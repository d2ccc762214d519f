import { type AddressRange, numberOf, type SingleLeaseCommand } from '@tinkerbell/domain';
import { InMemoryEventStore } from '@tinkerbell/event-store';
import { type ForeignLease, type ImportedOne, maxImported } from '@tinkerbell/messaging';
import { hardwareInterface } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import type { ModeRules, PooledSubnet } from '../dhcp/dhcp-mode';
import { LeasePool } from '../log/lease-pool';
import { silentLogger } from '../logger';
import type { Machine, Machines } from '../machines';
import { ImportDesk } from './import-desk';
import { judgeLease } from './judge-lease';

const now = '2026-01-01T00:00:00.000Z';
const expiresAt = '2026-01-01T01:00:00.000Z';
const range = (first: string, last: string): AddressRange => [numberOf(first), numberOf(last)];
const subnet = (name: string, address: string, pooled: Partial<PooledSubnet> = {}) => ({
  ...{ name, address, prefix: 24, mode: 'pool' as const },
  pooled: {
    pools: [
      { name, subnet: name, ranges: [range(`${address.slice(0, -1)}10`, `${address.slice(0, -1)}99`)], classes: [] },
    ],
    ...{ leaseSeconds: 600, quarantineSeconds: 3600, identity: 'client-id' as const, probe: false },
    ...{ router: '', nameServers: [], timeServers: [], domain: '', options: [], ...pooled },
  },
});
const rules: ModeRules = {
  mode: 'reservation',
  subnets: [subnet('lab', '10.1.0.0'), subnet('cards', '10.2.0.0', { identity: 'mac' })],
};
const reservation: Machine = {
  ...{ hardwareId: 'h5', mac: '02-00-00-00-00-05' },
  interface: hardwareInterface('02-00-00-00-00-05', '10.1.0.5'),
};
const machines = {
  byMac: (mac: string) => (mac === reservation.mac ? reservation : undefined),
  byReservedAddress: (ip: string) => (ip === '10.1.0.5' ? reservation : undefined),
} as Machines;
const lease = (ip: string, n = 1, over: Partial<ForeignLease> = {}): ForeignLease => ({
  ...{ ip, mac: `02-00-00-00-00-0${n}`, clientId: `010${n}`, hostname: 'node', state: 'bound', expiresAt, ...over },
});

async function desk() {
  const store = new InMemoryEventStore();
  const leases = await LeasePool.open(store, 'default');
  const stored: SingleLeaseCommand[] = [];
  const desk = new ImportDesk<SingleLeaseCommand>({
    ...{ pool: leases, log: silentLogger, clock: () => new Date(now) },
    judge: (foreign, at) => judgeLease(foreign, { machines, leases, rules }, at),
    stored: (commands) => void stored.push(...commands),
  });
  const take = async (...foreign: readonly ForeignLease[]) =>
    (await desk.take({ leases: foreign, dryRun: false, actor: 'user:ann' }))?.leases.map(told);
  const events = async () => (await store.read('tink.ev.default.lease.default')).events;
  return { leases, desk, take, events, stored };
}

function told(one: ImportedOne): string {
  return one.result === 'passed-over' ? `${one.ip} ${one.reason}: ${one.message}` : `${one.ip} ${one.result}`;
}

describe('leases of another server', () => {
  it('are bound in one commit, in the name of who brought them, and the second time nothing changes', async () => {
    const { take, events, leases, stored } = await desk();
    expect(await take(lease('10.1.0.10', 1), lease('10.1.0.11', 2))).toEqual(['10.1.0.10 bound', '10.1.0.11 bound']);
    expect(stored.map((command) => 'ip' in command && command.ip)).toEqual(['10.1.0.10', '10.1.0.11']);
    expect((await events()).map(({ position, metadata, event }) => [position, metadata.actor, event.type])).toEqual([
      [1, 'user:ann', 'LeaseBound'],
      [1, 'user:ann', 'LeaseBound'],
    ]);
    expect(leases.holderOf('10.1.0.10', now)).toMatchObject({ clientId: '0101', subnet: 'lab', expiresAt });
    expect(await take(lease('10.1.0.10', 1), lease('10.1.0.11', 2))).toEqual([
      '10.1.0.10 already',
      '10.1.0.11 already',
    ]);
    expect(await events()).toHaveLength(2);
  });
  it('are extended when they were renewed there since', async () => {
    const { take, leases } = await desk();
    await take(lease('10.1.0.10'));
    const renewed = lease('10.1.0.10', 1, { expiresAt: '2026-01-01T02:00:00.000Z' });
    expect(await take(renewed)).toEqual(['10.1.0.10 extended']);
    expect(leases.holderOf('10.1.0.10', now)?.expiresAt).toBe('2026-01-01T02:00:00.000Z');
  });
  it('are passed over with the reason, and the others are taken', async () => {
    const { take, events } = await desk();
    await take(lease('10.1.0.10', 1));
    expect(
      await take(
        lease('10.1.0.10', 2),
        lease('10.1.0.20', 1),
        lease('10.1.0.21', 3, { expiresAt: now }),
        lease('10.1.0.5', 4),
        lease('10.1.0.9', 4),
        lease('10.1.0.22', 4, { mac: null }),
        lease('10.1.0.10', 1, { state: 'declined' }),
        lease('10.1.0.23', 6),
      ),
    ).toEqual([
      `10.1.0.10 held: 10.1.0.10 is leased to 02:00:00:00:00:01 until ${expiresAt}`,
      '10.1.0.20 elsewhere: its client has 10.1.0.10 here',
      `10.1.0.21 expired: it ran out at ${now}`,
      '10.1.0.5 reserved: hardware record h5 has it for 02:00:00:00:00:05',
      '10.1.0.9 outside: 10.1.0.9 is in no pool, and no hardware record has it',
      '10.1.0.22 no-client: it names no Ethernet address',
      '10.1.0.10 held: 10.1.0.10 is leased to 02:00:00:00:00:01 here',
      '10.1.0.23 bound',
    ]);
    expect(await events()).toHaveLength(2);
  });
  it('of a reservation are its machine’s', async () => {
    const { take, leases } = await desk();
    expect(await take(lease('10.1.0.5', 5))).toEqual(['10.1.0.5 bound']);
    expect(leases.lease('02-00-00-00-00-05', now)).toMatchObject({ origin: 'reservation', hardwareId: 'h5' });
  });
  it('that were declined or abandoned rest until they would have there, or as long as they would here', async () => {
    const { take, leases } = await desk();
    const resting = [
      lease('10.1.0.10', 1, { mac: null, clientId: null, state: 'declined' }),
      lease('10.1.0.11', 1, { mac: null, clientId: null, state: 'abandoned', expiresAt: null }),
    ];
    expect(await take(...resting)).toEqual(['10.1.0.10 quarantined', '10.1.0.11 quarantined']);
    expect(await take(...resting)).toEqual(['10.1.0.10 already', '10.1.0.11 already']);
    for (const ip of ['10.1.0.10', '10.1.0.11']) {
      expect(leases.state.book.get(ip)).toMatchObject({ state: 'conflict', expiresAt });
    }
    expect(await take(lease('10.1.0.10'))).toEqual([`10.1.0.10 held: 10.1.0.10 is in quarantine until ${expiresAt}`]);
  });
  it('of a client that is known by its MAC here are one, whatever it called itself', async () => {
    const { take, leases } = await desk();
    expect(await take(lease('10.2.0.10', 1), lease('10.2.0.11', 1, { clientId: 'ff' }))).toEqual([
      ...['10.2.0.10 bound', '10.2.0.11 elsewhere: its client has 10.2.0.10 here'],
    ]);
    expect(leases.holderOf('10.2.0.10', now)?.clientId).toBe(null);
  });
  it('say in a rehearsal what would be, and nothing is stored', async () => {
    const { desk: made, events, stored } = await desk();
    const request = { leases: [lease('10.2.0.10', 1), lease('10.2.0.11', 1)], actor: 'user', dryRun: true };
    expect((await made.take(request))?.leases.map(told)).toEqual([
      ...['10.2.0.10 bound', '10.2.0.11 elsewhere: its client has 10.2.0.10 here'],
    ]);
    expect([await events(), stored]).toEqual([[], []]);
  });
  it('come in parts', async () => {
    const { take } = await desk();
    const many = Array.from({ length: maxImported + 1 }, () => lease('10.1.0.10'));
    await expect(take(...many)).rejects.toThrow(RangeError);
  });
  it('are not answered for by a standby, nor by one whose term ends meanwhile', async () => {
    const store = new InMemoryEventStore();
    const leadership = { run: () => ({ close: () => Promise.resolve() }) };
    const pool = await LeasePool.open(store, 'default', {
      post: { leadership, address: '10.1.0.1', log: silentLogger },
    });
    const ports = { log: silentLogger, clock: () => new Date(now), stored: () => undefined };
    const judge = (foreign: ForeignLease) => judgeLease(foreign, { machines, leases: pool, rules }, now);
    const request = { leases: [lease('10.1.0.10')], dryRun: false, actor: 'user' };
    expect(await new ImportDesk<SingleLeaseCommand>({ ...ports, pool, judge }).take(request)).toBeUndefined();
    const believing = {
      ...{ name: 'default', isActive: true },
      rehearse: pool.rehearse.bind(pool),
      submit: pool.submit.bind(pool),
    };
    expect(
      await new ImportDesk<SingleLeaseCommand>({ ...ports, pool: believing, judge }).take(request),
    ).toBeUndefined();
    await pool.close();
  });
});
