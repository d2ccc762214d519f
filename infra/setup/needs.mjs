// What each purpose needs of the system: a need is met when one of its files exists, whichever package brought it.

/** @typedef {'demo' | 'start' | 'test' | 'check' | 'bench' | 'chaos' | 'fuzz'} Purpose */
/** @typedef {{ packages: readonly string[], files: readonly string[] }} Need packages: in order of preference; files: all have to exist */

/** @type {(name: string, ...packages: string[]) => Need} A program on PATH; packages default to its own name. */
const program = (name, ...packages) => ({ packages: packages.length > 0 ? packages : [name], files: [name] });
/** @type {(packageName: string, ...files: string[]) => Need} Programs (bare names) and files (paths) of one package. */
const of = (packageName, ...files) => ({ packages: [packageName], files });

/** To compile better-sqlite3, where no compiled copy can be had. */
export const compiler = [program('g++'), program('make'), program('python3')];

const registry = [program('docker-registry')];
/** boots sends router advertisements with it when it is told to (BOOTS_RA_INTERFACE, `--router-advertisements`). */
const advertisements = [program('radvd')];
/** setpriv makes a child end with its parent. */
const children = [of('util-linux', 'setpriv')];
/** Builders of the in-memory OS and the action images. */
const builders = [
  program('mksquashfs', 'squashfs-tools'),
  program('depmod', 'kmod'),
  program('zstd'),
  of('xz-utils', 'xz'),
];
/** Builders of the disk images. */
const diskImages = [
  program('sgdisk', 'gdisk'),
  of('dosfstools', 'mkfs.vfat'),
  of('mtools', 'mcopy', 'mmd'),
  of('e2fsprogs', 'mke2fs', 'debugfs'),
  program('syslinux'),
  of('syslinux-common', '/usr/lib/syslinux/modules/bios/ldlinux.c32', '/usr/lib/syslinux/mbr/gptmbr.bin'),
  program('grub-mkimage', 'grub-common'),
  of('grub-efi-amd64-bin', '/usr/lib/grub/x86_64-efi/moddep.lst'),
  program('mmdebstrap'),
];
const containers = [
  program('dockerd', 'docker.io'),
  program('docker', 'docker-cli', 'docker.io'),
  program('containerd'),
  program('runc'),
  // Static, because the tests put it into an image alone.
  program('busybox', 'busybox-static'),
  of('mount', 'losetup', 'umount'),
];
const network = [program('ip', 'iproute2'), of('util-linux', 'nsenter', 'unshare')];
const machine = [
  program('qemu-system-x86_64', 'qemu-system-x86'),
  of('ipxe-qemu', '/usr/lib/ipxe/qemu/pxe-virtio.rom', '/usr/lib/ipxe/qemu/efi-virtio.rom'),
  of(
    'ovmf',
    '/usr/share/OVMF/OVMF_CODE_4M.fd',
    '/usr/share/OVMF/OVMF_CODE_4M.secboot.fd',
    '/usr/share/OVMF/OVMF_VARS_4M.fd',
  ),
];
/** Programs that only tests call: foreign clients, checkers. */
const testTools = [
  program('qemu-system-aarch64', 'qemu-system-arm'),
  of('qemu-efi-aarch64', '/usr/share/AAVMF/AAVMF_CODE.fd'),
  of('u-boot-qemu', '/usr/lib/u-boot/qemu_arm64/u-boot.bin'),
  program('dhclient', 'isc-dhcp-client'),
  program('udhcpc'),
  program('dhcpcd', 'dhcpcd-base'),
  program('dhcrelay', 'isc-dhcp-relay'),
  of('systemd', '/lib/systemd/systemd-networkd'),
  program('kea-dhcp4', 'kea-dhcp4-server'),
  program('kea-dhcp6', 'kea-dhcp6-server'),
  program('dhcpd', 'isc-dhcp-server'),
  program('dhcping'),
  program('bootpc'),
  program('nmap'),
  program('perfdhcp', 'kea-admin'),
  of('dnsmasq-base', '/usr/sbin/dnsmasq'),
  program('tftp', 'tftp-hpa'),
  program('atftp'),
  program('curl'),
  program('tcpdump'),
  program('python3'),
  of('cloud-init', '/usr/lib/python3/dist-packages/cloudinit/sources/DataSourceEc2.py'),
  program('chromium'),
  program('openssl'),
  program('skopeo'),
  program('bzip2'),
  of('procps', 'pgrep'),
  of('mtools', 'mdir'),
  of('pxelinux', '/usr/lib/PXELINUX/pxelinux.0'),
  program('grub-mknetdir', 'grub-common'),
  of('grub-pc-bin', '/usr/lib/grub/i386-pc/pxe.mod'),
  of('e2fsprogs', 'mkfs.ext4', 'fsck.ext4', 'e2fsck'),
];

