import { describe, expect, it } from 'vitest';
import {
  addressText,
  addressValue,
  chooseAddress,
  isInPools,
  isWithin6,
  linkAt,
  parseRange6,
  parseSubnets6,
  subnetsAt,
  type Subnet6,
} from './subnet6';

const subnets = (text: string): readonly Subnet6[] => {
  const parsed = parseSubnets6(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
};
const one = (text: string): Subnet6 => {
  const [subnet] = subnets(text);
  if (!subnet) throw new Error('none');
  return subnet;
};

describe('networks of DHCPv6', () => {
  it('are read from the settings', () => {
    const [range, reserved] = subnets('fd99::/64=fd99::a000/116, fd98::/64=reservation');
    expect(range).toMatchObject({
      name: 'fd99::/64',
      length: 64,
      pools: [{ name: 'fd99::/64', ranges: [{ name: 'fd99::a000/116', size: 4096n }], classes: [] }],
    });
    expect(reserved).toMatchObject({ name: 'fd98::/64' });
    expect(reserved?.pools).toEqual([]);
    expect(subnets('')).toEqual([]);
  });
  it.each([
    ['fd99::/64', '"fd99::/64" is not <prefix>=<range> or <prefix>=reservation'],
    ['fd99::/64=a=b', 'is not <prefix>=<range>'],
    ['10.0.0.0/8=reservation', '"10.0.0.0/8" is not a prefix such as'],
    ['fd99::/129=reservation', 'is not a prefix such as'],
    ['fd99::1/64=reservation', 'fd99::1/64 has bits beyond its length of 64'],
    ['fd99::/64=proxy', 'range of fd99::/64: "proxy" is not a prefix'],
    ['fd99::/64=fd98::/112', 'range of fd99::/64: fd98::/112 is not inside'],
    ['fd99::/64=fd00::/8', 'range of fd99::/64: fd00::/8 is not inside'],
    ['fd99::/64=reservation,fd99::/64=reservation', 'fd99::/64 is given twice'],
  ])('%s: %s', (text, fault) => expect(parseSubnets6(text)).toContain(fault));
  it('are found by an address of the link, the smallest first', () => {
    const all = subnets('fd00::/8=reservation,fd99::/64=reservation');
    const names = (...addresses: readonly string[]) => subnetsAt(addresses, all).map(({ name }) => name);
    expect(names('fe80::1%br0', '10.0.0.1', 'fd99::1')).toEqual(['fd99::/64']);
    expect(names('fd98::1')).toEqual(['fd00::/8']);
    expect(names('fd98::1', 'fd99::1', 'fd99::2')).toEqual(['fd99::/64', 'fd00::/8']);
    expect(names('2001:db8::1')).toEqual([]);
  });
  it('write addresses as they read them', () => {
    for (const text of ['::', 'fd99::1', '2001:db8:0:1:1:1:1:1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']) {
      expect(addressText(addressValue(text))).toBe(text);
    }
    expect(isWithin6(one('fd99::/64=reservation'), 'fd99:0:0:1::')).toBe(false);
  });
});

describe('a link', () => {
  const shared = subnets('fd97::/64=reservation,fd98::/64=reservation,fd99::/64=reservation').map((subnet) =>
    subnet.name === 'fd99::/64' ? subnet : { ...subnet, sharedNetwork: 'rack' },
  );
  const namesAt = (...addresses: readonly string[]) => linkAt(addresses, shared).map(({ name }) => name);

  it('has the networks that share it, that of the address first', () => {
    expect(namesAt('fd97::1')).toEqual(['fd97::/64', 'fd98::/64']);
    expect(namesAt('fd98::1')).toEqual(['fd98::/64', 'fd97::/64']);
  });
  it('has no others', () => {
    expect(namesAt('fd99::1')).toEqual(['fd99::/64']);
    expect(namesAt('fd96::1')).toEqual([]);
  });
});

describe('an address of a range', () => {
  const choose = (from: Subnet6, client: string, isFree: (address: string) => boolean) =>
    chooseAddress([from], from.pools, client, isFree);
  const subnet = one('fd99::/64=fd99::a000/116');
  const free = () => true;

  it('is the same for the same client, and of the range', () => {
    const address = choose(subnet, '0004aa:00000001', free);
    expect(address).toBe(choose(subnet, '0004aa:00000001', free));
    expect(isInPools(subnet.pools, address ?? '')).toBe(true);
    expect(isInPools(subnet.pools, 'fd99::b000')).toBe(false);
  });
  it('is another for most others', () => {
    const chosen = new Set(Array.from({ length: 256 }, (_, i) => choose(subnet, `0004aa:${i}`, free)));
    expect(chosen.size).toBeGreaterThan(220);
  });
  it('is the next one when that is taken, round the end of the range, until none is left', () => {
    const small = one('fd99::/64=fd99::a0/126');
    const taken = new Set<string>();
    for (let i = 0; i < 4; i++) taken.add(choose(small, 'x', (address) => !taken.has(address)) ?? 'none');
    expect([...taken].sort()).toEqual(['fd99::a0', 'fd99::a1', 'fd99::a2', 'fd99::a3']);
    expect(choose(small, 'x', (address) => !taken.has(address))).toBeUndefined();
  });
  it('is never the one of all routers', () => expect(choose(one('fd99::/64=fd99::/127'), 'x', free)).toBe('fd99::1'));
  it('is one of several ranges, and of the next pool when a pool is full', () => {
    const range = (text: string) => {
      const read = parseRange6(text);
      if (typeof read === 'string') throw new Error(read);
      return read;
    };
    const pools = [
      { name: 'first', ranges: [range('fd99::10-fd99::11'), range('fd99::a0/127')], classes: [] },
      { name: 'second', ranges: [range('fd99::f0/128')], classes: [] },
    ];
    const taken: string[] = [];
    for (let i = 0; i < 5; i++) {
      taken.push(chooseAddress([subnet], pools, 'x', (address) => !taken.includes(address)) ?? 'none');
    }
    expect(taken.slice(0, 4).sort()).toEqual(['fd99::10', 'fd99::11', 'fd99::a0', 'fd99::a1']);
    expect(taken[4]).toBe('fd99::f0');
    expect(isInPools(pools, 'fd99::11')).toBe(true);
    expect(isInPools(pools, 'fd99::12')).toBe(false);
  });
  it('is none without a range', () => expect(choose(one('fd99::/64=reservation'), 'x', free)).toBeUndefined());
});
