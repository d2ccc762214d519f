import { parseIp, parseIpv6 } from '@tinkerbell/bytes';

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

/** One IPv6 network that we answer in. */
export interface Subnet6 {
  /** As in the settings: `2001:db8:1::/64`. */
  readonly name: string;
  readonly prefix: bigint;
  readonly length: number;
  /** Where machines without a reservation get their address; undefined: nowhere. */
  readonly range?: { readonly name: string; readonly first: bigint; readonly size: bigint };
  /** For machines without a record; undefined: as everywhere. */
  readonly leaseSeconds?: number;
  readonly nameServers?: readonly string[];
  /** undefined: nothing is advertised. */
  readonly advertise?: Advertisement;
}

export function addressValue(address: string): bigint {
  const groups = parseIpv6(address.replace(/%.*$/, '')) ?? [];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
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
    const subnet = { name, prefix: prefix.first, length: prefix.length };
    if (given === 'reservation') {
      subnets.push(subnet);
      continue;
    }
    const range = parsePrefix(given);
    if (typeof range === 'string') return `range of ${name}: ${range}`;
    if (range.length < prefix.length || !isInside(subnet, range.first))
      return `range of ${name}: ${given} is not inside`;
    const size = 1n << BigInt(128 - range.length);
    subnets.push({ ...subnet, range: { name: given, first: range.first, size } });
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

export function isInRange({ range }: Subnet6, address: string): boolean {
  if (!range) return false;
  const place = addressValue(address) - range.first;
  return place >= 0n && place < range.size;
}

/** The smallest subnet that any of these addresses of a link is in. */
export function subnetAt(addresses: readonly string[], subnets: readonly Subnet6[]): Subnet6 | undefined {
  return subnets
    .filter((subnet) => addresses.some((address) => isWithin6(subnet, address)))
    .sort((a, b) => b.length - a.length)[0];
}

const probes = 1024n;

/**
 * An address of the range for this client: where its name hashes to, or the next free one. The same client finds the same address
 * again without anybody having to look through the range.
 */
export function chooseAddress(
  { prefix, range }: Subnet6,
  client: string,
  isFree: (address: string) => boolean,
): string | undefined {
  if (!range) return undefined;
  const start = hash(client);
  for (let i = 0n; i < probes && i < range.size; i++) {
    const value = range.first + ((start + i) % range.size);
    // RFC 4291 §2.6.1: the first one of a network is every router's.
    if (value === prefix) continue;
    const address = addressText(value);
    if (isFree(address)) return address;
  }
  return undefined;
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
