// Ways into the in-memory OS that are not the usual one, each with the real program, up to where OSIE says that it runs.
import { execFileSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { constants, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { AnyEvent, HardwareInterface, HardwareRecord } from '@tinkerbell/events';
import { usualProgramFolders } from '@tinkerbell/boots';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type BootsProcess, startBootsIn } from '../interop/net/boots-process';
import { createLab, type Lab } from './lab';
import { type Firmware, type Machine, powerOn, uBoot } from './machine';
import { run } from './run';

const { COPYFILE_FICLONE: FICLONE } = constants;
const osie = resolve('.cache/osie/current');
const needed = ['/dev/net/tun', '/usr/bin/qemu-system-x86_64', '/usr/share/OVMF/OVMF_CODE_4M.fd'];
/** Where Debian's packages, and setup, put them. */
const loaders = ['/usr/lib/PXELINUX/pxelinux.0', '/usr/lib/syslinux/modules/bios/ldlinux.c32'];
const shim = '.cache/shim-signed/usr/lib/shim';
const grub = '.cache/grub-efi-amd64-signed/usr/lib/grub/x86_64-efi-signed';
const grubBios = ['/usr/bin/grub-mknetdir', '/usr/lib/grub/i386-pc/pxe.mod'];
const tools = ['/usr/sbin/sgdisk', '/usr/sbin/mkfs.vfat', '/usr/bin/mcopy'];
const arm64 = ['/usr/bin/qemu-system-aarch64', uBoot];
const absent = [...needed, ...loaders, ...tools, ...arm64, ...grubBios, shim, grub].filter((file) => !existsSync(file));
const cannot = process.getuid?.() !== 0 ? ['root'] : absent;
if (cannot.length > 0) console.warn(`SKIPPED: boot paths: missing ${cannot.join(', ')}`);

const patience = 480_000;
const mac = '52:54:00:97:00:01';
const address = '10.97.0.11';
const address6 = 'fd97::11';
const id = '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a97';

describe.skipIf(cannot.length > 0)('a machine', () => {
  let dir = '';
  let lab: Lab;
  let programs = '';
  let boots: BootsProcess | undefined;
  let machine: Machine | undefined;

  beforeAll(async () => {
    await run(process.execPath, 'infra/osie/build.mjs', '--arch', 'x86_64,aarch64');
    dir = await mkdtemp(join(tmpdir(), 'boot-paths-'));
    programs = join(dir, 'programs');
    await mkdir(programs);
    for (const name of ['undionly.kpxe', 'ipxe-amd64.efi', 'ipxe.iso']) {
      symlinkSync(resolve('.cache/ipxe/usr/lib/ipxe', name), join(dir, name));
      await copyFile(resolve('.cache/ipxe/usr/lib/ipxe', name), join(programs, name));
    }
    for (const file of loaders) await copyFile(file, join(programs, basename(file)));
    lab = await createLab(`tink-paths-${process.pid}`, '10.97.0.1', 'fd97::1');
  }, 600_000);

  afterEach(async () => {
    await machine?.off();
    await boots?.stop();
    machine = boots = undefined;
  }, 60_000);

  afterAll(async () => {
    await lab?.close();
    await rm(dir, { recursive: true, force: true });
  });

  function record(netboot: Partial<HardwareInterface['netboot']>, arch = 'x86_64'): HardwareRecord {
    const base = hardwareInterface(mac.replaceAll(':', '-'), address, netboot);
    const ip = { address, netmask: '255.255.255.0', gateway: '10.97.0.1', family: 4 };
    const dhcp = { ...base.dhcp, arch, hostname: 'node-1', name_servers: ['10.97.0.1'], ip };
    return hardwareRecord({ id, network: { interfaces: [{ ...base, dhcp }] } });
  }

  /** With an IPv6 address in place of the other. */
  function record6(netboot: Partial<HardwareInterface['netboot']>): HardwareRecord {
    const { network, ...rest } = record(netboot);
    const ip = { address: address6, netmask: '', gateway: '', family: 6 };
    const interfaces = network.interfaces.map((one) => ({ ...one, dhcp: { ...one.dhcp, ip } }));
    return { ...rest, network: { interfaces } };
  }

  async function start(
    netboot: Partial<HardwareInterface['netboot']>,
    settings: Readonly<Record<string, unknown>> = {},
    hardware = record(netboot),
  ) {
    const network = { server: lab.namespace, address: lab.address } as Parameters<typeof startBootsIn>[0];
    const folders = { BOOTS_IPXE_DIR: programs, BOOTS_OSIE_DIR: osie, BOOTS_RA_INTERFACE: lab.bridge };
    boots = await startBootsIn(network, {
      settings: { ...folders, ...settings },
      hardware: [hardware],
    });
    return boots;
  }

  async function on(name: string, firmware: Firmware, cdrom?: string): Promise<Machine> {
    machine = await powerOn(lab, { name, firmware, mac, dir, ...(cdrom ? { cdrom } : {}) });
    return machine;
  }

  /** The kernel and a small initrd: enough to see that OSIE's first program got the arguments. */
  const small = { base_url: '', kernel: '', initrd: 'initramfs-x86_64', kernel_params: [], console: '' };
  const firstProgram = /OSIE: t=\S+ no root\.sqfs/;
  const scripts = (events: readonly AnyEvent[]) =>
    events.flatMap((event) => (event.type === 'BootScriptServed' ? [event.data.script] : []));
  const binary = (name: string) => ({ url: '', contents: '', binary: name });

  it('has a rescue shell on its console, whatever its workflows say, in the OSIE of its record', async () => {
    const mine = join(dir, 'mine');
    await mkdir(mine);
    const files = { kernel: 'vmlinuz-x86_64', 'initrd-1': 'initramfs-x86_64', 'initrd-2': 'rootfs-x86_64' };
    for (const [name, file] of Object.entries(files)) await copyFile(join(osie, file), join(mine, name), FICLONE);
    const from = { base_url: 'http://10.97.0.1/images', kernel: 'kernel', initrd: 'initrd-1,initrd-2' };
    const told = { kernel_params: ['my.word=1'], console: 'ttyS0,57600' };
    const netboot = { allow_pxe: false, rescue: true, osie: { ...from, ...told } };
    const { event } = await start(netboot, { BOOTS_IMAGES_DIR: mine, BOOTS_OSIE_DIR: programs });
    const vm = await on('rescue', 'bios');
    await vm.waitFor(/rescue shell on ttyS0/, patience);
    vm.type('cat /proc/cmdline\r');
    await vm.waitFor(/ console=ttyS0,57600 panic=10 quiet my\.word=1 tink_mode=rescue /, patience);
    await event('OsieStarted');
    expect(vm.console()).not.toContain('worker');
    expect(scripts(boots?.events ?? [])).toEqual(['rescue']);
  });

  it('runs the script that is in its record, word for word', async () => {
    const contents = `
      echo of the record: \${net0/mac} \${hostname} || shell
      kernel http://10.97.0.1/osie/vmlinuz-x86_64 console=ttyS0 site="my own"
      initrd http://10.97.0.1/osie/initramfs-x86_64
      boot`;
    await start({ ipxe: { url: '', contents, binary: '' } });
    const vm = await on('contents', 'bios');
    await vm.waitFor(/of the record: 52:54:00:97:00:01 node-1/, patience);
    await vm.waitFor(/Command line: \S*console=ttyS0 site="my own"/, patience);
    await vm.waitFor(firstProgram, patience);
    expect(scripts(boots?.events ?? [])).toEqual(['custom']);
  });

  it('runs the script of the URL in its record, in which iPXE puts what it knows of itself', async () => {
    const images = join(dir, 'images');
    await mkdir(images);
    await writeFile(join(images, '52-54-00-97-00-01.ipxe'), '#!ipxe\necho of the site\n');
    const url = 'http://10.97.0.1/images/${net0/mac:hexhyp}.ipxe';
    await start({ ipxe: { url, contents: '', binary: '' } }, { BOOTS_IMAGES_DIR: images });
    const vm = await on('url', 'bios');
    // After it the firmware goes on with its next device.
    await vm.waitFor(/of the site\s[^]*Booting from Hard Disk/, patience);
    expect(scripts(boots?.events ?? [])).toEqual(['custom']);
  });

  it('boots through PXELINUX by TFTP', async () => {
    await start({ ipxe: binary('pxelinux.0'), osie: small });
    const vm = await on('pxelinux', 'bios');
    await vm.waitFor(/PXELINUX 6/, patience);
    await vm.waitFor(firstProgram, patience);
    expect(scripts(boots?.events ?? [])).toEqual(['osie']);
  });

  it('boots through GRUB by BIOS PXE, as grub-mknetdir lays it out', async () => {
    const modules = '/usr/lib/grub/i386-pc';
    execFileSync('grub-mknetdir', [`--net-directory=${programs}`, '--subdir=grub', '-d', modules, '--locales=']);
    const { event } = await start({ ipxe: binary('core.0'), osie: small });
    const vm = await on('grub-bios', 'bios');
    await vm.waitFor(/Welcome to GRUB!/, patience);
    await vm.waitFor(firstProgram, patience);
    await event('BootFileServed', ({ data }) => data.file === 'core.0' && data.role === 'nbp');
    await event('BootFileServed', ({ data }) => data.protocol === 'tftp' && data.role === 'initramfs');
    // It looks whether there is a configuration before it reads it.
    expect(scripts(boots?.events ?? [])).toEqual(['osie']);
  });

  it('boots through the pxe command of U-Boot on arm64, by TFTP', async () => {
    await start({}, {}, record({ osie: { ...small, initrd: 'initramfs-aarch64' } }, 'aarch64'));
    const vm = await on('u-boot', 'arm64-u-boot');
    await vm.waitFor(/Hit any key/, patience);
    vm.type(' ');
    await vm.waitFor(/=> $/, patience);
    vm.type('setenv autoload no; dhcp; pxe get; pxe boot\r');
    await vm.waitFor(firstProgram, patience);
    expect(vm.console()).toContain('pxelinux.cfg/01-52-54-00-97-00-01');
    const events = boots?.events ?? [];
    const served = events.flatMap(({ type, data }) =>
      type === 'BootFileServed' ? [`${data.protocol} ${data.file}`] : [],
    );
    expect(served).toEqual(expect.arrayContaining(['tftp initramfs-aarch64', 'tftp vmlinuz-aarch64']));
    expect(scripts(events)).toEqual(['osie']);
  });

  it('boots its own disk through shim and GRUB, when it may not netboot', async () => {
    const disk = join(dir, 'grub-disk');
    await writeFile(`${disk}.cfg`, "echo 'This is the disk'\nsleep 600\n");
    const build = `
      truncate -s 1G ${disk}.raw
      sgdisk --new=1:2048:+64M --typecode=1:ef00 ${disk}.raw
      truncate -s 64M ${disk}.esp
      mkfs.vfat ${disk}.esp
      mmd -i ${disk}.esp ::EFI ::EFI/BOOT ::EFI/debian
      mcopy -i ${disk}.esp ${shim}/shimx64.efi.signed ::EFI/BOOT/BOOTX64.EFI
      mcopy -i ${disk}.esp ${grub}/grubx64.efi.signed ::EFI/BOOT/grubx64.efi
      mcopy -i ${disk}.esp ${disk}.cfg ::EFI/debian/grub.cfg
      dd if=${disk}.esp of=${disk}.raw bs=1M seek=1 conv=notrunc`;
    execFileSync('sh', ['-ec', build], { stdio: 'ignore' });
    const folders = [programs, shim, grub].map((folder) => resolve(folder)).join(':');
    await start({ allow_pxe: false, ipxe: binary('shimx64.efi') }, { BOOTS_IPXE_DIR: folders });
    const vm = await on('grub-disk', 'uefi');
    await vm.waitFor(/nothing to install on 52:54:00:97:00:01/, patience);
    await vm.waitFor(/This is the disk/, patience);
    expect(scripts(boots?.events ?? [])).toEqual(['local']);
  });

  it.each([
    ['bios', 'IPv4', /network eth0 10\.97\.0\.11\/24 static/, record],
    ['uefi', 'IPv6', /network eth0 fd97::11\/64 static/, record6],
  ] as const)('boots from its ISO where nobody does DHCP, with %s by %s', async (firmware, _, network, of) => {
    // A rescue shell: neither engine nor worker has to start for this.
    const { event } = await start({}, { BOOTS_DHCP: 'false', PUBLIC_IP6: 'fd97::1' }, of({ rescue: true }));
    const file = join(dir, `${firmware}.iso`);
    await writeFile(file, await fetchIn(lab, `http://10.97.0.1/iso/${mac}/tinkerbell.iso`));
    const vm = await on(`iso-${firmware}`, firmware, file);
    await vm.waitFor(network, patience);
    await event('OsieStarted');
    expect(boots?.events.some(({ type }) => type.startsWith('Lease'))).toBe(false);
  });

  /** `npm run boot-paths`: each takes too long for every run of all tests. */
  if (process.env['BOOT_PATHS'] === 'all') {
    it('also boots through shim and GRUB by IPv6 alone, to a root file system that netroot fetches', async () => {
      const folders = [programs, shim, grub].map((folder) => resolve(folder)).join(':');
      const subnets = join(dir, 'dhcp.yaml');
      await writeFile(subnets, 'subnets: [{ subnet: "fd97::/64", mode: reservation, advertise: true }]\n');
      const by6 = { PUBLIC_IP6: 'fd97::1', BOOTS_DHCP6: 'true', BOOTS_DHCP: 'false', BOOTS_DHCP_FILE: subnets };
      const netboot = { ipxe: binary('shimx64.efi'), rescue: true };
      const { event } = await start(netboot, { ...by6, BOOTS_IPXE_DIR: folders }, record6(netboot));
      const vm = await on('grub-6', 'uefi6');
      await vm.waitFor(/OSIE: t=\S+ root file system from http:\/\/\[fd97::1\]\/osie\/rootfs-x86_64/, patience);
      await vm.waitFor(/network eth0 fd97::11\/128\s/, patience);
      await event('OsieStarted');
      expect(scripts(boots?.events ?? [])).toEqual(['rescue']);
    });

    describe('of arm64', () => {
      beforeAll(() => run(process.execPath, 'infra/setup/signed-arm64.mjs'), 600_000);
      const osie = { ...small, initrd: 'initramfs-aarch64', kernel_params: ['loglevel=7'] };
      const startWith = (name: string) =>
        start({}, { BOOTS_IPXE_DIR: usualProgramFolders }, record({ ipxe: binary(name), osie }, 'aarch64'));

      it('also boots through GRUB', async () => {
        await startWith('grubaa64.efi');
        const vm = await on('arm64-grub', 'arm64');
        await vm.waitFor(firstProgram, patience);
        expect(scripts(boots?.events ?? [])).toEqual(['osie']);
      });

      it('also boots through shim and GRUB with Secure Boot, and refuses GRUB alone', async () => {
        await startWith('grubaa64.efi');
        await (await on('arm64-refused', 'arm64-secure')).waitFor(/grubaa64\.efi[^]*Access Denied/, patience);
        await machine?.off();
        await boots?.stop();
        await startWith('shimaa64.efi');
        const vm = await on('arm64-shim', 'arm64-secure');
        await vm.waitFor(/Fetching Netboot Image grubaa64\.efi/, patience);
        await vm.waitFor(/secureboot: Secure boot enabled/, patience);
        await vm.waitFor(/Kernel is locked down from EFI Secure Boot/, patience);
        await vm.waitFor(firstProgram, patience);
      });
    });

    it('also boots from its ISO on arm64, with an address by DHCP', async () => {
      const osie = { ...small, initrd: 'initramfs-aarch64' };
      await start({}, { BOOTS_IPXE_DIR: usualProgramFolders }, record({ osie }, 'aarch64'));
      const file = join(dir, 'arm64.iso');
      await writeFile(file, await fetchIn(lab, `http://10.97.0.1/iso/${mac}/tinkerbell.iso`));
      const vm = await on('arm64-iso', 'arm64', file);
      await vm.waitFor(firstProgram, patience);
      const events = boots?.events ?? [];
      expect(scripts(events)).toEqual(['osie']);
      // What is read from the medium is fetched by nobody.
      const files = events.flatMap(({ type, data }) => (type === 'BootFileServed' ? [data.role] : []));
      expect(files).toEqual(['kernel', 'initramfs']);
    });

    it('also boots through lpxelinux.0 from an HTTP server', async () => {
      await copyFile('/usr/lib/PXELINUX/lpxelinux.0', join(programs, 'lpxelinux.0'));
      const from = { ...small, base_url: 'http://10.97.0.1/images' };
      const netboot = { ipxe: binary('lpxelinux.0'), osie: from };
      const { event } = await start(netboot, { BOOTS_IMAGES_DIR: osie });
      const vm = await on('lpxelinux', 'bios');
      await vm.waitFor(firstProgram, patience);
      await event('BootFileServed', ({ data }) => data.protocol === 'http' && data.role === 'initramfs');
    });
  }
});

async function fetchIn(lab: Lab, url: string): Promise<Buffer> {
  const [enter = '', ...args] = lab.enter;
  return execFileSync(enter, [...args, 'curl', '-sSf', url], { maxBuffer: 64 << 20 });
}
