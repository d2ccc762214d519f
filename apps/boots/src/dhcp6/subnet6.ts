import { ipv6Number, parseIp, parseIpv6 } from '@tinkerbell/bytes';
import type { Pool6 } from '@tinkerbell/domain';
import type { HardwareDhcp6Option } from '@tinkerbell/events';

/** What router advertisements say of a network (RFC 4861 §4.2, §4.6.2). */
export interface Advertisement {
  /** M: addresses come from DHCPv6. */
  readonly managed: boolean;
  /** O: so does everything else. */
  readonly other: boolean;
  /** L: hosts in the prefix reach each other without a router. */
  readonly onLink: boolean;
  /** A: hosts make addresses of their own in the prefix (RFC 4862). */
  readonly autonomous: boolean;
  /** How long this machine is a default router; 0: it is none. */
  readonly routerSeconds: number;
}

export interface Range6 {
  /** As in the settings. */
  readonly name: string;
  readonly first: bigint;
  readonly size: bigint;
}

/** Where machines without a reservation get their address. */
export interface SubnetPool6 {
  readonly name: string;
  readonly ranges: readonly Range6[];
  /** Only their clients; empty: everybody. */
  readonly classes: readonly string[];
}

/** One IPv6 network that we answer in. */
export interface Subnet6 {
  /** As in the settings: `2001:db8:1::/64`. */
  readonly name: string;
  readonly prefix: bigint;
  readonly length: number;
  /** Empty: machines have reservations only. */
  readonly pools: readonly SubnetPool6[];
  /** Networks with the same one are on one link. */
  readonly sharedNetwork?: string;
  /** For machines without a record; undefined: as everywhere. */
  readonly leaseSeconds?: number;
  readonly nameServers?: readonly string[];
  readonly domainSearch?: readonly string[];
  /** By address, multicast address or name. */
  readonly timeServers?: readonly string[];
  /** Any others, by number. */
  readonly options?: readonly HardwareDhcp6Option[];
  /** undefined: nothing is advertised. */
  readonly advertise?: Advertisement;
}

export function addressValue(address: string): bigint {
  return ipv6Number(address.replace(/%.*$/, '')) ?? 0n;
}

export function addressText(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  return parseIp(groups.join(':'))?.address ?? '::';
}

/** `2001:db8::/64` → its first address and length; a text says what is wrong with it. */
export function parsePrefix(text: string): { readonly first: bigint; readonly length: number } | string {
  const [address = '', length = '', more] = text.split('/');
  if (parseIpv6(address) === undefined || !/^\d{1,3}$/.test(length) || more !== undefined || Number(length) > 128) {
    return `${JSON.stringify(text)} is not a prefix such as 2001:db8:1::/64`;
  }
  const first = addressValue(address);
  if (first % (1n << BigInt(128 - Number(length))) !== 0n) return `${text} has bits beyond its length of ${length}`;
  return { first, length: Number(length) };
}

/** `2001:db8:1::/64=2001:db8:1::1000/116,2001:db8:2::/64=reservation`; a text says what is wrong, and where. */
export function parseSubnets6(text: string): readonly Subnet6[] | string {
  const subnets: Subnet6[] = [];
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue;
    const [name = '', given = '', more] = item.split('=');
    if (more !== undefined || given === '')
      return `${JSON.stringify(item)} is not <prefix>=<range> or <prefix>=reservation`;
    const prefix = parsePrefix(name);
    if (typeof prefix === 'string') return prefix;
    const subnet = { name, prefix: prefix.first, length: prefix.length, pools: [] };
    if (given === 'reservation') {
      subnets.push(subnet);
      continue;
    }
    const range = parseRange6(given);
    if (typeof range === 'string') return `range of ${name}: ${range}`;
    if (!isRangeInside(subnet, range)) return `range of ${name}: ${given} is not inside`;
    subnets.push({ ...subnet, pools: [{ name, ranges: [range], classes: [] }] });
  }
  const names = subnets.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  return twice === undefined ? subnets : `${twice} is given twice`;
}

export function isInside({ prefix, length }: Pick<Subnet6, 'prefix' | 'length'>, address: bigint): boolean {
  const bits = BigInt(128 - length);
  return address >> bits === prefix >> bits;
}

export function isWithin6(subnet: Subnet6, address: string): boolean {
  return isInside(subnet, addressValue(address));
}

