// A real Debian: minbase with systemd and the cloud kernel, made by mmdebstrap from this machine's own archive.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codename, machineMirror } from '../setup/apt.mjs';
import { run, SetupError } from '../setup/shell.mjs';
import { makeDisk } from './disk.mjs';

const files = join(dirname(fileURLToPath(import.meta.url)), 'files');
const packages = [
  'systemd-sysv',
  'udev',
  'iproute2',
  'linux-image-cloud-amd64',
  'initramfs-tools',
  'zstd',
  'ca-certificates',
  'curl',
  'systemd-resolved',
];

/** The image is made once per recipe; --force takes the archive's newer packages. */
export async function debianInputs() {
  return [codename(), ...packages];
}

export async function buildDebian(work, note) {
  if (process.getuid?.() !== 0) throw new SetupError('the Debian image is made by mmdebstrap, which needs root here');
  const suite = codename();
  const { uri, signedBy } = machineMirror();
  const root = join(work, 'root');
  await mkdir(root);
  note(`making Debian ${suite} with mmdebstrap`);
  const keyring = signedBy ? [`--keyring=${signedBy}`] : [];
  await run('mmdebstrap', [
    '--mode=root',
    '--variant=minbase',
    `--include=${packages.join(',')}`,
    ...keyring,
    ...customise(),
    suite,
    root,
    uri,
  ]);
  const boot = (prefix) => {
    const name = readdirSync(join(root, 'boot')).find((each) => each.startsWith(prefix));
    if (!name) throw new SetupError(`mmdebstrap left no /boot/${prefix}…`);
    return join(root, 'boot', name);
  };
  const kernel = boot('vmlinuz-');
  const usedMiB = Number(execFileSync('du', ['-sm', root], { encoding: 'utf8' }).split('\t')[0]);
  const file = join(work, 'debian.raw');
  await makeDisk({
    file,
    work,
    root,
    kernel,
    initrd: boot('initrd.img-'),
    espMiB: 128,
    rootMiB: Math.ceil((usedMiB * 1.35) / 64) * 64 + 128,
    label: 'tinkerbell-root',
    commandLine: 'root=LABEL=tinkerbell-root rw console=tty0 console=ttyS0,115200 panic=10 quiet',
    seconds: Math.floor(statSync(kernel).mtimeMs / 1000),
  });
  return file;
}

/** Hooks of mmdebstrap; `$1` is the new root. */
function customise() {
  const unit = (name) => `install -Dm644 ${join(files, 'debian', name)} "$1/etc/systemd/system/${name}"`;
  const hooks = [
    'sed -i "s/^root:[^:]*:/root:*:/" "$1/etc/shadow"',
    'printf "LABEL=tinkerbell-root / ext4 defaults,errors=remount-ro 0 1\\nLABEL=ESP /boot/efi vfat defaults,nofail 0 2\\n" >"$1/etc/fstab"',
    'echo localhost >"$1/etc/hostname"; : >"$1/etc/machine-id"; rm -f "$1/var/lib/dbus/machine-id"; mkdir -p "$1/boot/efi"',
    `install -Dm644 ${join(files, 'debian/10-wired.network')} "$1/etc/systemd/network/10-wired.network"`,
    `install -Dm755 ${join(files, 'debian/tinkerbell-first-boot')} "$1/usr/local/sbin/tinkerbell-first-boot"`,
    unit('tinkerbell-first-boot.service'),
    'chroot "$1" systemctl enable systemd-networkd systemd-networkd-wait-online tinkerbell-first-boot.service',
    'rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/* "$1"/var/log/*.log "$1"/var/log/apt',
  ];
  for (const hook of ['10-wired.network', 'tinkerbell-first-boot', 'tinkerbell-first-boot.service'])
    if (!existsSync(join(files, 'debian', hook))) throw new SetupError(`infra/images/files/debian/${hook} is missing`);
  return hooks.map((hook) => `--customize-hook=${hook}`);
}
