import type { JsonReader } from '@tinkerbell/domain';
import { clientArch, type DhcpPacket, readOption, userClass, vendorClass } from '@tinkerbell/dhcp';
import type { HardwareDhcp6Option, HardwareDhcpOption } from '@tinkerbell/events';

/** Clients that have something in common: all that is not empty has to fit, one of each list. */
export interface ClientClass {
  readonly name: string;
  /** Option 93 (RFC 4578 §2.1), 61 of DHCPv6. */
  readonly arch: readonly number[];
  /** How option 60 begins, or one of 16 of DHCPv6. */
  readonly vendorClass: readonly string[];
  /** One of those in option 77, 15 of DHCPv6. */
  readonly userClass: readonly string[];
  /** How the MAC begins, `52-54-00`. */
  readonly oui: readonly string[];
  /** Its clients get these too, by IPv4. */
  readonly options: readonly HardwareDhcpOption[];
  /** By IPv6. */
  readonly options6: readonly HardwareDhcp6Option[];
}

/** What a client says of itself. */
export interface ClientTraits {
  readonly archs: readonly number[];
  readonly vendors: readonly string[];
  readonly users: readonly string[];
  /** '' for one that nothing gives away. */
  readonly mac: string;
}

export function classesOf(
  { options }: DhcpPacket,
  mac: string,
  classes: readonly ClientClass[],
): readonly ClientClass[] {
  if (classes.length === 0) return [];
  const traits = {
    archs: readOption(options, clientArch) ?? [],
    vendors: [readOption(options, vendorClass) ?? ''],
    users: readOption(options, userClass)?.classes ?? [],
    mac,
  };
  return fittingClasses(traits, classes);
}

export function fittingClasses(
  { archs, vendors, users, mac }: ClientTraits,
  classes: readonly ClientClass[],
): readonly ClientClass[] {
  const fits = <T>(wanted: readonly T[], matches: (one: T) => boolean) => wanted.length === 0 || wanted.some(matches);
  return classes.filter(
    (one) =>
      fits(one.arch, (arch) => archs.includes(arch)) &&
      fits(one.vendorClass, (start) => vendors.some((vendor) => vendor.startsWith(start))) &&
      fits(one.userClass, (user) => users.includes(user)) &&
      fits(one.oui, (start) => mac.startsWith(start)),
  );
}

/** A pool with classes is for their clients only, one without for everybody. */
export function openTo<P extends { readonly classes: readonly string[] }>(
  pools: readonly P[],
  classes: readonly ClientClass[],
): readonly P[] {
  const names = new Set(classes.map(({ name }) => name));
  return pools.filter((pool) => pool.classes.length === 0 || pool.classes.some((name) => names.has(name)));
}

/** The classes that a pool is for, by name. */
export function readClassNames(
  json: JsonReader,
  value: unknown,
  path: string,
  known: ReadonlySet<string>,
): readonly string[] {
  return json.list(value, path, 256).map((item, i) => {
    const name = json.text(item, `${path}[${i}]`);
    if (!known.has(name)) json.fault(`${path}[${i}]`, `there is no class ${JSON.stringify(name)}`);
    return name;
  });
}
