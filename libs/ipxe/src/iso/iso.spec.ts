import { describe, expect, it } from 'vitest';
import { UnsafeScriptValueError } from '../script-value';
import { fatImage } from './fat-image';
import { isoImage, readIsoRoot } from './iso9660';
import { isoScript } from './iso-script';
import { machineIso } from './machine-iso';

const bytes = (length: number, seed = 1) => Uint8Array.from({ length }, (_, i) => (i * seed + (i >> 8)) & 0xff);
/** `toEqual` takes seconds for so many. */
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
const biosIso = isoImage({
  label: 'X',
  bios: 'ISOLINUX.BIN',
  efi: undefined,
  files: [
    { name: 'ISOLINUX.BIN', bytes: bytes(5001, 3) },
    { name: 'LDLINUX.C32', bytes: bytes(3000, 5) },
    { name: 'IPXE.KRN', bytes: bytes(9000, 7) },
  ],
});
const programs = { biosIso, efi: { 'BOOTX64.EFI': bytes(100_000), 'BOOTAA64.EFI': bytes(70_001, 9) } };

describe('a bootable ISO', () => {
  const image = machineIso(programs, '#!ipxe\nshell\n');
  const view = new DataView(image.buffer);
  const catalogue = view.getUint32(17 * 2048 + 71, true) * 2048;

  it('holds its files', () => {
    const root = readIsoRoot(image);
    expect([...root.keys()]).toEqual(['AUTOEXEC.IPX', 'IPXE.KRN', 'ISOLINUX.BIN', 'ISOLINUX.CFG', 'LDLINUX.C32']);
    expect(root.get('IPXE.KRN')).toEqual(bytes(9000, 7));
    expect(new TextDecoder().decode(root.get('AUTOEXEC.IPX'))).toBe('#!ipxe\nshell\n');
  });

  it('has a catalogue whose sum is zero, with a BIOS loader that knows where it lies and a volume for UEFI', () => {
    let sum = 0;
    for (let i = 0; i < 32; i += 2) sum += view.getUint16(catalogue + i, true);
    expect(sum & 0xffff).toBe(0);
    const loader = view.getUint32(catalogue + 40, true) * 2048;
    expect(view.getUint32(loader + 12, true) * 2048).toBe(loader);
    expect(view.getUint32(loader + 16, true)).toBe(5001);
    expect(image[catalogue + 65]).toBe(0xef);
    const efi = view.getUint32(catalogue + 104, true) * 2048;
    expect([image[efi + 510], image[efi + 511]]).toEqual([0x55, 0xaa]);
  });

  it('is the same from bytes that lie in the middle of others', () => {
    const around = Buffer.concat([new Uint8Array(7), biosIso]).subarray(7);
    expect(same(machineIso({ ...programs, biosIso: around }, '#!ipxe\nshell\n'), image)).toBe(true);
    expect(same(around, biosIso)).toBe(true);
  });

  it('is the same bytes for the same script, and others for another', () => {
    expect(same(machineIso(programs, '#!ipxe\nshell\n'), image)).toBe(true);
    expect(same(machineIso(programs, '#!ipxe\nshelf\n'), image)).toBe(false);
  });

  it('boots UEFI only without ipxe.iso, and BIOS only without EFI programs', () => {
    const efi = machineIso({ efi: programs.efi }, 'x');
    const at = new DataView(efi.buffer).getUint32(17 * 2048 + 71, true) * 2048;
    expect(efi[at + 1]).toBe(0xef);
    expect(readIsoRoot(efi).size).toBe(0);
    expect(readIsoRoot(machineIso({ biosIso, efi: {} }, 'x')).size).toBe(5);
  });

  it('is made from an ISO that has what it needs', () => {
    expect(() => machineIso({ biosIso: new Uint8Array(100_000), efi: {} }, 'x')).toThrow('not an ISO 9660 image');
    const empty = isoImage({ label: 'X', bios: '', efi: undefined, files: [] });
    expect(() => machineIso({ biosIso: empty, efi: {} }, 'x')).toThrow('has no ISOLINUX.BIN');
    for (const length of [0, 5, 32768, 32900, 40_000]) {
      expect(() => machineIso({ biosIso: biosIso.subarray(0, length), efi: {} }, 'x')).toThrow(RangeError);
    }
  });
});

