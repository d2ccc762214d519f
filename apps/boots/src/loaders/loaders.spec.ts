import { defaultOsieFiles, type OsieBoot } from '@tinkerbell/ipxe';
import { describe, expect, it } from 'vitest';
import { hexAddress, parseLoaderPath } from './loader-path';
import { grubSyntax, pxelinuxSyntax, raspberrySyntax } from './loader-syntax';

describe('the path that a boot program asks for', () => {
  const mac = '52-54-00-99-00-01';
  it.each([
    ['pxelinux.cfg/01-52-54-00-99-00-01', { kind: 'pxelinux', mac }],
    ['/pxelinux.cfg/01-52-54-00-99-00-01', { kind: 'pxelinux', mac }],
    ['52:54:00:99:00:01/pxelinux.cfg/01-52-54-00-99-00-01', { kind: 'pxelinux', mac }],
    ['pxelinux.cfg/0A63000B', { kind: 'pxelinux', address: '0A63000B' }],
    ['pxelinux.cfg/0A6300', { kind: 'pxelinux', address: '0A6300' }],
    ['pxelinux.cfg/default', { kind: 'pxelinux' }],
    ['grub/grub.cfg', { kind: 'grub' }],
    ['/grub//grub.cfg', { kind: 'grub' }],
    ['grub/grub.cfg-01-52-54-00-99-00-01', { kind: 'grub', mac }],
    ['grub/grub.cfg-0A63000B', { kind: 'grub', address: '0A63000B' }],
    ['grub/x86_64-efi/grub.cfg', { kind: 'grub-architecture' }],
    ['autoexec.ipxe', { kind: 'ipxe-autoexec' }],
    ['/52:54:00:99:00:01/autoexec.ipxe', { kind: 'ipxe-autoexec' }],
    ['grub/arm64-efi/grub.cfg', { kind: 'grub-architecture' }],
    ['/grub/i386-pc/normal.mod', { kind: 'grub-part', file: 'grub/i386-pc/normal.mod' }],
    ['grub/x86_64-efi/command.lst', { kind: 'grub-part', file: 'grub/x86_64-efi/command.lst' }],
    ['grub/fonts/unicode.pf2', { kind: 'grub-part', file: 'grub/fonts/unicode.pf2' }],
    ['::osie/vmlinuz-aarch64', { kind: 'osie', file: 'vmlinuz-aarch64' }],
    ['osie/vmlinuz-x86_64', { kind: 'osie', file: 'vmlinuz-x86_64' }],
    ['pxelinux.cfg/4c4c4544-0001-0001-0001-000000000001', { kind: 'missing' }],
    ['pxelinux.cfg/01-nonsense-of-17-ch', { kind: 'missing' }],
    ['/grub/grub.cfg-44454c4c-0100-0100-0001-000000000001', { kind: 'missing' }],
    ['12ab34cd/config.txt', { kind: 'raspberry-config' }],
    ['dc-a6-32-01-02-03/cmdline.txt', { kind: 'raspberry-arguments' }],
    ['config.txt', { kind: 'raspberry-config' }],
    ['bootcode.bin', { kind: 'raspberry', file: 'bootcode.bin', below: 'root' }],
    ['overlays/overlay_map.dtb', { kind: 'raspberry', file: 'overlays/overlay_map.dtb', below: 'root' }],
    ['/net_install/boot.img', { kind: 'raspberry', file: 'boot.img', below: 'image' }],
    ['12ab34cd/overlays/a.dtbo', { kind: 'raspberry', file: 'overlays/a.dtbo', below: 'serial' }],
  ] as const)('%s', (path, wanted) => expect(parseLoaderPath(path)).toEqual(wanted));

  it.each([
    'pxelinux.cfg/../osie/secret',
    'a/b/c/pxelinux.cfg/default',
    'grub/x86_64-efi/core.efi',
    'grub/x86_64-efi/../../secret.mod',
    'grub/x86_64-efi/a/b.mod',
    'grub/nonsense/normal.mod',
    'grub/fonts/secret',
    'grub/locale/de.mo',
    'grub/grub.cfg/x',
    'osie/../secret',
    'a/autoexec.ipxe',
    '::osie/../secret',
    ':://../osie/secret',
    'x::osie/vmlinuz-x86_64',
    '12ab34cd/../../etc/passwd',
    '12ab34cd/a\0b',
    '..\\..\\12ab34cd\\x',
    'net_install/a/boot.img',
    '',
    '/',
  ])('%j is none of theirs', (path) => expect(parseLoaderPath(path)).toBeUndefined());

  it('has the address as PXELINUX writes it', () => expect(hexAddress('10.99.0.11')).toBe('0A63000B'));
});

const boot: OsieBoot = {
  ...{ purpose: 'workflow', mac: '52:54:00:99:00:01', workerId: '0eba0bf8', arch: 'x86_64' },
  ...{ osieUrl: 'http://10.99.0.1/osie', ...defaultOsieFiles('x86_64'), bootsUrl: 'http://10.99.0.1' },
  ...{ tinkServerUrl: 'https://10.99.0.1:42124', certUrl: 'http://10.99.0.1:42114/cert', caSha256: 'ab' },
  ...{ token: 'T0KEN', console: '', extraArguments: ['a=$b;{c}|d&e<f>*'], vlanId: 0 },
};
const syntaxes = { pxelinux: pxelinuxSyntax, grub: grubSyntax, 'raspberry pi': raspberrySyntax };

