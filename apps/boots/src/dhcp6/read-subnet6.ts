import { isObject, type JsonReader } from '@tinkerbell/domain';
import { type Advertisement, isInside, parsePrefix, type Subnet6 } from './subnet6';

const keys = {
  subnet: ['subnet', 'name', 'mode', 'range', 'leaseSeconds', 'nameServers', 'advertise'],
  advertise: ['managed', 'other', 'onLink', 'autonomous', 'routerSeconds'],
};
/** Addresses come from DHCPv6, hosts of the network reach each other, and the way out is somebody else's. */
const usual: Advertisement = { managed: true, other: true, onLink: true, autonomous: false, routerSeconds: 0 };
/** radvd's MaxRtrAdvInterval, below which RFC 4861 §6.2.1 allows no lifetime but 0; and its limit. */
const shortestRouter = 10;
const longestRouter = 9000;

/** Whether an entry of the file names an IPv6 network, or tries to. */
export function isIpv6Entry(item: unknown): boolean {
  return isObject(item) && typeof item['subnet'] === 'string' && item['subnet'].includes(':');
}

/** An IPv6 network of the file of subnets. What is wrong is told to the reader. */
export function readSubnet6(json: JsonReader, item: unknown, path: string): Subnet6 {
  const fields = json.object(item, path, keys.subnet);
  const text = json.text(fields['subnet'], `${path}.subnet`);
  const prefix = prefixAt(json, text, `${path}.subnet`);
  const nameServers = json.list(fields['nameServers'], `${path}.nameServers`, 16).flatMap((value, i) => {
    const at = `${path}.nameServers[${i}]`;
    const ip = json.ip(value, at);
    if (ip?.family === 4) json.fault(at, `${ip.address} is not an IPv6 address`);
    return ip ? [ip.address] : [];
  });
  const leaseSeconds = json.integer(fields['leaseSeconds'], `${path}.leaseSeconds`, 60, 0xffff_ffff);
  const range = rangeOf(json, fields, path, prefix);
  const advertise = advertisement(json, fields['advertise'], `${path}.advertise`, prefix.length);
  return {
    name: json.form(fields['name'], `${path}.name`, /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,62}$/, 'a name') || text,
    ...{ prefix: prefix.first, length: prefix.length },
    ...(range ? { range } : {}),
    ...(leaseSeconds === undefined ? {} : { leaseSeconds }),
    ...(nameServers.length > 0 ? { nameServers } : {}),
    ...(advertise ? { advertise } : {}),
  };
}

function prefixAt(json: JsonReader, text: string, path: string) {
  const prefix = parsePrefix(text);
  if (typeof prefix !== 'string') return prefix;
  json.fault(path, prefix);
  return { first: 0n, length: 0 };
}

function rangeOf(
  json: JsonReader,
  fields: Readonly<Record<string, unknown>>,
  path: string,
  subnet: { readonly first: bigint; readonly length: number },
): Subnet6['range'] {
  const mode = json.text(fields['mode'], `${path}.mode`) || 'pool';
  const text = json.text(fields['range'], `${path}.range`);
  if (mode !== 'pool' && mode !== 'reservation') {
    json.fault(`${path}.mode`, `must be pool or reservation, got ${JSON.stringify(mode)}`);
  } else if (mode === 'pool' && text === '') {
    json.fault(`${path}.range`, 'a subnet of mode pool needs one, such as 2001:db8:1::a000/116');
  } else if (mode === 'reservation' && text !== '') {
    json.fault(`${path}.range`, 'a subnet of mode reservation has none');
  }
  if (text === '') return undefined;
  const range = prefixAt(json, text, `${path}.range`);
  if (range.length < subnet.length || !isInside({ prefix: subnet.first, length: subnet.length }, range.first)) {
    json.fault(`${path}.range`, `${text} is not inside ${String(fields['subnet'])}`);
  }
  return { name: text, first: range.first, size: 1n << BigInt(128 - range.length) };
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
