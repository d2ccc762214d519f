import { word } from './script-value';

/** Loaders that an installed system leaves on its EFI partition, most general first. */
const loaders = [
  '\\EFI\\BOOT\\${loader}',
  '\\EFI\\debian\\${grub}',
  '\\EFI\\ubuntu\\${grub}',
  '\\EFI\\Microsoft\\Boot\\bootmgfw.efi',
];
const drives = [0, 1];

/**
 * For a machine that has nothing to install: start what is on its own disk. BIOS: `exit` hands back to the firmware, which goes on
 * with its next device. UEFI firmware takes a plain `exit` for success and opens its menu, so there the loader is started from the disk
 * (iPXE of 2025; the one of 2019 says "No such device"), and failing all, `exit 1` sends the firmware on to its next boot option.
 */
export function localBootScript(machine: { readonly mac: string }): string {
  return [
    '#!ipxe',
    '',
    `echo Tinkerbell: nothing to install on ${word('mac', machine.mac)}, booting its own disk`,
    'iseq ${platform} efi && goto efi ||',
    'exit',
    ':efi',
    'iseq ${buildarch} arm64 && set loader BOOTAA64.EFI || set loader BOOTX64.EFI',
    'iseq ${buildarch} arm64 && set grub grubaa64.efi || set grub grubx64.efi',
    ...drives.flatMap((drive) =>
      loaders.map((loader) => `sanboot --no-describe --drive ${drive} --filename ${loader} ||`),
    ),
    'echo Tinkerbell: no loader found on the first two disks, back to the firmware',
    'exit 1',
    '',
  ].join('\n');
}