describe('what it is told', () => {
  it('of PXELINUX', () => {
    const text = pxelinuxSyntax.osie(boot).split('\n');
    expect(text).toContain('  KERNEL ::osie/vmlinuz-x86_64');
    expect(text).toContain('  INITRD ::osie/initramfs-x86_64,::osie/rootfs-x86_64');
    expect(text.find((line) => line.includes('APPEND'))).toContain('a=$b;{c}|d&e<f>* worker_id=0eba0bf8 ');
    const elsewhere = pxelinuxSyntax.osie({ ...boot, osieUrl: 'http://m:81/os' });
    expect(elsewhere).toContain('  KERNEL http://m:81/os/vmlinuz-x86_64');
    expect(pxelinuxSyntax.local(boot)).toContain('LOCALBOOT -1');
  });

  it('of GRUB: every value in apostrophes', () => {
    const text = grubSyntax.osie(boot);
    expect(text).toContain("if linux '(tftp,10.99.0.1)/osie/vmlinuz-x86_64' 'console=tty0'");
    expect(text).toContain("'a=$b;{c}|d&e<f>*' 'worker_id=0eba0bf8'");
    expect(text).toContain("  initrd '(tftp,10.99.0.1)/osie/initramfs-x86_64' '(tftp,10.99.0.1)/osie/rootfs-x86_64'\n");
    const lab = { ...boot, bootsUrl: 'http://10.99.0.1:8080', osieUrl: 'http://10.99.0.1:8080/osie' };
    expect(grubSyntax.osie(lab)).toContain("'(tftp,10.99.0.1)/osie/vmlinuz-x86_64'");
    expect(grubSyntax.osie({ ...lab, osieUrl: 'http://m/os' })).toContain("'(http,m)/os/vmlinuz-x86_64'");
    expect(() => grubSyntax.osie({ ...lab, osieUrl: 'http://m:81/os' })).toThrow('port 80 only');
    expect(() => grubSyntax.osie({ ...lab, osieUrl: 'https://m/os' })).toThrow('port 80 only');
    expect(grubSyntax.local(boot)).toContain('--set=root --file $file; then\n      if chainloader $file;');
    expect(grubSyntax.local(boot)).toMatch(/else\n {2}insmod biosdisk\n {2}set root=\(hd0\)\n/);
  });

  const netRoot = { initrd: 'rootfs-x86_64', loader: 'netroot-x86_64', sha256: 'cd'.repeat(32), from: '' };
  const argument = `tink_root=http://10.99.0.1/osie/rootfs-x86_64`;
  it('of PXELINUX and GRUB: what fetches the root file system, instead of the root file system', () => {
    const pxelinux = pxelinuxSyntax.osie({ ...boot, netRoot });
    expect(pxelinux).toContain('  INITRD ::osie/initramfs-x86_64,::osie/netroot-x86_64\n');
    expect(pxelinux).toContain(` ${argument} tink_root_sha256=${netRoot.sha256}\n`);
    const grub = grubSyntax.osie({ ...boot, netRoot });
    expect(grub).toContain(
      "  initrd '(tftp,10.99.0.1)/osie/initramfs-x86_64' '(tftp,10.99.0.1)/osie/netroot-x86_64'\n",
    );
    expect(grub).toContain(` '${argument}' 'tink_root_sha256=${netRoot.sha256}'; then`);
  });

  it('of a Raspberry Pi: one line, on its own console', () => {
    const text = raspberrySyntax.osie({ ...boot, arch: 'aarch64' });
    expect(text).toMatch(/^console=tty0 console=serial0,115200 [^\n]*\n$/);
    expect(raspberrySyntax.local(boot)).toBe('');
    expect(() => raspberrySyntax.custom({ url: 'http://x/', contents: '' })).toThrow(
      'for iPXE, not for a Raspberry Pi',
    );
  });

  const hostile = [
    'a b',
    'a\nb',
    'a\rb',
    'a\tb',
    'a\0b',
    '${x}',
    'a"b',
    "a'b",
    'a\\b',
    '`x`',
    '||',
    ';',
    '#',
    'x'.repeat(70_000),
    'ü',
  ];
  describe.each(Object.entries(syntaxes))('%s', (_, syntax) => {
    it.each(hostile)('refuses %j from a record or a machine', (value) => {
      const places: Partial<OsieBoot>[] = [
        ...[{ extraArguments: [value] }, { console: value }, { workerId: value }, { token: value }, { mac: value }],
        ...[{ bootsUrl: value }, { tinkServerUrl: value }, { certUrl: value }],
      ];
      for (const place of places)
        expect(() => syntax.osie({ ...boot, ...place })).toThrow(/cannot be part of a boot script/);
    });
    it('shows nothing but printable characters', () => expect(syntax.osie(boot)).toMatch(/^[\x20-\x7e\n]*$/));
  });
  it.each(hostile)('%j is no kernel and no initrd', (value) => {
    for (const syntax of [pxelinuxSyntax, grubSyntax]) {
      for (const place of [{ kernel: value }, { initrds: [value] }, { osieUrl: value }])
        expect(() => syntax.osie({ ...boot, ...place })).toThrow(/cannot be part of a boot script/);
    }
  });
});
