import type { HardwareDhcpOption } from '@tinkerbell/events';
import { parseIpv4 } from '@tinkerbell/bytes';
import { isObject, type JsonReader, kindOf } from '../json-reader';

type Kind = HardwareDhcpOption['type'];
type Read = (reader: JsonReader, value: unknown, path: string) => HardwareDhcpOption['value'];

const domain = /^(?=.{1,253}\.?$)[a-z0-9_](?:[a-z0-9_-]{0,62}(?<!-))?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}(?<!-))?)*\.?$/i;
/** Bytes, of all parts (RFC 3396): more would crowd out what every machine needs. */
const longest = 512;

const readers: Readonly<Record<Kind, Read>> = {
  ip: readIpv4,
  ips: (reader, value, path) => readList(reader, value, path, readIpv4),
  text: (reader, value, path) => readForm(reader, value, path, /^[\x20-\x7e]+$/, 'text of printable ASCII'),
  hex: (reader, value, path) =>
    readForm(reader, value, path, /^(?:[0-9a-f]{2})+$/i, 'bytes in hexadecimal').toLowerCase(),
  domains: (reader, value, path) =>
    readList(reader, value, path, (_, item, at) => readForm(reader, item, at, domain, 'a domain name')),
  uint8: (reader, value, path) => readNumber(reader, value, path, 0xff),
  uint16: (reader, value, path) => readNumber(reader, value, path, 0xffff),
  uint32: (reader, value, path) => readNumber(reader, value, path, 0xffff_ffff),
  boolean(reader, value, path) {
    if (typeof value !== 'boolean') reader.fault(path, `must be true or false, got ${got(value)}`);
    return value === true;
  },
  routes: (reader, value, path) => readList(reader, value, path, readRoute),
};

/** What boots says itself in every message, so that a record cannot contradict it. */
const reserved: Readonly<Record<number, string>> = {
  50: 'is what a client asks for',
  51: 'follows from lease_time',
  52: 'follows from the size of the message',
  53: 'is the kind of the message',
  54: 'is the address of the server',
  55: 'is what a client asks for',
  57: 'is what a client can take',
  58: 'follows from lease_time',
  59: 'follows from lease_time',
  61: 'is what the client calls itself',
  82: 'is what the relay adds',
  255: 'is the end of the options',
};

/** Of options that every client reads in the same way: another type could only be a mistake. `hex` is always taken. */
const expected: Readonly<Record<number, Kind>> = {
  ...Object.fromEntries([1, 16, 28, 32].map((code) => [code, 'ip'])),
  ...Object.fromEntries(
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 41, 42, 44, 45, 48, 49, 65, 69, 70, 71, 72].map((code) => [code, 'ips']),
  ),
  ...Object.fromEntries([12, 14, 15, 17, 18, 40, 64, 66, 67, 100, 101].map((code) => [code, 'text'])),
  ...Object.fromEntries([13, 22, 26].map((code) => [code, 'uint16'])),
  ...Object.fromEntries([2, 24, 35, 38].map((code) => [code, 'uint32'])),
  ...Object.fromEntries([23, 37, 46].map((code) => [code, 'uint8'])),
  ...Object.fromEntries([19, 20, 27, 29, 30, 31, 34, 36, 39].map((code) => [code, 'boolean'])),
  119: 'domains',
  121: 'routes',
  249: 'routes',
};

export function readDhcpOptions(reader: JsonReader, value: unknown, path: string): readonly HardwareDhcpOption[] {
  const seen = new Map<number, string>();
  return reader.list(value, path, 64).flatMap((item, index) => {
    const at = `${path}[${index}]`;
    const read = readOption(reader, item, at);
    if (!read) return [];
    const twin = seen.get(read.code);
    if (twin !== undefined) reader.fault(`${at}.code`, `option ${read.code} is also at ${twin}`);
    seen.set(read.code, at);
    return [read];
  });
}

