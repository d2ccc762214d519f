import { isObject, type JsonReader, readDhcp6Options, readDomain, readTimeServer } from '@tinkerbell/domain';
import { readClassNames } from '../dhcp/client-class';
import {
  addressText,
  type Advertisement,
  isRangeInside,
  parsePrefix,
  parseRange6,
  type Range6,
  type Subnet6,
  type SubnetPool6,
} from './subnet6';

const nameForm = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,62}$/;
const keys = {
  subnet: [
    ...['subnet', 'name', 'mode', 'sharedNetwork', 'range', 'pools', 'leaseSeconds', 'advertise'],
    ...['nameServers', 'domainSearch', 'timeServers', 'options'],
  ],
  pool: ['name', 'ranges', 'classes'],
  advertise: ['managed', 'other', 'onLink', 'autonomous', 'routerSeconds'],
};
/** Options that have a key of their own. */
const shortForms = { nameServers: 23, domainSearch: 24, timeServers: 56 };
/** Addresses come from DHCPv6, hosts of the network reach each other, and the way out is somebody else's. */
const usual: Advertisement = { managed: true, other: true, onLink: true, autonomous: false, routerSeconds: 0 };
/** radvd's MaxRtrAdvInterval, below which RFC 4861 §6.2.1 allows no lifetime but 0; and its limit. */
const shortestRouter = 10;
const longestRouter = 9000;

/** Whether an entry of the file names an IPv6 network, or tries to. */
export function isIpv6Entry(item: unknown): boolean {
  return isObject(item) && typeof item['subnet'] === 'string' && item['subnet'].includes(':');
}

/** An IPv6 network of the file of subnets. What is wrong is told to the reader. `classes`: the names that there are. */
export function readSubnet6(
  json: JsonReader,
  item: unknown,
  path: string,
  classes: ReadonlySet<string> = new Set(),
): Subnet6 {
  const fields = json.object(item, path, keys.subnet);
  const text = json.text(fields['subnet'], `${path}.subnet`);
  const prefix = prefixAt(json, text, `${path}.subnet`);
  const leaseSeconds = json.integer(fields['leaseSeconds'], `${path}.leaseSeconds`, 60, 0xffff_ffff);
  const name = json.form(fields['name'], `${path}.name`, nameForm, 'a name') || text;
  const pools = poolsOf(json, fields, path, { name, prefix: prefix.first, length: prefix.length, classes });
  const sharedNetwork = json.form(fields['sharedNetwork'], `${path}.sharedNetwork`, nameForm, 'a name');
  const advertise = advertisement(json, fields['advertise'], `${path}.advertise`, prefix.length);
  return {
    ...{ name, prefix: prefix.first, length: prefix.length, pools },
    ...(sharedNetwork === '' ? {} : { sharedNetwork }),
    ...(leaseSeconds === undefined ? {} : { leaseSeconds }),
    ...informationOf(json, fields, path),
    ...(advertise ? { advertise } : {}),
  };
}

/** What its clients are told beside their address. */
function informationOf(
  json: JsonReader,
  fields: Readonly<Record<string, unknown>>,
  path: string,
): Pick<Subnet6, 'nameServers' | 'domainSearch' | 'timeServers' | 'options'> {
  const list = (key: keyof typeof shortForms, read: (json: JsonReader, value: unknown, at: string) => string) =>
    json.list(fields[key], `${path}.${key}`, 16).map((value, i) => read(json, value, `${path}.${key}[${i}]`));
  const lists = {
    nameServers: list('nameServers', readIpv6),
    domainSearch: list('domainSearch', readDomain),
    timeServers: list('timeServers', readTimeServer),
  };
  const options = readDhcp6Options(json, fields['options'], `${path}.options`);
  for (const [key, code] of Object.entries(shortForms)) {
    if (fields[key] !== undefined && options.some((one) => one.code === code)) {
      json.fault(`${path}.options`, `option ${code} is also ${key}`);
    }
  }
  const given = Object.entries({ ...lists, options }).filter(([, items]) => items.length > 0);
  return Object.fromEntries(given);
}

function readIpv6(json: JsonReader, value: unknown, path: string): string {
  const ip = json.ip(value, path);
  if (ip?.family === 4) json.fault(path, `${ip.address} is not an IPv6 address`);
  return ip?.address ?? '';
}

function prefixAt(json: JsonReader, text: string, path: string) {
  const prefix = parsePrefix(text);
  if (typeof prefix !== 'string') return prefix;
  json.fault(path, prefix);
  return { first: 0n, length: 0 };
}

