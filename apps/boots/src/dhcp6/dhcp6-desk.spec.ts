import {
  clientArch,
  clientId,
  decodeMessage,
  type Dhcp6Message,
  dnsServers,
  encodeMessage,
  iaAddress,
  iaNa,
  interfaceId,
  isRelayed,
  option,
  type Option,
  optionRequest,
  rapidCommit,
  readOption,
  readOptions,
  relayMessage,
  serverId,
  status,
  statusCode,
  userClass,
  vendorClass,
} from '@tinkerbell/dhcp6';
import { InMemoryEventStore } from '@tinkerbell/event-store';
import { describe, expect, it } from 'vitest';
import type { BootLog } from '../log/boot-log';
import { Lease6Pool } from '../log/lease6-pool';
import { silentLogger } from '../logger';
import type { Machine, Machines } from '../machines';
import { Metrics } from '../metrics';
import type { FailedRequest } from '../recorder/failed-requests';
import type { Dhcp6Settings } from './decision6';
import { Dhcp6Desk } from './dhcp6-desk';
import { machineAt } from './requests6.testing';
import { Overheard } from '../overheard';
import { parseRange6, parseSubnets6, type Range6, type Subnet6 } from './subnet6';

const settings: Dhcp6Settings = {
  ...{ address: 'fd99::1', nameServers: [], leaseSeconds: 60, preference: 0, quarantineSeconds: 60, ticketSeconds: 0 },
  urls: { tftp: '[fd99::1]', http: 'http://[fd99::1]', macFormat: 'colon', binaries: {} },
  subnets: parseSubnets6('fd99::/64=reservation') as readonly Subnet6[],
  classes: [],
};
const solicit: Dhcp6Message = {
  ...{ type: 'solicit', transactionId: 1 },
  options: [
    option(clientId, new Uint8Array([0, 4, ...Array.from({ length: 16 }, () => 7)])),
    option(iaNa, { iaid: 1, t1: 0, t2: 0, options: [] }),
  ],
};
const from = { peer: 'fe80::5054:ff:fe99:1%br0', link: ['fd99::1'] };