describe('a FAT volume', () => {
  const volume = fatImage([
    { path: '/EFI/BOOT/BOOTX64.EFI', bytes: bytes(5000) },
    { path: '/EFI/BOOT/autoexec.ipxe', bytes: bytes(10, 3) },
    { path: '/EMPTY.TXT', bytes: new Uint8Array() },
  ]);
  const view = new DataView(volume.buffer);
  const fatSectors = view.getUint16(22, true);
  const rootAt = (1 + 2 * fatSectors) * 512;
  const dataAt = rootAt + 512 * 32;
  const next = (cluster: number) => {
    const word = view.getUint16(512 + Math.floor((cluster * 3) / 2), true);
    return cluster % 2 === 0 ? word & 0xfff : word >> 4;
  };
  /** The bytes of a chain of clusters, as firmware reads them. */
  const chain = (first: number): Uint8Array => {
    const parts: number[] = [];
    for (let cluster = first; cluster < 0xff8; cluster = next(cluster)) {
      const at = dataAt + (cluster - 2) * 2048;
      parts.push(...volume.subarray(at, at + 2048));
    }
    return Uint8Array.from(parts);
  };
  const entries = (folder: Uint8Array) =>
    Array.from({ length: folder.length / 32 }, (_, i) => folder.subarray(i * 32, i * 32 + 32))
      .filter((entry) => entry[0] !== 0 && entry[11] !== 0x0f)
      .map((entry) => {
        const fields = new DataView(entry.buffer, entry.byteOffset);
        const name = String.fromCharCode(...entry.subarray(0, 11));
        return { name, at: fields.getUint16(26, true), size: fields.getUint32(28, true) };
      });

  it('holds files of several clusters below folders', () => {
    const root = entries(volume.subarray(rootAt, dataAt));
    expect(root.map(({ name }) => name)).toEqual(['EFI        ', 'EMPTY   TXT']);
    const efi = entries(chain(root[0]?.at ?? 0));
    const boot = entries(chain(efi.find(({ name }) => name.startsWith('BOOT'))?.at ?? 0));
    const program = boot.find(({ name }) => name === 'BOOTX64 EFI');
    expect(program?.size).toBe(5000);
    expect(chain(program?.at ?? 0).subarray(0, 5000)).toEqual(bytes(5000));
    expect(boot.at(-1)?.size).toBe(10);
  });

  it('refuses what FAT12 cannot hold', () =>
    expect(() => fatImage([{ path: '/A', bytes: new Uint8Array(9 << 20) }])).toThrow(/FAT12 has 4084/));
});

describe('the script on an ISO', () => {
  const network = {
    ...{ address: '10.97.0.11', netmask: '255.255.255.0', gateway: '10.97.0.1', hostname: 'n' },
    nameServers: ['9.9.9.9'],
  };
  const boot = { mac: '52:54:00:97:00:01', vlanId: 0, scriptUrl: 'http://10.97.0.1/x/auto.ipxe' };

  it('gives the card with the machine’s MAC its address', () => {
    const text = isoScript({ ...boot, network });
    for (const line of ['ip 10.97.0.11', 'netmask 255.255.255.0', 'gateway 10.97.0.1', 'dns 9.9.9.9'])
      expect(text).toContain(`\nset net\${card}/${line}\n`);
    expect(text).toContain('chain --autofree http://10.97.0.1/x/auto.ipxe');
    expect(text).not.toContain('dhcp');
  });
  it('asks by DHCP where there is one, which names the script', () => {
    const text = isoScript(boot);
    expect(text).toContain('dhcp net${card}');
    expect(text).toContain('chain --autofree ${filename}');
  });
  it('asks by DHCPv6 first where the record has an IPv6 address', () => {
    const text = isoScript({ ...boot, isIpv6: true });
    expect(text).toContain('\nifconf --configurator ipv6 net${card} || dhcp net${card} && goto address_done ||\n');
    expect(text).toContain('chain --autofree ${filename}');
  });
  it('has a VLAN', () => {
    const text = isoScript({ ...boot, vlanId: 100, network });
    expect(text).toContain('vcreate --tag 100 net${card}');
    expect(text).toContain('set net${card}-100/ip 10.97.0.11');
  });
  it('jumps to labels that exist', () => {
    const text = isoScript({ ...boot, network });
    const labels = [...text.matchAll(/^:(\w+)$/gm)].map(([, label]) => label);
    for (const [, target] of text.matchAll(/goto (\w+)/g)) expect(labels).toContain(target);
  });
  it.each(['1.2.3.4 || reboot', '1.2.3.4\nshell', '${x}', 'fe80::1', '"', '1.2.3.4\0'])('refuses %j', (value) => {
    for (const over of [{ address: value }, { netmask: value }, { gateway: value }, { nameServers: [value] }])
      expect(() => isoScript({ ...boot, network: { ...network, ...over } })).toThrow(UnsafeScriptValueError);
    expect(() => isoScript({ ...boot, mac: `x ${value}` })).toThrow(UnsafeScriptValueError);
  });
});
