import {
  rapidCommit,
  option,
  clientId,
  decodeMessage,
  type Dhcp6Message,
  encodeMessage,
  iaAddress,
  iaNa,
  readOption,
  readOptions,
} from '@tinkerbell/dhcp6';
import { InMemoryEventStore } from '@tinkerbell/event-store';
import type { LeaseEvent } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging';
import { describe, expect, it } from 'vitest';
import type { BootLog } from '../log/boot-log';
import { Lease6Pool } from '../log/lease6-pool';
import { silentLogger } from '../logger';
import type { Machine, Machines } from '../machines';
import { Metrics } from '../metrics';
import { Overheard } from '../overheard';
import type { FailedRequest } from '../recorder/failed-requests';
import { Dhcp6Desk } from './dhcp6-desk';
import {
  bound,
  client,
  context,
  hex,
  ia,
  ignored,
  known,
  leased,
  machineAt,
  message,
  now,
  replied,
  reservations,
  subnet,
  toUs,
} from './requests6.testing';

describe('a reserved address that another client has', () => {
  const other = { mac: '52-54-00-99-00-02', hardwareId: null, clientId: 'bb:1', origin: 'pool' };
  const leases = leased(bound('fd99::20', other));
  const lone = reservations ? { subnet: reservations } : {};

  it.each([
    ['of a range', other],
    ['by a record that still says so', { ...other, hardwareId: 'h2', origin: 'reservation' }],
    ['whose MAC nobody knows', { ...other, mac: null }],
  ])('stays with it: %s', (_, holder) => {
    const taken = { leases: leased(bound('fd99::20', holder)), hasReservation: () => true };
    for (const [type, ...more] of [['solicit', option(rapidCommit, true)], ['solicit'], ['request', toUs]] as const) {
      const { associations, leases: facts } = replied(message(type, ...more, ia('fd99::20')), known(taken));
      expect(associations[0]?.addresses[0]?.[0]).toMatch(/^fd99::a[0-9a-f]{3}$/);
      expect(facts.map((fact) => 'holder' in fact && fact.holder.origin)).not.toContain('reservation');
    }
  });
  it('is told of as that where there is no other', () => {
    const bare = known({ leases, ...lone });
    expect(ignored(message('solicit', ia()), bare)).toBe('address-in-use');
    expect(ignored(message('solicit', ia(), option(rapidCommit, true)), bare)).toBe('address-in-use');
    const refused = replied(message('request', toUs, ia('fd99::20')), bare);
    expect(refused).toMatchObject({ refused: 'address-in-use', leases: [], associations: [{ status: 2 }] });
  });
  it('is the machine’s when that lease is over, and what it had meanwhile is not', () => {
    const meanwhile = bound('fd99::a001', { origin: 'pool', expiresAt: '2026-01-01T02:00:00.000Z' });
    const late = known({ leases: leased(bound('fd99::20', other), meanwhile), now: '2026-01-01T01:00:00.000Z' });
    const { associations, leases: facts } = replied(message('renew', toUs, ia('fd99::a001')), late);
    expect(associations[0]?.addresses).toEqual([
      ['fd99::20', 3600],
      ['fd99::a001', 0],
    ]);
    expect(facts).toMatchObject([
      { type: 'LeaveAddresses', clientId: client, ips: ['fd99::a001'] },
      { type: 'BindAddress', holder: { ip: 'fd99::20' } },
    ]);
  });
  it('is the machine’s at once when the other had it by a record that says so no more, and the other is told at its Renew', () => {
    const moved = { ...other, hardwareId: 'h2', origin: 'reservation' };
    const { leases: facts } = replied(
      message('request', toUs, ia()),
      known({ leases: leased(bound('fd99::20', moved)) }),
    );
    expect(facts).toMatchObject([
      { type: 'ReleaseAddress', holder: { ip: 'fd99::20', clientId: 'bb:1' } },
      { type: 'BindAddress', holder: { ip: 'fd99::20', clientId: client } },
    ]);
    const gone = context({ leases: leased(bound('fd99::20', moved)), ...lone });
    for (const [type, ...more] of [['renew', toUs], ['rebind']] as const) {
      expect(replied(message(type, ...more, ia('fd99::20')), gone).associations[0]?.addresses).toEqual([
        ['fd99::20', 0],
      ]);
    }
  });
  it('of the same machine under another DUID is no other’s', () => {
    const firmware = leased(bound('fd99::20', { clientId: 'bb:1', origin: 'pool' }));
    expect(replied(message('request', toUs, ia()), known({ leases: firmware })).leases).toMatchObject([
      { type: 'BindAddress', holder: { ip: 'fd99::20', origin: 'reservation' } },
    ]);
  });
});

