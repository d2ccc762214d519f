import { loadConfig } from '@tinkerbell/config';
import { InvalidError } from '@tinkerbell/domain';
import { describe, expect, it } from 'vitest';
import { roleOf } from './boot-programs';
import { BootsConfig } from './boots.config';
import { plainAddress } from './callers';
import { parseByteRange } from './http/byte-range';
import { chooseScript } from './ipxe/choose-script';
import { maxPhoneHomeBytes, parsePhoneHome } from './phone-home/parse-phone-home';
import { readPortRange } from './port-range';
import { looseMac, parseRequestedName } from './requested-name';

describe('a requested name', () => {
  const mac = '52-54-00-99-00-01';
  it.each([
    ['undionly.kpxe', { name: 'undionly.kpxe' }],
    ['/undionly.kpxe', { name: 'undionly.kpxe' }],
    ['./ipxe.efi', { name: 'ipxe.efi' }],
    ['52:54:00:99:00:01/ipxe.efi', { mac, name: 'ipxe.efi' }],
    ['/52-54-00-99-00-01//ipxe.efi', { mac, name: 'ipxe.efi' }],
    ['525400990001/ipxe.efi', { mac, name: 'ipxe.efi' }],
    ['5254.0099.0001\\ipxe.efi', { mac, name: 'ipxe.efi' }],
    [`ipxe.efi-00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`, { name: 'ipxe.efi' }],
  ])('%s', (path, wanted) => expect(parseRequestedName(path)).toEqual(wanted));

  it.each([
    '',
    '/',
    '..',
    '../ipxe.efi',
    '/etc/passwd',
    'a/b/ipxe.efi',
    'ipxe.efi/..',
    '.hidden',
    'a\0b',
    'ä',
    'x'.repeat(200),
    '52:54/ipxe.efi',
  ])('refuses %j', (path) => expect(parseRequestedName(path)).toBeUndefined());

  it.each(['5254009900', '52:54:00:99:00:0g', '', '52:5400:99:00:01:'])('%j is no MAC', (text) =>
    expect(looseMac(text)).toBeUndefined(),
  );
});

const enough = { PUBLIC_IP: '10.0.0.1', TINK_CA_SHA256: 'ab'.repeat(32) };

describe('a port range', () => {
  it.each([
    ['4000', [4000]],
    ['4000-4003', [4000, 4001, 4002, 4003]],
    ['65535-65535', [65_535]],
  ])('%s', (text, ports) => expect(readPortRange(text)).toEqual(ports));
  it.each(['', '0', '4003-4000', '65536', '65530-65540', '1-65', '4000-', '-1', 'a-b', '4000,4001'])('not %j', (text) =>
    expect(readPortRange(text)).toBeUndefined(),
  );
  it('is refused by name', () =>
    expect(() => loadConfig(BootsConfig, { ...enough, BOOTS_TFTP_PORT_RANGE: '9-1' })).toThrow(
      /BOOTS_TFTP_PORT_RANGE/,
    ));
});

describe('roles of files', () => {
  it.each([
    ['undionly.kpxe', 'nbp'],
    ['snp-arm64.efi', 'nbp'],
    ['vmlinuz-x86_64', 'kernel'],
    ['initramfs-x86_64', 'initramfs'],
    ['rootfs-x86_64', 'rootfs'],
    ['6.1/vmlinuz-x86_64', 'kernel'],
    ['debian.raw.zst', 'other'],
  ])('%s is %s', (name, role) => expect(roleOf(name)).toBe(role));
});

describe('a byte range', () => {
  it.each([
    [undefined, { kind: 'whole' }],
    ['bytes=0-', { kind: 'part', start: 0, end: 99 }],
    ['bytes=10-19', { kind: 'part', start: 10, end: 19 }],
    ['bytes=90-1000', { kind: 'part', start: 90, end: 99 }],
    ['bytes=-10', { kind: 'part', start: 90, end: 99 }],
    ['bytes=-1000', { kind: 'part', start: 0, end: 99 }],
    ['bytes=100-', { kind: 'unsatisfiable' }],
    ['bytes=-0', { kind: 'unsatisfiable' }],
    ['bytes=20-10', { kind: 'whole' }],
    ['bytes=0-1,5-6', { kind: 'whole' }],
    ['lines=1-2', { kind: 'whole' }],
    ['bytes=-', { kind: 'whole' }],
  ])('%s of 100 bytes', (header, wanted) => expect(parseByteRange(header, 100)).toEqual(wanted));
  it('of an empty file cannot be had', () => expect(parseByteRange('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' }));
});