type Around = Pick<Subnet6, 'name' | 'prefix' | 'length'> & { readonly classes: ReadonlySet<string> };

function poolsOf(
  json: JsonReader,
  fields: Readonly<Record<string, unknown>>,
  path: string,
  around: Around,
): readonly SubnetPool6[] {
  const mode = json.text(fields['mode'], `${path}.mode`) || 'pool';
  const range = json.text(fields['range'], `${path}.range`);
  const items = json.list(fields['pools'], `${path}.pools`, 1024);
  if (mode !== 'pool' && mode !== 'reservation') {
    json.fault(`${path}.mode`, `must be pool or reservation, got ${JSON.stringify(mode)}`);
  } else if (mode === 'pool' && range === '' && items.length === 0) {
    json.fault(`${path}.range`, 'a subnet of mode pool needs one, such as 2001:db8:1::a000/116, or pools');
  } else if (mode === 'reservation' && (range !== '' || items.length > 0)) {
    json.fault(`${path}.${range === '' ? 'pools' : 'range'}`, 'a subnet of mode reservation has none');
  } else if (range !== '' && items.length > 0) {
    json.fault(`${path}.range`, 'name it in pools: a subnet has one or the other');
  }
  if (range === '') return items.map((item, i) => poolOf(json, item, `${path}.pools[${i}]`, i, around));
  return [{ name: around.name, ranges: rangesAt(json, [range], () => `${path}.range`, around), classes: [] }];
}

function poolOf(json: JsonReader, item: unknown, path: string, index: number, around: Around): SubnetPool6 {
  const fields = json.object(item, path, keys.pool);
  const ranges = json.list(fields['ranges'], `${path}.ranges`, 4096);
  if (ranges.length === 0) json.fault(`${path}.ranges`, 'there is no address in it');
  const usual = index === 0 ? around.name : `${around.name}-${index + 1}`;
  return {
    name: json.form(fields['name'], `${path}.name`, nameForm, 'a name') || usual,
    ranges: rangesAt(json, ranges, (i) => `${path}.ranges[${i}]`, around),
    classes: readClassNames(json, fields['classes'], `${path}.classes`, around.classes),
  };
}

function rangesAt(
  json: JsonReader,
  items: readonly unknown[],
  at: (index: number) => string,
  around: Around,
): readonly Range6[] {
  return items.flatMap((item, i) => {
    const text = json.text(item, at(i));
    const range = parseRange6(text);
    if (typeof range === 'string') json.fault(at(i), range);
    else if (!isRangeInside(around, range)) json.fault(at(i), `${text} is not inside ${around.name}`);
    else return [range];
    return [];
  });
}

/** Of all IPv6 networks together: no address is in two pools. */
export function checkPools6(json: JsonReader, subnets: readonly Subnet6[]): void {
  const pools = subnets.flatMap((subnet) => subnet.pools);
  const all = pools
    .flatMap(({ name, ranges }) => ranges.map((range) => ({ name, range })))
    .sort((a, b) => (a.range.first < b.range.first ? -1 : 1));
  all.forEach(({ name, range }, i) => {
    const before = all[i - 1];
    if (before && before.range.first + before.range.size > range.first) {
      json.fault('subnets', `${addressText(range.first)} is in pool ${before.name} and in pool ${name}`);
    }
  });
}

function advertisement(json: JsonReader, value: unknown, path: string, length: number): Advertisement | undefined {
  if (value === undefined || value === null || value === false) return undefined;
  if (value === true) return usual;
  const fields = json.object(value, path, keys.advertise);
  const flag = (key: 'managed' | 'other' | 'onLink' | 'autonomous') =>
    fields[key] === undefined ? usual[key] : json.boolean(fields[key], `${path}.${key}`);
  const at = `${path}.routerSeconds`;
  const routerSeconds = json.integer(fields['routerSeconds'], at, 0, longestRouter) ?? usual.routerSeconds;
  if (routerSeconds > 0 && routerSeconds < shortestRouter) {
    json.fault(at, `must be 0, or ${shortestRouter} to ${longestRouter}, got ${routerSeconds}`);
  }
  const autonomous = flag('autonomous');
  if (autonomous && length !== 64) {
    json.fault(
      `${path}.autonomous`,
      `hosts make addresses of their own in a /64 only (RFC 4862 §5.5.3), not a /${length}`,
    );
  }
  return { managed: flag('managed'), other: flag('other'), onLink: flag('onLink'), autonomous, routerSeconds };
}