/** Peers that our servers are measured against, and what the load generators are compiled with. */
const bench = [
  ...children,
  program('in.tftpd', 'tftpd-hpa'),
  of('dnsmasq-base', '/usr/sbin/dnsmasq'),
  program('nginx', 'nginx-light', 'nginx'),
  program('kea-dhcp4', 'kea-dhcp4-server'),
  of('kea-admin', 'perfdhcp', '/usr/share/kea/scripts/pgsql/dhcpdb_create.pgsql'),
  // What Kea keeps durable leases in.
  program('pg_ctlcluster', 'postgresql'),
  program('dhcpd', 'isc-dhcp-server'),
  program('curl'),
  ...network,
  program('gcc'),
  of('libc6-dev', '/usr/include/stdio.h'),
];

/** Namespaces, a small disk that can be filled up and made slow, and a clock that can be set. */
const chaos = [
  ...children,
  ...network,
  of('mount', 'mount', 'umount'),
  of('util-linux', 'fallocate'),
  of('e2fsprogs', 'mkfs.ext4'),
  program('nbdkit'),
  program('nbdfuse', 'libnbd-bin'),
  of('libfaketime', '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'),
];

const start = [...children, ...registry, ...builders, ...advertisements];
const demo = [...start, ...diskImages, ...network, ...containers, ...machine];

/** @type {Record<Purpose, readonly Need[]>} */
export const needs = {
  check: [],
  fuzz: [],
  bench,
  chaos,
  start,
  demo,
  test: [...demo, ...chaos, ...testTools],
};

/**
 * Programs that are taken out of a Debian package into .cache instead of being installed: the distribution's own when it is new
 * enough, else a newer suite's, in this order. Installing a newer suite's package would pull in its maintainer scripts (nats-server's
 * breaks dpkg on Debian 12).
 * @typedef {{ name: string, minimum: string, suites: readonly string[], file: string, onPath?: string,
 *   architecture?: string }} Borrowed architecture: Debian's name for what the program is made for, where it is not this machine
 * @type {Record<'nats-server' | 'ipxe' | 'shim-signed' | 'grub-efi-amd64-signed', Borrowed>}
 */
export const borrowed = {
  'nats-server': {
    name: 'nats-server',
    minimum: '2.10',
    suites: ['forky', 'trixie'],
    file: 'usr/sbin/nats-server',
    onPath: 'nats-server',
  },
  // 1.21.1+git2025: sanboot finds a UEFI disk, arm64 binaries, no 13 s wait for IPv6.
  ipxe: { name: 'ipxe', minimum: '1.21.1', suites: ['trixie', 'forky'], file: 'usr/lib/ipxe/undionly.kpxe' },
  // Secure Boot: the chain that Microsoft's and Debian's signatures vouch for. Machines run it, whatever this one is.
  'shim-signed': {
    name: 'shim-signed',
    minimum: '1.39',
    suites: [],
    file: 'usr/lib/shim/shimx64.efi.signed',
    architecture: 'amd64',
  },
  'grub-efi-amd64-signed': {
    name: 'grub-efi-amd64-signed',
    minimum: '1',
    suites: [],
    file: 'usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed',
    architecture: 'amd64',
  },
};
const bootPrograms = /** @type {const} */ (['ipxe', 'shim-signed', 'grub-efi-amd64-signed']);

/** @type {Record<Purpose, readonly (keyof typeof borrowed)[]>} */
export const borrows = {
  check: ['nats-server'],
  bench: ['nats-server'],
  chaos: ['nats-server'],
  fuzz: [],
  start: ['nats-server', ...bootPrograms],
  demo: ['nats-server', ...bootPrograms],
  test: ['nats-server', ...bootPrograms],
};

/** @type {ReadonlySet<Purpose>} */
export const needsBuild = new Set(['bench', 'chaos', 'fuzz', 'start', 'demo', 'test']);

export const minimumNode = '20.19.0';
/** @type {readonly Purpose[]} */
export const purposes = ['demo', 'start', 'test', 'check', 'bench', 'chaos', 'fuzz'];
