import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDiskSerials, serialOf } from './disk-serials';

const page80 = (serial: string, length = serial.length) =>
  Buffer.concat([Buffer.from([0x00, 0x80, 0x00, length]), Buffer.from(serial)]);

describe('serial number of a disk', () => {
  it.each([
    ['virtio', { serial: 'vd-0001' }, 'vd-0001'],
    ['NVMe', { 'device/serial': 'S4EVNF0M123456A     \n', wwid: 'eui.002538b5' }, 'S4EVNF0M123456A'],
    ['SATA', { 'device/vpd_pg80': page80('            QM00001 '), 'device/wwid': 't10.ATA     QEMU' }, 'QM00001'],
    ['SATA with bytes behind the page', { 'device/vpd_pg80': page80('QM00002\0\0junk', 7) }, 'QM00002'],
    ['SAS without a page', { 'device/wwid': 'naa.5000c500a1b2c3d4\n' }, 'naa.5000c500a1b2c3d4'],
    ['a torn page', { 'device/vpd_pg80': Buffer.from([0x00, 0x80]), wwid: 'eui.1' }, 'eui.1'],
    ['zeros', { 'device/serial': '0000 0000\n' }, ''],
    ['nothing', {}, ''],
  ])('%s', (_, files: Readonly<Record<string, string | Buffer>>, serial) => {
    expect(
      serialOf((path) => {
        const content = files[path];
        return content === undefined ? undefined : Buffer.from(content);
      }),
    ).toBe(serial);
  });

  it('comes from each disk of the machine and from nothing else', () => {
    const root = mkdtempSync(join(tmpdir(), 'tink-sys-'));
    const put = (path: string, text: string) => {
      mkdirSync(dirname(join(root, 'block', path)), { recursive: true });
      writeFileSync(join(root, 'block', path), text);
    };
    try {
      put('vdb/serial', 'two');
      put('vda/serial', 'one');
      put('vdc/serial', 'two'); // a second path to the same disk
      put('sdz/size', '1000');
      put('loop0/serial', 'no');
      put('sr0/device/wwid', 'no');
      put('dm-0/serial', 'no');
      expect(readDiskSerials(root)).toEqual(['one', 'two']);
      expect(readDiskSerials(join(root, 'none'))).toEqual([]);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
