import { describe, expect, it } from 'vitest';
import { InvalidDocumentError } from '../errors';
import { parseInventory } from './parse-inventory';

const good = {
  ...{ vendor: 'QEMU', product: 'Standard PC', serial: 'SN-1', uuid: '4c4c4544', arch: 'x86_64', cpuModel: 'EPYC' },
  ...{ cpus: 2, memoryBytes: 1_073_741_824 },
  disks: [{ name: 'vda', bytes: 1_073_741_824, model: '', serial: 'd1' }],
  interfaces: [{ name: 'eth0', mac: '52:54:00:99:00:01', driver: 'virtio_net', link: true }],
};

describe('an inventory', () => {
  it('is taken as it is said, MACs in our form', () =>
    expect(parseInventory(good)).toEqual({
      ...good,
      interfaces: [{ ...good.interfaces[0], mac: '52-54-00-99-00-01' }],
    }));
  it('may be of a machine that says nothing', () =>
    expect(parseInventory({})).toMatchObject({ vendor: '', cpus: 0, disks: [], interfaces: [] }));
  it.each([
    ['\u001b[2J\u0007Dell', '[2JDell'],
    ['a\nb\r', 'ab'],
    ['\u202eevil', 'evil'],
    ['x'.repeat(4000), 'x'.repeat(128)],
    ['  padded  ', 'padded'],
    ['${net0/mac} || reboot', '${net0/mac} || reboot'],
  ])('makes %j of firmware harmless', (text, shown) => expect(parseInventory({ vendor: text }).vendor).toBe(shown));
  it.each([
    [[], /must be an object/],
    [{ cpus: -1 }, /cpus.*0 to 65536/],
    [{ cpus: 'many' }, /cpus.*whole number/],
    [{ vendor: 5 }, /vendor.*string/],
    [{ vendor: 'a\0b' }, /vendor.*control character/],
    [{ vendor: 'x'.repeat(5000) }, /vendor.*5000 characters/],
    [{ disks: Array(300).fill({}) }, /disks.*300 items/],
    [{ interfaces: [{ mac: 'nonsense' }] }, /interfaces\[0\]\.mac.*not a MAC/],
    [{ colour: 'red' }, /colour.*unknown key/],
  ])('refuses %j by field', (input, message) => {
    expect(() => parseInventory(input)).toThrow(InvalidDocumentError);
    expect(() => parseInventory(input)).toThrow(message);
  });
});