describe('phone home', () => {
  const form = 'application/x-www-form-urlencoded';
  it.each([
    ['', '', 'phone-home', ''],
    ['{}', 'application/json', 'phone-home', '{}'],
    ['{"type":"provisioning.104.01"}', '', 'provisioning.104.01', '{"type":"provisioning.104.01"}'],
    ['{"type":"provisioning.109"}', form, 'provisioning.109', '{"type":"provisioning.109"}'],
    ['type=booted&body=all+well', form, 'booted', 'all well'],
    ['instance_id=i-1&hostname=n1', form, 'phone-home', 'instance_id=i-1&hostname=n1'],
  ])('%j', (text, contentType, kind, body) =>
    expect(parsePhoneHome(text, contentType)).toEqual({ type: 'phone-home', kind, body }),
  );
  it('of OSIE', () =>
    expect(parsePhoneHome('{"type":"osie.started","uptimeSeconds":7.5}', '')).toEqual({
      type: 'osie-started',
      uptimeSeconds: 7.5,
    }));
  it.each([
    ['{', '', /body is not JSON/],
    ['[1]', '', /JSON object/],
    ['"x"', '', /JSON object/],
    ['{"type":7}', '', /type must be a text/],
    [`{"type":"${'x'.repeat(101)}"}`, '', /101 characters, 100 is the limit/],
    ['{"type":"osie.started"}', '', /uptimeSeconds must be a number/],
    ['{"type":"osie.started","uptimeSeconds":-1}', '', /uptimeSeconds must be a number/],
    ['hello', 'text/plain', /neither JSON nor a form \(content type text\/plain\)/],
    ['hello', '', /not given/],
  ])('refuses %j', (text, contentType, message) => {
    expect(() => parsePhoneHome(text, contentType)).toThrow(InvalidError);
    expect(() => parsePhoneHome(text, contentType)).toThrow(message);
  });
  it('has a limit', () => expect(maxPhoneHomeBytes).toBeLessThan(1 << 20));
});

describe('which script', () => {
  const netboot = {
    allow_pxe: true,
    allow_workflow: true,
    ipxe: { url: '', contents: '', binary: '' },
    osie: { base_url: '', kernel: '', initrd: '', kernel_params: [], console: '' },
    rescue: false,
  };
  const choose = (over = {}, allowed = true, arch: number | null = 7, recordArch = 'x86_64') =>
    chooseScript({ netboot: { ...netboot, ...over }, recordArch }, { allowed }, arch, 'http://b/osie');

  it('OSIE for its architecture', () => {
    expect(choose()).toEqual({
      script: 'osie',
      arch: 'x86_64',
      osieUrl: 'http://b/osie',
      kernel: 'vmlinuz-x86_64',
      initrds: ['initramfs-x86_64', 'rootfs-x86_64'],
      console: '',
      kernelParams: [],
    });
    expect(choose({}, true, 11)).toMatchObject({ arch: 'aarch64', kernel: 'vmlinuz-aarch64' });
    expect(choose({}, true, null, 'aarch64')).toMatchObject({ arch: 'aarch64' });
    expect(choose({}, true, 7, 'aarch64')).toMatchObject({ arch: 'x86_64' });
  });
  it('another OSIE from the record', () =>
    expect(
      choose({
        osie: { base_url: 'http://m/os/', kernel: 'k', initrd: 'a, b', kernel_params: ['iommu=pt'], console: 'ttyS1' },
      }),
    ).toMatchObject({
      osieUrl: 'http://m/os',
      kernel: 'k',
      initrds: ['a', 'b'],
      console: 'ttyS1',
      kernelParams: ['iommu=pt'],
    }));
  it('the record’s own script', () => {
    const ipxe = { url: 'http://m/x.ipxe', contents: '', binary: '' };
    expect(choose({ ipxe })).toEqual({ script: 'custom', url: 'http://m/x.ipxe', contents: '' });
  });
  it('the rescue shell, whatever else there is', () =>
    expect(choose({ rescue: true, ipxe: { url: 'http://m/x.ipxe', contents: '', binary: '' } }, false)).toMatchObject({
      script: 'rescue',
      kernel: 'vmlinuz-x86_64',
    }));
  it('the disk, whatever the record says, when the machine may not netboot', () =>
    expect(choose({ ipxe: { url: 'http://m/x.ipxe', contents: '', binary: '' } }, false)).toEqual({ script: 'local' }));
});

describe('small things', () => {
  it('an IPv4 peer on a dual-stack socket', () => {
    expect(plainAddress('::ffff:10.0.0.5')).toBe('10.0.0.5');
    expect(plainAddress('fd00::5')).toBe('fd00::5');
  });
});
