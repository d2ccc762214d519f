// A real Debian with systemd: debootstrapped with mmdebstrap, a unit that names the machine and calls home.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codename } from '../setup/apt.mjs';
import { run, SetupError } from '../setup/shell.mjs';

const files = join(dirname(fileURLToPath(import.meta.url)), 'debian');
const packages = ['systemd-sysv', 'udev', 'iproute2', 'curl', 'linux-image-cloud-amd64', 'initramfs-tools', 'zstd'];

/** Built once and kept: the archive moves on, this image does not have to. */
export async function debianInputs() {
  return { suite: codename(), packages };
}

export async function buildDebianRoot({ suite }, work, note) {
  if (process.getuid() !== 0) throw new SetupError('the Debian image needs root (mmdebstrap installs packages in it)');
  const root = join(work, 'root');
  note(`installing Debian ${suite} into a folder, a minute or so`);
  const args = ['--mode=root', '--variant=minbase', `--include=${packages.join()}`, suite, root];
  // Without a mirror mmdebstrap takes apt's own sources from its standard input.
  await run('mmdebstrap', [...args, '-'], { input: sources(), timeoutMs: 900_000 });
  await configure(root);
  const boot = readdirSync(join(root, 'boot'));
  const find = (prefix) => {
    const name = boot.find((file) => file.startsWith(prefix));
    if (!name) throw new SetupError(`the Debian image has no /boot/${prefix}…`);
    return join(root, 'boot', name);
  };
  return {
    root,
    kernel: find('vmlinuz-'),
    initrd: find('initrd.img-'),
    commandLine: 'root=LABEL=tinkerbell rw console=tty0 console=ttyS0,115200 quiet panic=10',
    rootMiB: 900,
    seconds: Math.floor(Date.now() / 1000),
  };
}

/** Every source that this machine's apt uses for the suite, as one-line entries. */
function sources() {
  const format = '$(SITE) $(RELEASE) $(COMPONENT) $(REPO_URI)';
  const lines = execFileSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([, release, component, uri]) => `deb ${uri} ${release} ${component}`);
  return `${[...new Set(lines)].join('\n')}\n`;
}

async function configure(root) {
  const unit = 'etc/systemd/system/tinkerbell-first-contact.service';
  await copyFile(join(files, 'first-contact.service'), join(root, unit));
  await copyFile(join(files, 'first-contact'), join(root, 'usr/local/sbin/first-contact'));
  await chmod(join(root, 'usr/local/sbin/first-contact'), 0o755);
  await mkdir(join(root, 'etc/systemd/network'), { recursive: true });
  await copyFile(join(files, 'dhcp.network'), join(root, 'etc/systemd/network/10-dhcp.network'));
  const wants = join(root, 'etc/systemd/system/multi-user.target.wants');
  await mkdir(wants, { recursive: true });
  await symlink(
    '/etc/systemd/system/tinkerbell-first-contact.service',
    join(wants, 'tinkerbell-first-contact.service'),
  );
  await symlink('/lib/systemd/system/systemd-networkd.service', join(wants, 'systemd-networkd.service'));
  await writeFile(join(root, 'etc/fstab'), 'LABEL=tinkerbell / ext4 defaults 0 1\n');
  await writeFile(join(root, 'etc/hostname'), 'localhost\n');
  await writeFile(join(root, 'etc/machine-id'), '');
}
