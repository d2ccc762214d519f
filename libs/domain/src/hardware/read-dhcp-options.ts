import type { HardwareDhcpOption } from '@tinkerbell/events';
import { parseIpv4 } from '@tinkerbell/bytes';
import type { JsonReader } from '../json-reader';
import { got, type OptionRules, plainReaders, readList, readOptions } from './dhcp-option-rules';

const rules: OptionRules<HardwareDhcpOption> = {
  lastCode: 255,
  readers: {
    ip: readIpv4,
    ips: (reader, value, path) => readList(reader, value, path, readIpv4),
    ...plainReaders,
    routes: (reader, value, path) => readList(reader, value, path, readRoute),
  },
  reserved: {
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
  },
  expected: {
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
  },
  /** Of domains at most. */
  sizeOf(option) {
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
  },
};

export function readDhcpOptions(reader: JsonReader, value: unknown, path: string): readonly HardwareDhcpOption[] {
  return readOptions(rules, reader, value, path);
}

function readIpv4(reader: JsonReader, value: unknown, path: string): string {
  if (typeof value === 'string' && parseIpv4(value) !== undefined) return value;
  reader.fault(path, `${got(value)} is not an IPv4 address`);
  return '';
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
