import {
  clientId,
  decodeMessage,
  type Dhcp6Message,
  dnsServers,
  encodeMessage,
  iaAddress,
  iaNa,
  interfaceId,
  option,
  type Option,
  optionRequest,
  rapidCommit,
  readOption,
  readOptions,
  relayMessage,
} from '@tinkerbell/dhcp6';
import { describe, expect, it } from 'vitest';
import { desk, from, settings, solicit } from './desk6.testing';
import { parseSubnets6, type Subnet6 } from './subnet6';

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
    const one = {
      ...settings,
      leaseSeconds: 5,
      subnets: parseSubnets6('fd99::/64=fd99::a0/128') as readonly Subnet6[],
    };
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
    [
      'was declined',
      ({ ask, first }: Serving) => ask({ type: 'decline', transactionId: 2, options: first?.options ?? [] }),
    ],
    ['is another’s', giveToAnother],
  ])('promises no address that %s', async (_, happen) => {
    const site = await serving();
    await happen(site);
    expect(addressesIn(await site.ask(site.request))).toEqual([]);
  });
  it.each([
    [
      'was released',
      ({ ask, first }: Serving) => ask({ type: 'release', transactionId: 2, options: first?.options ?? [] }),
    ],
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
