import {
  clientArch,
  clientId,
  decodeMessage,
  type Dhcp6Message,
  dnsServers,
  encodeMessage,
  iaAddress,
  iaNa,
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
import { describe, expect, it } from 'vitest';
import type { Machine } from '../machines';
import type { Dhcp6Settings } from './decision6';
import { desk, from, settings, solicit } from './desk6.testing';
import type { Dhcp6Desk } from './dhcp6-desk';
import { machineAt } from './requests6.testing';
import { parseRange6, parseSubnets6, type Range6, type Subnet6 } from './subnet6';

const none = new Uint8Array();

describe('a client that declines one address after the other', () => {
  const serving = async () => {
    const pool = 'fd99::/64=fd99::a000/116';
    const { made, ...site } = await desk({ ...settings, subnets: parseSubnets6(pool) as readonly Subnet6[] });
    let transactionId = 0;
    const ask = async (message: Partial<Dhcp6Message>, peer = from.peer) => {
      const reply = await made.answer(encodeMessage({ ...solicit, transactionId: ++transactionId, ...message }), {
        ...from,
        peer,
      });
      return reply && (decodeMessage(reply.bytes) as Dhcp6Message).options;
    };
    const rapid = { options: [...solicit.options, option(rapidCommit, true)] };
    const decline = async (peer = from.peer) => {
      const options = (await ask(rapid, peer)) ?? [];
      expect(readOption(readOption(options, iaNa)?.options ?? [], iaAddress)).toBeDefined();
      await ask({ type: 'decline', options }, peer);
    };
    return { ...site, ask, rapid, decline };
  };

  it('gets no fifth one until the first is ten minutes ago', async () => {
    const { ask, rapid, decline, noted, clock } = await serving();
    for (let i = 0; i < 4; i++) await decline();
    expect(await ask(rapid)).toBeUndefined();
    expect(noted).toMatchObject([{ reason: 'declined-too-often', mac: '52-54-00-99-00-01' }]);
    clock.ms += 600_000;
    expect(await ask(rapid)).toBeDefined();
  });
  it('keeps nobody else off', async () => {
    const { ask, rapid, decline } = await serving();
    for (let i = 0; i < 4; i++) await decline();
    expect(await ask(rapid, 'fe80::5054:ff:fe99:2%br0')).toBeDefined();
  });
  it('is known by its DUID where its MAC is not', async () => {
    const { ask, rapid, decline, noted } = await serving();
    for (let i = 0; i < 4; i++) await decline('fe80::1%br0');
    expect(await ask(rapid, 'fe80::1%br0')).toBeUndefined();
    expect(noted).toMatchObject([{ reason: 'declined-too-often' }]);
  });
  it('goes on with the one that it has', async () => {
    const { ask, rapid, decline, leases } = await serving();
    const second = [solicit.options[0] as Option, option(iaNa, { iaid: 2, t1: 0, t2: 0, options: [] })];
    await ask({ options: [...second, option(rapidCommit, true)] });
    for (let i = 0; i < 4; i++) await decline();
    const toUs = option(serverId, new Uint8Array(Buffer.from(leases.serverDuid, 'hex')));
    const options = (await ask({ type: 'renew', options: [...second, toUs] })) ?? [];
    expect(readOption(readOption(options, iaNa)?.options ?? [], iaAddress)?.validSeconds).toBe(60);
    expect(await ask(rapid)).toBeUndefined();
  });
});

it.each([
  ['ours on that link', encodeMessage(solicit), { ...from, link: ['fe80::1', 'fd99::2'] }],
  [
    'the relay’s',
    encodeMessage({
      ...{ type: 'relay-forward', hops: 0, link: 'fd99::2', peer: 'fe80::5054:ff:fe99:1' },
      options: [option(relayMessage, encodeMessage(solicit))],
    }),
    { peer: 'fd99::2', link: [] },
  ],
])('a pool gives out no address that is %s', async (_, message, arrival) => {
  const ask = async (range: string) => {
    const { made } = await desk({ ...settings, subnets: parseSubnets6(`fd99::/64=${range}`) as readonly Subnet6[] });
    return made.answer(message, arrival);
  };
  expect(await ask('fd99::2/128')).toBeUndefined();
  expect(await ask('fd99::3/128')).toBeDefined();
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
    const told = decodeMessage(reply?.bytes ?? none).options;
    const [given] = readOptions(readOption(told, iaNa)?.options ?? [], iaAddress);
    return given?.address ?? readOption(told, statusCode)?.code;
  };

  it.each(['fd98::20', 'fd99::20'])('has reservations in both: %s', async (address) =>
    expect(await ask(machineAt(address), 'solicit')).toBe(address),
  );
  it('has them behind a relay too, where the networks are shared', async () => {
    const { made } = await desk(
      { ...server, subnets: server.subnets.map((subnet) => ({ ...subnet, sharedNetwork: 'rack' })) },
      machineAt('fd98::20'),
    );
    const relayed = (message: Dhcp6Message) =>
      encodeMessage({
        ...{ type: 'relay-forward', hops: 0, link: 'fd99::2', peer: 'fe80::5054:ff:fe99:1' },
        options: [option(relayMessage, encodeMessage(message))],
      });
    const reply = decodeMessage((await made.answer(relayed(solicit), { peer: 'fd99::2', link: [] }))?.bytes ?? none);
    const { options } = decodeMessage(readOption(reply.options, relayMessage) ?? none);
    expect(readOption(readOption(options, iaNa)?.options ?? [], iaAddress)?.address).toBe('fd98::20');
  });
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
    const { options } = decodeMessage(reply?.bytes ?? none);
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
  it('tells a client what the network of its address says', async () => {
    const full = both(pool('a', 'fd98::10/128', []), pool('b', 'fd99::10/128', []));
    const { made } = await desk({
      ...full,
      subnets: full.subnets.map((subnet) => ({
        ...{ ...subnet, nameServers: [subnet.name.replace('/64', '53')] },
        options: [{ code: 65001, type: 'text', value: subnet.name }],
      })),
    });
    const told = async (client: number) => {
      const { options, ...message } = rapid(client);
      const asked = encodeMessage({ ...solicit, ...message, options: [...options, option(optionRequest, [23])] });
      const reply = decodeMessage((await made.answer(asked, { ...from, link }))?.bytes ?? none);
      const set = reply.options.find(({ code }) => code === 65001)?.value;
      return [...(readOption(reply.options, dnsServers) ?? []), Buffer.from(set ?? none).toString()];
    };
    expect(await told(1)).toEqual(['fd98::53', 'fd98::/64']);
    expect(await told(2)).toEqual(['fd99::53', 'fd99::/64']);
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