async function desk(server = settings, machine?: Machine) {
  const noted: FailedRequest[] = [];
  const clock = { ms: Date.now() };
  const leases = await Lease6Pool.open(new InMemoryEventStore(), 'default', { pools: [], post: undefined });
  const ports = {
    ...{ leases, metrics: new Metrics(), log: silentLogger, clock: () => new Date(clock.ms) },
    machines: {
      byMac: () => machine,
      byReservedAddress: () => undefined,
      netboot: () => ({ allowed: true }),
    } as unknown as Machines,
    boots: { programOf: () => '' } as unknown as BootLog,
    failed: { note: (request: FailedRequest) => void noted.push(request) },
    overheard: new Overheard(() => new Date(clock.ms)),
  };
  const { metrics, overheard } = ports;
  return { noted, clock, leases, metrics, overheard, made: new Dhcp6Desk(ports, server) };
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

describe('an address that its machine gives back', () => {
  it('is known as one that it may go on with, as OVMF does', async () => {
    const { made, overheard } = await desk({
      ...settings,
      subnets: parseSubnets6('fd99::/64=fd99::a000/116') as readonly Subnet6[],
    });
    const ask = async (message: Partial<Dhcp6Message>) => {
      const reply = await made.answer(encodeMessage({ ...solicit, ...message }), from);
      return decodeMessage(reply?.bytes ?? new Uint8Array()) as Dhcp6Message;
    };
    const { options } = await ask({ options: [...solicit.options, option(rapidCommit, true)] });
    const address = readOption(readOption(options, iaNa)?.options ?? [], iaAddress)?.address;
    expect([address, overheard.isUnleased(address ?? '')]).toEqual([expect.stringMatching(/^fd99::a/), false]);
    await ask({ type: 'release', transactionId: 2, options });
    expect(overheard.isUnleased(address ?? '')).toBe(true);
  });
});

describe('a message that is made to cost much', () => {
  const pooled = {
    ...{ ...settings, nameServers: ['fd99::53'] },
    subnets: parseSubnets6('fd99::/64=fd99::a000/116') as readonly Subnet6[],
  };
  const ask = async (...options: readonly Option[]) => {
    const { noted, made } = await desk(pooled);
    const id = solicit.options.slice(0, 1);
    const sent = await made.answer(encodeMessage({ ...solicit, options: [...id, ...options] }), from);
    const reply = sent && decodeMessage(sent.bytes);
    return { reasons: noted.map(({ reason }) => reason), codes: reply?.options.map(({ code }) => code) ?? [] };
  };
  const associations = (length: number) =>
    Array.from({ length }, (_, iaid) => option(iaNa, { iaid, t1: 0, t2: 0, options: [] }));

  it('is sent what it asks for once, however often it asks', async () => {
    const many = Array.from({ length: 5000 }, () => dnsServers.code);
    const { codes } = await ask(...associations(1), option(optionRequest, many));
    expect(codes.filter((code) => code === dnsServers.code)).toHaveLength(1);
  });
  it('does not get hundreds of leases', async () => {
    const { codes } = await ask(...associations(16));
    expect(codes.filter((code) => code === iaNa.code)).toHaveLength(16);
    expect(await ask(...associations(17))).toEqual({ reasons: ['associations'], codes: [] });
  });
});

describe('answers that are kept for a client that repeats itself', () => {
  it('take 16 MiB at most, whatever relays add to them', async () => {
    const { made, metrics } = await desk({
      ...settings,
      subnets: parseSubnets6('fd99::/64=fd99::a000/116') as readonly Subnet6[],
    });
    const padding = new Uint8Array(60_000);
    const asked = (number: number) =>
      encodeMessage({
        ...{ type: 'relay-forward', hops: 0, link: 'fd99::1', peer: 'fe80::1' },
        options: [
          option(interfaceId, padding),
          option(relayMessage, encodeMessage({ ...solicit, transactionId: number })),
        ],
      });
    const taken = () => metrics.total('dhcp6_requests_total');
    for (let number = 0; number < 500; number++) expect(await made.answer(asked(number), from)).toBeDefined();
    expect(taken()).toBe(500);
    await made.answer(asked(499), from);
    await made.answer(asked(300), from);
    expect(taken()).toBe(500);
    // 500 of them would be 30 MB.
    await made.answer(asked(0), from);
    expect(taken()).toBe(501);
  });
});

describe('a Reply that is asked for once more', () => {
  const serving = async () => {
    // One address: whoever asks has it, or nobody.
    const one = { ...settings, leaseSeconds: 5, subnets: parseSubnets6('fd99::/64=fd99::a0/128') as readonly Subnet6[] };
    const { made, clock, leases } = await desk(one);
    const ask = async (message: Partial<Dhcp6Message>) => {
      const reply = await made.answer(encodeMessage({ ...solicit, ...message }), from);
      return reply && (decodeMessage(reply.bytes) as Dhcp6Message);
    };
    const request = { options: [...solicit.options, option(rapidCommit, true)] };
    const first = await ask(request);
    const now = () => new Date(clock.ms).toISOString();
    return { ask, clock, leases, now, request, first, renewals: () => leases.holderOf('fd99::a0', now())?.expiresAt };
  };
  type Serving = Awaited<ReturnType<typeof serving>>;
  const addressesIn = (message: Dhcp6Message | undefined) =>
    readOptions(message?.options ?? [], iaNa).flatMap(({ options }) =>
      readOptions(options, iaAddress).map(({ address }) => address),
    );
  const other = [option(clientId, new Uint8Array([0, 4, ...Array.from({ length: 16 }, () => 8)]))];
  const endIt = ({ leases, now }: Serving) =>
    leases.submit([{ type: 'EndAddress', ip: 'fd99::a0', seen: undefined, now: now() }]);
  const giveToAnother = async (site: Serving) => {
    await endIt(site);
    const options = [...other, ...site.request.options.slice(1)];
    expect(addressesIn(await site.ask({ options, transactionId: 9 }))).toEqual(['fd99::a0']);
  };

  it('is the same, and no second fact, while the lease runs', async () => {
    const { ask, clock, request, first, renewals } = await serving();
    const before = renewals();
    clock.ms += 1000;
    expect(addressesIn(first)).toEqual(['fd99::a0']);
    expect(await ask(request)).toEqual(first);
    expect(renewals()).toBe(before);
  });
  it.each([
    ['was declined', ({ ask, first }: Serving) => ask({ type: 'decline', transactionId: 2, options: first?.options ?? [] })],
    ['is another’s', giveToAnother],
  ])('promises no address that %s', async (_, happen) => {
    const site = await serving();
    await happen(site);
    expect(addressesIn(await site.ask(site.request))).toEqual([]);
  });
  it.each([
    ['was released', ({ ask, first }: Serving) => ask({ type: 'release', transactionId: 2, options: first?.options ?? [] })],
    ['was ended by an operator', endIt],
    ['ran out', ({ clock }: Serving) => void (clock.ms += 6000)],
  ])('leases an address anew that %s', async (_, happen) => {
    const site = await serving();
    await happen(site);
    expect(site.leases.holderOf('fd99::a0', site.now())).toBeUndefined();
    expect(addressesIn(await site.ask(site.request))).toEqual(['fd99::a0']);
    expect(site.leases.holderOf('fd99::a0', site.now())).toBeDefined();
  });
});

describe('a link with two networks', () => {
  const two = 'fd98::/64=reservation,fd99::/64=fd99::a000/116,fd97::/64=fd97::a000/116';
  const server = { ...settings, subnets: parseSubnets6(two) as readonly Subnet6[] };
  const link = ['fe80::1', 'fd98::1', 'fd99::1'];
  const ask = async (machine: Machine | undefined, type: Dhcp6Message['type'], address?: string) => {
    const { made } = await desk(server, machine);
    const times = { preferredSeconds: 0, validSeconds: 0, options: [] };
    const options = address === undefined ? [] : [option(iaAddress, { address, ...times })];
    const asked = [...solicit.options.slice(0, 1), option(iaNa, { iaid: 1, t1: 0, t2: 0, options })];
    const reply = await made.answer(encodeMessage({ ...solicit, type, options: asked }), { ...from, link });
    const told = decodeMessage(reply?.bytes ?? new Uint8Array()).options;
    const [given] = readOptions(readOption(told, iaNa)?.options ?? [], iaAddress);
    return given?.address ?? readOption(told, statusCode)?.code;
  };

  it.each(['fd98::20', 'fd99::20'])('has reservations in both: %s', async (address) =>
    expect(await ask(machineAt(address), 'solicit')).toBe(address),
  );
  it('has machines without a record where there is a range', async () =>
    expect(await ask(undefined, 'solicit')).toMatch(/^fd99::a/));
  it.each([
    ['fd98::20', status.success],
    ['fd99::20', status.success],
    ['fd97::20', status.notOnLink],
  ])('is confirmed for %s: %i', async (address, code) => expect(await ask(undefined, 'confirm', address)).toBe(code));
});

describe('a link with two networks that have pools', () => {
  const pool = (name: string, range: string, classes: readonly string[]) => ({
    ...{ name, classes, ranges: [parseRange6(range) as Range6] },
  });
  const [a, b] = parseSubnets6('fd98::/64=reservation,fd99::/64=reservation') as readonly [Subnet6, Subnet6];
  const classes = [
    { ...{ arch: [7], vendorClass: [], userClass: [], oui: [], options: [], options6: [] }, name: 'uefi' },
  ];
  const both = (first: Subnet6['pools'][number], second: Subnet6['pools'][number]): Dhcp6Settings => ({
    ...{ ...settings, classes },
    subnets: [
      { ...a, leaseSeconds: 600, pools: [first] },
      { ...b, leaseSeconds: 1200, pools: [second] },
    ],
  });
  const everybody = both(pool('a', 'fd98::10-fd98::1f', []), pool('b', 'fd99::10-fd99::1f', []));
  const link = ['fd98::1', 'fd99::1'];
  const given = async (made: Dhcp6Desk, message: Partial<Dhcp6Message>) => {
    const reply = await made.answer(encodeMessage({ ...solicit, ...message }), { ...from, link });
    const { options } = decodeMessage(reply?.bytes ?? new Uint8Array());
    return readOptions(options, iaNa).flatMap((association) =>
      readOptions(association.options, iaAddress).map(({ address, validSeconds }) => [address, validSeconds]),
    );
  };
  const rapid = (client: number) => ({
    transactionId: client,
    options: [
      option(clientId, new Uint8Array([0, 4, ...Array.from({ length: 16 }, () => client)])),
      ...[...solicit.options.slice(1), option(rapidCommit, true)],
    ],
  });

  it('has a client in that whose pool is for it', async () => {
    const { made } = await desk(both(pool('a', 'fd98::10-fd98::1f', ['uefi']), pool('b', 'fd99::10-fd99::1f', [])));
    expect(await given(made, {})).toEqual([[expect.stringMatching(/^fd99::1/), 1200]]);
    const firmware = { transactionId: 2, options: [...solicit.options, option(clientArch, [7])] };
    expect(await given(made, firmware)).toEqual([[expect.stringMatching(/^fd98::1/), 600]]);
  });
  it('has a client in the second when the first has no address left', async () => {
    const { made, leases } = await desk(both(pool('a', 'fd98::10/128', []), pool('b', 'fd99::10/128', [])));
    expect(await given(made, rapid(1))).toEqual([['fd98::10', 600]]);
    expect(await given(made, rapid(2))).toEqual([['fd99::10', 1200]]);
    expect(leases.holderOf('fd99::10', new Date().toISOString())?.subnet).toBe('fd99::/64');
  });
  it('leaves a client the address that it has when a pool before that comes', async () => {
    const { made, leases } = await desk({ ...everybody, subnets: everybody.subnets.slice(1) });
    const [[address] = []] = await given(made, rapid(1));
    made.change(everybody);
    const toUs = option(serverId, new Uint8Array(Buffer.from(leases.serverDuid, 'hex')));
    const renew = { type: 'renew', transactionId: 2, options: [...rapid(1).options.slice(0, 2), toUs] } as const;
    expect(address).toMatch(/^fd99::1/);
    expect(await given(made, renew)).toEqual([[address, 1200]]);
  });
});

describe('pools for classes by DHCPv6', () => {
  const pool = (name: string, range: string, classes: readonly string[]) => ({
    ...{ name, classes, ranges: [parseRange6(range) as Range6] },
  });
  const nobody = { arch: [], vendorClass: [], userClass: [], oui: [], options: [], options6: [] };
  const classes = [
    { ...nobody, name: 'uefi', arch: [7, 16] },
    { ...nobody, name: 'http', vendorClass: ['HTTPClient'] },
    { ...nobody, name: 'ipxe', userClass: ['iPXE'] },
    { ...nobody, name: 'cards', oui: ['52-54-00'] },
  ];
  const only = (name: string): Dhcp6Settings => ({
    ...settings,
    classes,
    subnets: settings.subnets.map((subnet) => ({
      ...subnet,
      pools: [pool('some', 'fd99::10-fd99::1f', [name]), pool('all', 'fd99::20-fd99::2f', [])],
    })),
  });
  const offered = async (server: Dhcp6Settings, ...more: readonly Option[]) => {
    const { made } = await desk(server);
    const sent = await made.answer(encodeMessage({ ...solicit, options: [...solicit.options, ...more] }), from);
    const reply = sent && decodeMessage(sent.bytes);
    if (!reply || isRelayed(reply)) throw new Error('no reply');
    const [address] = readOptions(reply.options, iaNa).flatMap(({ options }) => readOptions(options, iaAddress));
    return address?.address.replace(/.$/, '');
  };

  it.each([
    ['uefi', option(clientArch, [16])],
    ['http', option(vendorClass, { enterprise: 343, classes: ['HTTPClient:Arch:00016'] })],
    ['ipxe', option(userClass, ['x', 'iPXE'])],
  ])('are for clients that say so: %s', async (name, said) => {
    expect(await offered(only(name), said)).toBe('fd99::1');
    expect(await offered(only(name))).toBe('fd99::2');
  });
  it('tell their clients what they set by number, before what the subnet sets', async () => {
    const { made } = await desk({
      ...settings,
      classes: [
        { ...nobody, name: 'cards', oui: ['52-54-00'], options6: [{ code: 65001, type: 'text', value: 'class' }] },
        { ...nobody, name: 'others', oui: ['52-54-01'], options6: [{ code: 65003, type: 'text', value: 'no' }] },
      ],
      subnets: settings.subnets.map((subnet) => ({
        ...subnet,
        pools: [pool('all', 'fd99::20-fd99::2f', [])],
        options: [65001, 65002].map((code) => ({ code, type: 'text', value: 'subnet' })),
      })),
    });
    const reply = decodeMessage((await made.answer(encodeMessage(solicit), from))?.bytes ?? new Uint8Array());
    const own = reply.options.filter(({ code }) => code > 65000);
    expect(own.map(({ code, value }) => `${code} ${Buffer.from(value).toString()}`)).toEqual([
      '65001 class',
      '65002 subnet',
    ]);
  });
  it('are for clients whose MAC says so', async () => expect(await offered(only('cards'))).toBe('fd99::1'));
});
