import { kernelArguments, type OsieBoot, osieFiles } from './osie-boot';
import { UnsafeScriptValueError } from './script-value';

/** `grub/grub.cfg`. Every value stands in apostrophes, in which GRUB knows no special characters; none of them holds one. */
export function grubOsie(boot: OsieBoot): string {
  const { base, kernel, initrds } = osieFiles(boot);
  const root = rootOf(base, boot.bootsUrl);
  const words = kernelArguments(boot, [`BOOT_IMAGE=${root}/${kernel}`]).map(quoted);
  return lines([
    `echo ${quoted(`Tinkerbell: booting the in-memory OS on ${boot.mac}`)}`,
    `if linux ${quoted(`${root}/${kernel}`)} ${words.join(' ')}; then`,
    ...(initrds.length > 0 ? [`  initrd ${initrds.map(({ path }) => quoted(`${root}/${path}`)).join(' ')}`] : []),
    '  boot',
    'fi',
    "echo 'Tinkerbell: giving up, does this machine reach boots? Restarting in 30 seconds.'",
    'sleep 30',
    'reboot',
  ]);
}

/** The loaders that an installed system leaves on its EFI partition; BIOS: the boot sector of the first disk. */
const loaders = ['/EFI/BOOT/$loader', '/EFI/debian/$shim', '/EFI/debian/$grub', '/EFI/ubuntu/$shim'];

export function grubLocal({ mac }: { readonly mac: string }): string {
  return lines([
    `echo ${quoted(`Tinkerbell: nothing to install on ${mac}, booting its own disk`)}`,
    'if [ "$grub_platform" = efi ]; then',
    '  if [ "$grub_cpu" = arm64 ]; then set arch=aa64; set loader=BOOTAA64.EFI; else set arch=x64; set loader=BOOTX64.EFI; fi',
    '  set shim=shim$arch.efi; set grub=grub$arch.efi',
    `  for file in ${[...loaders, '/EFI/Microsoft/Boot/bootmgfw.efi'].join(' ')}; do`,
    // As root: a loader is told that it comes from there, whatever device its name begins with.
    '    if search --no-floppy --set=root --file $file; then',
    '      if chainloader $file; then boot; fi',
    '    fi',
    '  done',
    'else',
    // Not in a core that was loaded from the network.
    '  insmod biosdisk',
    '  set root=(hd0)',
    '  if chainloader +1; then boot; fi',
    'fi',
    'exit',
  ]);
}

export function grubCustom(): string {
  return lines([
    "echo 'Tinkerbell: the script in the record of this machine is for iPXE, not for GRUB'",
    'sleep 10',
    'exit',
  ]);
}

/** For the folder of one architecture, in which Debian's GRUB looks first. */
export const grubOfArchitecture = 'source $prefix/grub.cfg\n';

/** What is ours comes by TFTP, because the GRUB that Debian signs has no HTTP; that of others by HTTP, of which GRUB knows port 80 only. */
function rootOf(base: string, bootsUrl: string): string {
  const [, host = '', port = '80', path = ''] = /^http:\/\/(\[[^\]]+\]|[^/:]+)(?::(\d+))?(\/.*)?$/i.exec(base) ?? [];
  if (base === `${bootsUrl}/osie`) return `(tftp,${host})/osie`;
  if (host !== '' && port === '80') return `(http,${host})${path}`;
  throw new UnsafeScriptValueError('osieUrl', base, 'GRUB fetches by HTTP from port 80 only');
}

function quoted(text: string): string {
  return `'${text}'`;
}

function lines(body: readonly string[]): string {
  return ['set timeout=0', ...body, ''].join('\n');
}
