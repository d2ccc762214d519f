import { parseIpv6 } from '@tinkerbell/bytes';
import type { HardwareDhcp6Option } from '@tinkerbell/events';
import type { JsonReader } from '../json-reader';
import { got, isDomain, type OptionRules, plainReaders, readList, readOptions } from './dhcp-option-rules';

const rules: OptionRules<HardwareDhcp6Option> = {
  lastCode: 0xffff,
  readers: {
    ip: readIpv6,
    ips: (reader, value, path) => readList(reader, value, path, readIpv6),
    ntp: readTimeServers,
    ...plainReaders,
  },
  reserved: {
    1: 'is what the client calls itself',
    2: 'is what the server calls itself',
    ...Object.fromEntries([3, 4, 5, 25, 26].map((code) => [code, 'follows from the lease'])),
    6: 'is what a client asks for',
    7: 'is BOOTS_DHCP6_PREFERENCE',
    8: 'is how long the client has asked',
    9: 'is the message that a relay brings',
    11: 'would sign the message, which boots does not',
    12: 'would have clients send to an address, where boots does not take it',
    13: 'is how a request ended',
    14: 'is the kind of the exchange',
    15: 'is what the client calls itself',
    16: 'is what the client calls itself',
    18: 'is what the relay adds',
    19: 'would call clients back, which boots does not',
    20: 'would call clients back, which boots does not',
    37: 'is what the relay adds',
    38: 'is what the relay adds',
    61: 'is what the client calls itself',
    62: 'is what the client calls itself',
    79: 'is what the relay adds',
  },
  expected: {
    ...Object.fromEntries([22, 23, 27, 28, 31, 34, 40].map((code) => [code, 'ips'])),
    ...Object.fromEntries([21, 24, 29, 30, 33, 51, 58].map((code) => [code, 'domains'])),
    ...Object.fromEntries([41, 42, 59].map((code) => [code, 'text'])),
    ...Object.fromEntries([32, 82, 83].map((code) => [code, 'uint32'])),
    17: 'hex',
    56: 'ntp',
    60: 'hex',
  },
  sizeOf(option) {
    switch (option.type) {
      case 'text':
        return option.value.length;
      case 'hex':
        return option.value.length / 2;
      case 'domains':
        return option.value.reduce((sum, name) => sum + name.length + 2, 0);
      case 'ips':
      case 'ntp':
        return option.value.length * 16;
      default:
        return 0;
    }
  },
};

/** Options of DHCPv6 by number and type; what is wrong is told to the reader. */
export function readDhcp6Options(reader: JsonReader, value: unknown, path: string): readonly HardwareDhcp6Option[] {
  return readOptions(rules, reader, value, path);
}

function readTimeServers(reader: JsonReader, value: unknown, path: string): readonly string[] {
  return readList(reader, value, path, readTimeServer);
}

/** An IPv6 address, a multicast address or a name. */
export function readTimeServer(reader: JsonReader, value: unknown, path: string): string {
  if (typeof value === 'string' && (parseIpv6(value) || (isDomain(value) && !/^[\d.]+$/.test(value)))) return value;
  reader.fault(path, `${got(value)} is neither an IPv6 address nor a name`);
  return '';
}

function readIpv6(reader: JsonReader, value: unknown, path: string): string {
  if (typeof value === 'string' && parseIpv6(value)) return value;
  reader.fault(path, `${got(value)} is not an IPv6 address`);
  return '';
}
