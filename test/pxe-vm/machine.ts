import { copyFile, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { GrowingFile } from './growing-file';
import type { Lab } from './lab';
import { Qmp } from './qmp';
import { start, stop } from './run';

/**
 * `bios`: QEMU's iPXE option ROM; `uefi`: OVMF's own PXE; `uefi-http`: its HTTP boot; `uefi6`, `uefi-http6`: the same by IPv6 alone; `arm64…`: the same with AAVMF; `uefi-secure`, `arm64-secure`:
 * PXE with Secure Boot, Microsoft's keys enrolled; `arm64-u-boot`: U-Boot, which waits two seconds for somebody who types.
 */
export type Firmware =
  | 'bios'
  | ('uefi' | 'uefi6' | 'uefi-http' | 'uefi-http6' | 'uefi-secure')
  | ('arm64' | 'arm64-http' | 'arm64-secure' | 'arm64-u-boot');

export interface MachineOptions {
  readonly name: string;
  readonly firmware: Firmware;
  readonly mac: string;
  /** Scratch folder for the disk, the firmware's variables and the serial log. */
  readonly dir: string;
  readonly uuid?: string;
  readonly memoryMiB?: number;
  /** Default: one, since two that are emulated leave no core of a small host to the provisioner. */
  readonly cpus?: number;
  readonly diskMiB?: number;
  /** `network`: the network card comes first at every power-on, as in a rack; `disk`: an empty disk falls through to the network. */
  readonly bootOrder?: 'network' | 'disk';
  readonly accelerator?: string;
  /** An ISO in a CD drive, which comes first. */
  readonly cdrom?: string;
  /** EFI_SIGNATURE_LIST of the authorities that the firmware trusts in HTTPS boot. */
  readonly tlsAuthority?: string;
}

/** A virtual machine with a disk, a serial console and a power button. */
export interface Machine {
  readonly disk: string;
  readonly serialLog: string;
  /** Everything the console has shown so far. */
  console(): string;
  /** Resolves with the match once the console shows it (at or after offset `from` of console()). */
  waitFor(pattern: RegExp, timeoutMs: number, from?: number): Promise<RegExpMatchArray>;
  /** On the console. */
  type(text: string): void;
  reset(): Promise<void>;
  /** Power off at once. Safe to call again. */
  off(): Promise<void>;
}

const isArm = (firmware: Firmware) => firmware.startsWith('arm64');
const isUBoot = (firmware: Firmware) => firmware === 'arm64-u-boot';
export const uBoot = '/usr/lib/u-boot/qemu_arm64/u-boot.bin';
const isHttp = (firmware: Firmware) => /-http6?$/.test(firmware);
const isIpv6 = (firmware: Firmware) => firmware.startsWith('uefi') && firmware.endsWith('6');

/** Code and first contents of the variables; undefined: none. */
function firmwareFiles(firmware: Firmware): { readonly code: string; readonly vars: string } | undefined {
  if (firmware === 'bios' || isUBoot(firmware)) return undefined;
  const armVars = firmware === 'arm64-secure' ? 'AAVMF_VARS.ms.fd' : 'AAVMF_VARS.fd';
  if (isArm(firmware)) return { code: '/usr/share/AAVMF/AAVMF_CODE.fd', vars: `/usr/share/AAVMF/${armVars}` };
  const secure = { code: '/usr/share/OVMF/OVMF_CODE_4M.secboot.fd', vars: '/usr/share/OVMF/OVMF_VARS_4M.ms.fd' };
  if (firmware === 'uefi-secure') return secure;
  return { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', vars: '/usr/share/OVMF/OVMF_VARS_4M.fd' };
}

function board(firmware: Firmware): string {
  if (firmware === 'bios') return 'pc,graphics=off'; // SeaBIOS and iPXE write on the serial port
  if (isArm(firmware)) return 'virt';
  return firmware === 'uefi-secure' ? 'q35,smm=on' : 'q35';
}

/** Emulating the pointer authentication of `max` costs more than the rest of the processor. */
const armProcessor = 'neoverse-n1';
/** Without what is slow to emulate: strings moved byte by byte (else eight at once), a fifth level of page tables, and a guard around each copy of the kernel's. */
const pcProcessor = 'max,erms=off,fsrm=off,la57=off,smap=off';

function qemuArgs(options: MachineOptions, tap: string, files: Record<'disk' | 'vars' | 'qmp', string>): string[] {
  const {
    firmware,
    mac,
    memoryMiB = 1024,
    cpus = 1,
    bootOrder = 'network',
    accelerator = 'tcg,thread=multi,tb-size=256',
  } = options;
  const [nicIndex, diskIndex] = bootOrder === 'network' ? [1, 2] : [2, 1];
  const efi = firmwareFiles(firmware);
  const bios = isUBoot(firmware) ? ['-bios', uBoot] : [];
  // U-Boot 2023.01 sees 52:52:52:52:52:52 in the virtio one.
  const card = isUBoot(firmware) ? 'e1000' : 'virtio-net-pci';
  const processor = isArm(firmware) ? armProcessor : pcProcessor;
  return [
    ...['-accel', accelerator, '-cpu', processor, '-m', String(memoryMiB), '-smp', String(cpus), '-name', options.name],
    ...['-machine', board(firmware), ...bios],
    // Only the firmware in system management mode may write its variables: the keys are safe from the system.
    ...(firmware === 'uefi-secure' ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio', '-device', 'virtio-rng-pci'],
    ...(efi ? ['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${efi.code}`] : []),
    ...(efi ? ['-drive', `if=pflash,unit=1,format=raw,file=${files.vars}`] : []),
    ...withoutBoot(firmware).flatMap((way) => ['-fw_cfg', `name=opt/org.tianocore/${way}Support,string=n`]),
    // Its HTTP boot gives up at once while the link-local address is being checked for others that have it.
    ...(firmware === 'uefi-http6' ? ['-boot', 'menu=on,splash-time=5000'] : []),
    ...(options.tlsAuthority === undefined
      ? []
      : ['-fw_cfg', `name=etc/edk2/https/cacerts,file=${options.tlsAuthority}`]),
    ...['-netdev', `tap,id=n0,ifname=${tap},script=no,downscript=no`],
    // An empty romfile leaves network boot to the firmware's own stack.
    ...['-device', `${card},netdev=n0,mac=${mac},bootindex=${nicIndex}${efi ? ',romfile=' : ''}`],
    ...['-drive', `file=${files.disk},if=none,id=d0,format=raw,cache=unsafe,discard=unmap`],
    ...['-device', `virtio-blk-pci,drive=d0,serial=${options.name},bootindex=${diskIndex}`],
    ...(options.cdrom === undefined ? [] : cdDrive(firmware, options.cdrom)),
    ...['-uuid', options.uuid ?? '4c4c4544-0001-0001-0001-000000000001'],
    ...['-qmp', `unix:${files.qmp},server=on,wait=off`],
  ];
}

function cdDrive(firmware: Firmware, file: string): readonly string[] {
  // The board of arm64 has no IDE; by USB it is what a BMC shows.
  const [bus, drive] = isArm(firmware) ? [['-device', 'qemu-xhci'], 'usb-storage'] : [[], 'ide-cd'];
  const medium = `file=${file},if=none,id=cd0,format=raw,media=cdrom,readonly=on`;
  return [...bus, '-drive', medium, '-device', `${drive},drive=cd0,bootindex=0`];
}

/** What is switched off in the firmware, so that the way that is asked for comes first. */
function withoutBoot(firmware: Firmware): readonly string[] {
  return [...(isIpv6(firmware) ? ['IPv4'] : []), ...(isHttp(firmware) ? ['IPv4PXE', 'IPv6PXE'] : [])];
}

/** Not a shift: 4 GiB do not fit 32 bits. */
export function diskBytes(mebibytes = 1024): number {
  return mebibytes * 1024 * 1024;
}

export async function powerOn(lab: Lab, options: MachineOptions): Promise<Machine> {
  const file = (suffix: string) => join(options.dir, `${options.name}.${suffix}`);
  const files = { disk: file('raw'), vars: file('vars.fd'), qmp: file('qmp') };
  const serialLog = file('serial.log');
  const disk = await open(files.disk, 'a');
  await disk.truncate(diskBytes(options.diskMiB));
  await disk.close();
  await rm(files.qmp, { force: true });
  await writeFile(serialLog, '');
  const efi = firmwareFiles(options.firmware);
  if (efi) await copyFile(efi.vars, files.vars);

  const tap = await lab.addPort();
  const binary = isArm(options.firmware) ? 'qemu-system-aarch64' : 'qemu-system-x86_64';
  const [enter = '', ...enterArgs] = lab.enter;
  // A file takes every byte at once. What QEMU writes into a pipe to a reader that is busy is lost after 10 ms: the
  // kernel of the machine waits no longer for its serial port.
  const log = await open(serialLog, 'a');
  const child = start(enter, [...enterArgs, binary, ...qemuArgs(options, tap, files)], {
    stdio: ['pipe', log.fd, 'pipe'],
  });
  await log.close();
  const console = await GrowingFile.follow(serialLog);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = () => new Error(`QEMU ended (${child.exitCode}): ${stderr.trim()}`);

  return {
    disk: files.disk,
    serialLog,
    console: () => console.text,
    type: (typed) => child.stdin?.write(typed),
    waitFor: (pattern, timeoutMs, from = 0) =>
      new Promise((resolve, reject) => {
        const settle = (finish: () => void) => {
          clearTimeout(timer);
          console.off('more', look);
          child.off('close', atEnd);
          finish();
        };
        const look = () => {
          const found = console.text.slice(from).match(pattern);
          if (found) settle(() => resolve(found));
        };
        const atEnd = () => void console.read().then(() => settle(() => reject(ended())), reject);
        const late = `console did not show ${pattern} within ${timeoutMs / 1000} s; its end:\n`;
        const timer = setTimeout(
          () => settle(() => reject(new Error(`${late}${console.text.slice(-2000)}`))),
          timeoutMs,
        );
        console.on('more', look);
        child.once('close', atEnd);
        look();
        if (child.exitCode !== null || child.signalCode !== null) atEnd();
      }),
    async reset() {
      const qmp = await connectQmp(files.qmp);
      await qmp.execute('system_reset');
      qmp.close();
    },
    async off() {
      await stop(child, 2000);
      await console.close();
    },
  };
}

/** QEMU opens the socket a moment after it starts. */
async function connectQmp(path: string): Promise<Qmp> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await Qmp.connect(path);
    } catch (error) {
      if (attempt === 600) throw error;
      await delay(100);
    }
  }
}