/** `2001:db8:1::a000/116` or `2001:db8:1::100-2001:db8:1::1ff`; a text says what is wrong with it. */
export function parseRange6(text: string): Range6 | string {
  const ends = text.split('-').map((part) => part.trim());
  if (ends.length === 1) {
    const prefix = parsePrefix(text);
    return typeof prefix === 'string'
      ? prefix
      : { name: text, first: prefix.first, size: 1n << BigInt(128 - prefix.length) };
  }
  const [first = '', last = ''] = ends;
  if (ends.length > 2 || ends.some((end) => parseIpv6(end) === undefined)) {
    return `${JSON.stringify(text)} is not a range such as 2001:db8:1::100-2001:db8:1::1ff`;
  }
  const size = addressValue(last) - addressValue(first) + 1n;
  return size > 0n ? { name: text, first: addressValue(first), size } : `${first} comes after ${last}`;
}

export function isRangeInside(subnet: Pick<Subnet6, 'prefix' | 'length'>, { first, size }: Range6): boolean {
  return isInside(subnet, first) && isInside(subnet, first + size - 1n);
}

export function isInPools(pools: readonly SubnetPool6[], address: string): boolean {
  const value = addressValue(address);
  return pools.some(({ ranges }) => ranges.some(({ first, size }) => value >= first && value < first + size));
}

/** What leases are counted by. */
export function countedPools(subnets: readonly Subnet6[]): readonly Pool6[] {
  return subnets.flatMap(({ pools }) =>
    pools.map((pool) => ({ name: pool.name, has: (ip: string) => isInPools([pool], ip) })),
  );
}

export function sizeOf({ ranges }: SubnetPool6): bigint {
  return ranges.reduce((sum, { size }) => sum + size, 0n);
}

/** The smallest subnet that each of these addresses of a link is in; the smallest of all first. */
export function subnetsAt(addresses: readonly string[], subnets: readonly Subnet6[]): readonly Subnet6[] {
  const bySize = [...subnets].sort((a, b) => b.length - a.length);
  const own = addresses.map((address) => bySize.find((subnet) => isWithin6(subnet, address)));
  return bySize.filter((subnet) => own.includes(subnet));
}

/** Networks of the link that has these addresses: those that they are in, then those that share it with them. */
export function linkAt(addresses: readonly string[], subnets: readonly Subnet6[]): readonly Subnet6[] {
  const own = subnetsAt(addresses, subnets);
  const shares = ({ sharedNetwork }: Subnet6) =>
    sharedNetwork !== undefined && own.some((one) => one.sharedNetwork === sharedNetwork);
  return [...own, ...subnets.filter((subnet) => !own.includes(subnet) && shares(subnet))];
}

const probes = 1024n;

/**
 * An address of the first of these pools that has one left: where the client's name hashes to, or the next free one. The same client
 * finds the same address again without anybody having to look through the pool.
 */
export function chooseAddress(
  wire: readonly Pick<Subnet6, 'prefix'>[],
  pools: readonly SubnetPool6[],
  client: string,
  isFree: (address: string) => boolean,
): string | undefined {
  const start = hash(client);
  for (const pool of pools) {
    const size = sizeOf(pool);
    for (let i = 0n; i < probes && i < size; i++) {
      const value = valueAt(pool, (start + i) % size);
      // RFC 4291 §2.6.1: the first one of a network is every router's.
      if (wire.some(({ prefix }) => value === prefix)) continue;
      const address = addressText(value);
      if (isFree(address)) return address;
    }
  }
  return undefined;
}

/** The address at this place of all ranges, one behind the other. */
function valueAt({ ranges }: SubnetPool6, place: bigint): bigint {
  let left = place;
  for (const { first, size } of ranges) {
    if (left < size) return first + left;
    left -= size;
  }
  throw new RangeError(`no place ${place} in the pool`);
}

/** FNV-1a of 64 bits, mixed once more (SplitMix64): names that differ in their last byte only end up far apart. */
function hash(text: string): bigint {
  let value = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) {
    value = BigInt.asUintN(64, (value ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n);
  }
  value = BigInt.asUintN(64, (value ^ (value >> 30n)) * 0xbf58476d1ce4e5b9n);
  return value ^ (value >> 27n);
}
