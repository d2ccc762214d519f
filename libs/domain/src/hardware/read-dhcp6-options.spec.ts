import { describe, expect, it } from 'vitest';
import { JsonReader } from '../json-reader';
import { readDhcp6Options } from './read-dhcp6-options';

const read = (options: unknown) => {
  const reader = new JsonReader();
  return { options: readDhcp6Options(reader, options, 'at'), faults: reader.faults };
};
const faults = (...options: readonly unknown[]) =>
  read(options).faults.map(({ path, message }) => `${path}: ${message}`);

describe('DHCPv6 options by number', () => {
  it.each([
    [{ code: 34, type: 'ips', value: ['2001:db8::1', 'fd00::2'] }],
    [{ code: 24, type: 'domains', value: ['lab.example', 'example.'] }],
    [{ code: 56, type: 'ntp', value: ['fd00::123', 'ff05::101', 'ntp.example'] }],
    [{ code: 56, type: 'hex', value: '00030000' }],
    [{ code: 59, type: 'text', value: 'http://[fd00::1]/x.efi' }],
    [{ code: 17, type: 'hex', value: '00000157' }],
    [{ code: 32, type: 'uint32', value: 600 }],
    [{ code: 65001, type: 'ip', value: '2001:db8::1' }],
    [{ code: 65001, type: 'boolean', value: false }],
  ])('%j', (option) => expect(read([option])).toEqual({ options: [option], faults: [] }));

  it.each<[unknown, string]>([
    [{ code: 0, type: 'hex', value: '00' }, 'at[0].code: must be 1 to 65535, got 0'],
    [{ code: 65536, type: 'hex', value: '00' }, 'at[0].code: must be 1 to 65535, got 65536'],
    [{ code: 3, type: 'hex', value: '00' }, 'at[0].code: option 3 cannot be set: it follows from the lease'],
    [{ code: 7, type: 'uint8', value: 1 }, 'at[0].code: option 7 cannot be set: it is BOOTS_DHCP6_PREFERENCE'],
    [{ code: 18, type: 'hex', value: '00' }, 'at[0].code: option 18 cannot be set: it is what the relay adds'],
    [{ code: 23, type: 'text', value: 'x' }, 'at[0].type: option 23 is of type ips (or hex), got text'],
    [{ code: 17, type: 'text', value: 'x' }, 'at[0].type: option 17 is of type hex, got text'],
    [
      { code: 100, type: 'routes', value: [] },
      'at[0].type: must be one of ip, ips, ntp, text, hex, domains, uint8, uint16, uint32, boolean, got "routes"',
    ],
    [{ code: 100, type: 'ip', value: '10.0.0.1' }, 'at[0].value: "10.0.0.1" is not an IPv6 address'],
    [{ code: 23, type: 'ips', value: ['fd00::1', 'fd00::g'] }, 'at[0].value[1]: "fd00::g" is not an IPv6 address'],
    [
      { code: 56, type: 'ntp', value: ['10.0.0.1'] },
      'at[0].value[0]: "10.0.0.1" is neither an IPv6 address nor a name',
    ],
    [{ code: 56, type: 'ntp', value: [] }, 'at[0].value: is empty'],
    [
      { code: 23, type: 'ips', value: Array.from({ length: 33 }, () => 'fd00::1') },
      'at[0].value: takes 528 bytes, more than 512',
    ],
    [{ code: 100, type: 'hex', value: '00', always: true }, 'at[0].always: unknown key; known are code, type, value'],
  ])('%j is refused with the place', (option, fault) => expect(faults(option)).toEqual([fault]));

  it('are there once each', () => {
    const option = { code: 100, type: 'uint8', value: 1 };
    expect(faults(option, option)).toEqual(['at[1].code: option 100 is also at at[0]']);
  });
});