function readOption(reader: JsonReader, item: unknown, path: string): HardwareDhcpOption | undefined {
  const before = reader.faults.length;
  if (!isObject(item)) {
    reader.fault(path, `must be an object, got ${kindOf(item)}`);
    return undefined;
  }
  const fields = reader.object(item, path, ['code', 'type', 'value']);
  const code = readCode(reader, fields['code'], `${path}.code`);
  const type = readKind(reader, fields['type'], `${path}.type`);
  const wanted = expected[code];
  if (type && wanted && type !== wanted && type !== 'hex') {
    reader.fault(`${path}.type`, `option ${code} is of type ${wanted} (or hex), got ${type}`);
  }
  const value = type && readers[type](reader, fields['value'], `${path}.value`);
  if (reader.faults.length > before || type === undefined) return undefined;
  // The readers' table ties each type to its values.
  const option = { code, type, value } as HardwareDhcpOption;
  const size = sizeOf(option);
  if (size <= longest) return option;
  reader.fault(`${path}.value`, `takes ${size} bytes, more than ${longest}`);
  return undefined;
}

function readCode(reader: JsonReader, value: unknown, path: string): number {
  if (value === undefined || value === null) reader.fault(path, 'is required');
  const code = reader.integer(value, path, 1, 255) ?? 0;
  const why = reserved[code];
  if (why !== undefined) reader.fault(path, `option ${code} cannot be set: it ${why}`);
  return code;
}

function readKind(reader: JsonReader, value: unknown, path: string): Kind | undefined {
  const kind = Object.keys(readers).find((known): known is Kind => known === value);
  if (kind === undefined) reader.fault(path, `must be one of ${Object.keys(readers).join(', ')}, got ${got(value)}`);
  return kind;
}

function readIpv4(reader: JsonReader, value: unknown, path: string): string {
  if (typeof value === 'string' && parseIpv4(value) !== undefined) return value;
  reader.fault(path, `${got(value)} is not an IPv4 address`);
  return '';
}

function readForm(reader: JsonReader, value: unknown, path: string, form: RegExp, what: string): string {
  if (typeof value === 'string' && form.test(value)) return value;
  reader.fault(path, `${got(value)} is not ${what}`);
  return '';
}

function readNumber(reader: JsonReader, value: unknown, path: string, max: number): number {
  if (value === undefined || value === null || value === '') reader.fault(path, 'is required');
  return reader.integer(value, path, 0, max) ?? 0;
}

function readRoute(reader: JsonReader, value: unknown, path: string): { destination: string; router: string } {
  const fields = reader.object(value, path, ['destination', 'router']);
  const router = readIpv4(reader, fields['router'], `${path}.router`);
  return { destination: readDestination(reader, fields['destination'], `${path}.destination`), router };
}

function readDestination(reader: JsonReader, value: unknown, path: string): string {
  const [address, prefix, more] = typeof value === 'string' ? value.split('/') : [];
  const number = address === undefined ? undefined : parseIpv4(address);
  const width = prefix !== undefined && /^(?:\d|[12]\d|3[0-2])$/.test(prefix) ? Number(prefix) : undefined;
  if (number === undefined || width === undefined || more !== undefined) {
    reader.fault(path, `${got(value)} is not a network such as 10.0.0.0/8`);
  } else if (number % 2 ** (32 - width) !== 0) {
    reader.fault(path, `${got(value)} has bits beyond its prefix of ${width}`);
  }
  return typeof value === 'string' ? value : '';
}

function readList<T>(
  reader: JsonReader,
  value: unknown,
  path: string,
  read: (reader: JsonReader, item: unknown, path: string) => T,
): readonly T[] {
  const before = reader.faults.length;
  const list = reader.list(value, path, 64);
  if (list.length === 0 && reader.faults.length === before) reader.fault(path, 'is empty');
  return list.map((item, index) => read(reader, item, `${path}[${index}]`));
}

/** Bytes on the wire, of domains at most. */
function sizeOf(option: HardwareDhcpOption): number {
  switch (option.type) {
    case 'text':
      return option.value.length;
    case 'hex':
      return option.value.length / 2;
    case 'domains':
      return option.value.reduce((sum, name) => sum + name.length + 2, 0);
    default:
      return 0;
  }
}

function got(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 100);
}