describe('who has an address of a range that a record reserves for another', () => {
  const held = {
    leases: leased(bound('fd99::a001', { origin: 'pool' })),
    isReserved: (ip: string) => ip === 'fd99::a001',
  };
  const full = subnet && { ...subnet, pools: [] };

  it.each([
    ['renew', [toUs]],
    ['rebind', []],
  ] as const)('is told to stop using it by its %s, and gets another', (type, more) => {
    const { associations, leases } = replied(message(type, ...more, ia('fd99::a001')), context(held));
    expect(associations[0]?.addresses).toEqual([
      [expect.stringMatching(/^fd99::a(?!001$)/), 7200],
      ['fd99::a001', 0],
    ]);
    expect(leases).toMatchObject([{ type: 'LeaveAddresses', ips: ['fd99::a001'] }, { type: 'BindAddress' }]);
    const none = replied(message(type, ...more, ia('fd99::a001')), context({ ...held, ...(full && { subnet: full }) }));
    expect(none.associations).toMatchObject([{ addresses: [['fd99::a001', 0]], status: undefined }]);
    expect(none.leases).toMatchObject([{ type: 'LeaveAddresses', ips: ['fd99::a001'] }]);
  });
  it('leaves it when it asks anew', () =>
    expect(replied(message('request', toUs, ia()), context(held)).leases).toMatchObject([
      { type: 'LeaveAddresses', ips: ['fd99::a001'] },
      { type: 'BindAddress' },
    ]));
});

describe('a record for an address that is leased already', () => {
  const peers = { holder: 'fe80::5054:ff:fe99:1%br0', machine: 'fe80::5054:ff:fe99:2%br0' };

  it('has its machine wait until the holder was told, whatever comes in between', async () => {
    const records: Machine[] = [];
    const noted: FailedRequest[] = [];
    const store = new InMemoryEventStore();
    const leases = await Lease6Pool.open(store, 'default', { pools: [], post: undefined });
    const time = new Date(now);
    const desk = new Dhcp6Desk(
      {
        ...{
          leases,
          metrics: new Metrics(),
          log: silentLogger,
          clock: () => time,
          overheard: new Overheard(() => time),
        },
        machines: {
          byMac: (mac: string) => records.find((record) => record.mac === mac),
          byReservedAddress: (ip: string) => records.find(({ interface: { dhcp } }) => dhcp.ip?.address === ip),
          netboot: () => ({ allowed: true }),
        } as unknown as Machines,
        boots: { programOf: () => '' } as unknown as BootLog,
        failed: { note: (request: FailedRequest) => void noted.push(request) },
      },
      context().server,
    );
    let transactionId = 0;
    const ask = async (who: keyof typeof peers, type: Dhcp6Message['type'], ...addresses: readonly string[]) => {
      const id = hex(`0004${(who === 'holder' ? 'aa' : 'bb').repeat(16)}`);
      const more = type === 'solicit' ? option(rapidCommit, true) : { code: 2, value: hex(leases.serverDuid) };
      const request = { type, transactionId: ++transactionId, options: [option(clientId, id), more, ia(...addresses)] };
      const reply = await desk.answer(encodeMessage(request), { peer: peers[who], link: ['fd99::1'] });
      const { options } = decodeMessage(reply?.bytes ?? new Uint8Array());
      return readOptions(readOption(options, iaNa)?.options ?? [], iaAddress);
    };

    const [{ address = '' } = {}] = await ask('holder', 'solicit');
    expect(address).toMatch(/^fd99::a/);
    records.push({ ...machineAt(address), mac: '52-54-00-99-00-02' });
    const [meanwhile] = await ask('machine', 'solicit', address);
    expect(meanwhile?.address).toMatch(/^fd99::a/);
    expect(meanwhile?.address).not.toBe(address);
    expect(leases.holderOf(address, now)?.mac).toBe('52-54-00-99-00-01');

    const [instead, over] = await ask('holder', 'renew', address);
    expect([over?.address, over?.validSeconds]).toEqual([address, 0]);
    const [own, left] = await ask('machine', 'renew', meanwhile?.address ?? '');
    expect([own?.address, own?.validSeconds]).toEqual([address, 3600]);
    expect([left?.address, left?.validSeconds]).toEqual([meanwhile?.address, 0]);

    const { events } = await store.read<LeaseEvent>(subjects.stream('lease', 'default-v6'));
    const told = events.map(({ event }) => event);
    expect(told.slice(1).map(({ type, data }) => [type, 'ip' in data && data.ip])).toEqual([
      ['LeaseBound', address],
      ['LeaseBound', meanwhile?.address],
      ['LeaseExpired', address],
      ['LeaseBound', instead?.address],
      ['LeaseExpired', meanwhile?.address],
      ['LeaseBound', address],
    ]);
    expect(noted).toEqual([]);
  });
});
