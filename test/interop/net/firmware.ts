// Machines with real firmware on a network of namespaces: QEMU without a disk, which boots from its network card or not at all.
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Network, spawnIn } from './namespace';

const ovmf = '/usr/share/OVMF';
/** What it takes: `bios` is QEMU's iPXE ROM, `uefi` is OVMF with its own PXE, `uefi-http` the same with its HTTP boot alone, `uefi6` by IPv6 alone. */
export const firmwareFiles = ['/usr/bin/qemu-system-x86_64', `${ovmf}/OVMF_CODE_4M.fd`];
export type Firmware = 'bios' | 'uefi' | 'uefi6' | 'uefi-http';
/** What of it is switched off. */
const without: Readonly<Record<Firmware, readonly string[]>> = {
  ...{ bios: [], uefi: [], uefi6: ['IPv4'], 'uefi-http': ['IPv4PXE', 'IPv6PXE'] },
};

/** `folder`: for the firmware's variables. Returns what switches it off. */
export async function powerOn(
  network: Network,
  folder: string,
  mac: string,
  firmware: Firmware,
): Promise<() => Promise<void>> {
  const tap = await network.addTap();
  const net = ['-netdev', `tap,id=n0,ifname=${tap},script=no,downscript=no`];
  const plain = ['-accel', 'tcg', '-cpu', 'max', '-m', '256', '-nodefaults', '-no-user-config', '-display', 'none'];
  const card = `virtio-net-pci,netdev=n0,mac=${mac},bootindex=1`;
  const command = ['qemu-system-x86_64', ...plain, '-device', 'virtio-rng-pci', ...net];
  const more = firmware === 'bios' ? ['-device', card] : ['-device', `${card},romfile=`, ...(await efi(folder, mac))];
  const off = without[firmware].flatMap((way) => ['-fw_cfg', `name=opt/org.tianocore/${way}Support,string=n`]);
  const child = spawnIn(network.server, [...command, ...more, ...off], {
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

async function efi(folder: string, mac: string): Promise<readonly string[]> {
  const vars = join(folder, `${mac}.fd`);
  await copyFile(`${ovmf}/OVMF_VARS_4M.fd`, vars);
  const flash = (unit: number, file: string) => ['-drive', `if=pflash,unit=${unit},format=raw,file=${file}`];
  return ['-machine', 'q35', ...flash(0, `${ovmf}/OVMF_CODE_4M.fd,readonly=on`), ...flash(1, vars)];
}
