import { describe, expect, it } from 'vitest';
import { InvalidDocumentError } from '../errors';
import { parseHardware } from './parse-hardware';
import { presentHardware } from './present-hardware';

const at = 'network.interfaces[0].dhcp.options';
const hardware = (options: unknown) => ({
  id: '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94',
  network: { interfaces: [{ dhcp: { mac: '52:54:00:12:34:56', options } }] },
});
const parsed = (options: unknown) => parseHardware(hardware(options)).network.interfaces[0]?.dhcp.options;
function faults(options: unknown): readonly string[] {
  try {
    parseHardware(hardware(options));
  } catch (error) {
    if (error instanceof InvalidDocumentError) return error.faults.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

describe('DHCP options of a record', () => {
  it.each([
    [{ code: 16, type: 'ip', value: '10.0.0.1' }],
    [{ code: 7, type: 'ips', value: ['10.0.0.1', '10.0.0.2'] }],
    [{ code: 66, type: 'text', value: 'tftp.example' }],
    [{ code: 43, type: 'hex', value: '0601080aff' }],
    [{ code: 119, type: 'domains', value: ['lab.example', 'example.'] }],
    [{ code: 121, type: 'routes', value: [{ destination: '10.0.0.0/8', router: '10.0.0.1' }] }],
    [{ code: 121, type: 'routes', value: [{ destination: '0.0.0.0/0', router: '10.0.0.1' }] }],
    [{ code: 19, type: 'boolean', value: false }],
    [{ code: 23, type: 'uint8', value: 255 }],
    [{ code: 26, type: 'uint16', value: 9000 }],
    [{ code: 132, type: 'uint32', value: 100 }],
    [{ code: 254, type: 'uint32', value: 0xffffffff }],
    [{ code: 3, type: 'hex', value: '0a000001' }],
  ])('%j', (option) => expect(parsed([option])).toEqual([option]));

  it('are none when nothing is said, and are shown when there are some', () => {
    expect(parsed(undefined)).toEqual([]);
    const options = [{ code: 132, type: 'uint32', value: 100 }];
    const shown = presentHardware(parseHardware(hardware(options)));
    expect(shown.network.interfaces[0]?.dhcp.options).toEqual(options);
    expect(presentHardware(parseHardware(hardware([]))).network.interfaces[0]?.dhcp).not.toHaveProperty('options');
  });
});

describe('a fault in a DHCP option', () => {
  const one = (option: unknown) => faults([option]);
  it.each<[unknown, string, string]>([
    ['x', '', 'must be an object, got a string'],
    [{ type: 'ip', value: '10.0.0.1' }, '.code', 'is required'],
    [{ code: 0, type: 'ip', value: '10.0.0.1' }, '.code', 'must be 1 to 255, got 0'],
    [{ code: 256, type: 'ip', value: '10.0.0.1' }, '.code', 'must be 1 to 255, got 256'],
    [{ code: 53, type: 'uint8', value: 5 }, '.code', 'option 53 cannot be set: it is the kind of the message'],
    [{ code: 51, type: 'uint32', value: 5 }, '.code', 'option 51 cannot be set: it follows from lease_time'],
    [{ code: 82, type: 'hex', value: '00' }, '.code', 'option 82 cannot be set: it is what the relay adds'],
    [{ code: 255, type: 'hex', value: '00' }, '.code', 'option 255 cannot be set: it is the end of the options'],
    [{ code: 6, type: 'text', value: 'x' }, '.type', 'option 6 is of type ips (or hex), got text'],
    [
      { code: 200, type: 'ip4', value: 'x' },
      '.type',
      'must be one of ip, ips, text, hex, domains, uint8, uint16, uint32, boolean, routes, got "ip4"',
    ],
    [
      { code: 200, value: 'x' },
      '.type',
      'must be one of ip, ips, text, hex, domains, uint8, uint16, uint32, boolean, routes, got nothing',
    ],
    [{ code: 200, type: 'ip', value: 'fe80::1' }, '.value', '"fe80::1" is not an IPv4 address'],
    [{ code: 200, type: 'ips', value: [] }, '.value', 'is empty'],
    [{ code: 200, type: 'ips', value: '10.0.0.1' }, '.value', 'must be a list, got a string'],
    [{ code: 200, type: 'ips', value: ['10.0.0.1', 7] }, '.value[1]', '7 is not an IPv4 address'],
    [{ code: 200, type: 'text', value: '' }, '.value', '"" is not text of printable ASCII'],
    [{ code: 200, type: 'text', value: 'a\nb' }, '.value', '"a\\nb" is not text of printable ASCII'],
    [{ code: 200, type: 'text', value: 'x'.repeat(513) }, '.value', 'takes 513 bytes, more than 512'],
    [{ code: 200, type: 'hex', value: '0' }, '.value', '"0" is not bytes in hexadecimal'],
    [{ code: 200, type: 'uint8', value: 256 }, '.value', 'must be 0 to 255, got 256'],
    [{ code: 200, type: 'uint16' }, '.value', 'is required'],
    [{ code: 200, type: 'uint32', value: 1.5 }, '.value', 'must be a whole number, got 1.5'],
    [{ code: 200, type: 'boolean', value: 'yes' }, '.value', 'must be true or false, got "yes"'],
    [{ code: 200, type: 'domains', value: ['a..b'] }, '.value[0]', '"a..b" is not a domain name'],
    [
      { code: 121, type: 'routes', value: [{ destination: '10.0.0.0', router: '10.0.0.1' }] },
      '.value[0].destination',
      '"10.0.0.0" is not a network such as 10.0.0.0/8',
    ],
    [
      { code: 121, type: 'routes', value: [{ destination: '10.0.0.0/33', router: '10.0.0.1' }] },
      '.value[0].destination',
      '"10.0.0.0/33" is not a network such as 10.0.0.0/8',
    ],
    [
      { code: 121, type: 'routes', value: [{ destination: '10.0.0.1/8', router: '10.0.0.1' }] },
      '.value[0].destination',
      '"10.0.0.1/8" has bits beyond its prefix of 8',
    ],
    [
      { code: 121, type: 'routes', value: [{ destination: '10.0.0.0/8' }] },
      '.value[0].router',
      'nothing is not an IPv4 address',
    ],
  ])('%j', (option, path, message) => expect(one(option)).toEqual([`${at}[0]${path}: ${message}`]));

  it('the same code twice', () => {
    const option = { code: 132, type: 'uint32', value: 1 };
    expect(faults([option, option])).toEqual([`${at}[1].code: option 132 is also at ${at}[0]`]);
  });
  it('an unknown key', () =>
    expect(one({ code: 200, type: 'hex', value: '00', force: true }).join()).toContain('force'));
  it('more than there is room for', () =>
    expect(faults(Array.from({ length: 65 }, () => 0))[0]).toBe(`${at}: has 65 items, more than 64`));
});
