import type {
  BootEvent,
  BootFileServed,
  BootRequestFailed,
  BootScriptServed,
  EnrolmentTokenIssued,
  LeaseBound,
  LeaseEnded,
  LeaseReleased,
  LeaseRenewed,
  MachinePhonedHome,
  NetbootOffered,
  OsieStarted,
  WorkerCredentialRenewed,
  WorkerEnrolled,
  WorkerReady,
} from '@tinkerbell/events';
import { hardwareId } from './hardware';

export const machineMac = '08-00-27-00-00-01';
const booting = { hardwareId, mac: machineMac };
const holder = {
  ...{ mac: machineMac, hardwareId, clientId: null },
  ...{ ip: '192.168.1.5', subnet: '', origin: 'reservation' as const },
};
const expiresAt = '2026-01-02T00:00:00.000Z';

export function leaseBound(over: Partial<LeaseBound['data']> = {}): LeaseBound {
  const data = { ...holder, hostname: 'server001', leaseSeconds: 86_400, expiresAt, giaddr: null, ...over };
  return { type: 'LeaseBound', v: 2, data };
}

export function leaseRenewed(over: Partial<LeaseRenewed['data']> = {}): LeaseRenewed {
  const data = { ...holder, leaseSeconds: 86_400, expiresAt, clientState: 'renewing' as const, ...over };
  return { type: 'LeaseRenewed', v: 2, data };
}

export function leaseReleased(over: Partial<LeaseReleased['data']> = {}): LeaseReleased {
  return { type: 'LeaseReleased', v: 2, data: { ...holder, ...over } };
}

export function leaseEnded(over: Partial<LeaseEnded['data']> = {}): LeaseEnded {
  return { type: 'LeaseEnded', v: 1, data: { ...holder, was: 'bound', expiresAt, ...over } };
}

export function netbootOffered(over: Partial<NetbootOffered['data']> = {}): NetbootOffered {
  const data = {
    ...booting,
    ip: '192.168.1.5',
    arch: 0,
    client: 'PXEClient' as const,
    userClass: '',
    bootFile: 'undionly.kpxe',
    ticketHash: null,
    ticketExpiresAt: null,
    ...over,
  };
  return { type: 'NetbootOffered', v: 3, data };
}

export function bootFileServed(over: Partial<BootFileServed['data']> = {}): BootFileServed {
  const data = {
    ...booting,
    address: '192.168.1.5',
    protocol: 'tftp' as const,
    role: 'nbp' as const,
    file: 'undionly.kpxe',
    bytes: 70_000,
    seconds: 0.2,
    ...over,
  };
  return { type: 'BootFileServed', v: 2, data };
}

export function bootScriptServed(over: Partial<BootScriptServed['data']> = {}): BootScriptServed {
  const ticket = { format: 'iPXE' as const, address: '192.168.1.5', ticketHash: null, ticketExpiresAt: null };
  const data = { ...booting, script: 'osie' as const, tokenHash: 'a'.repeat(64), expiresAt, ...ticket, ...over };
  return { type: 'BootScriptServed', v: 3, data };
}

export function osieStarted(uptimeSeconds = 5, over: Partial<OsieStarted['data']> = {}): OsieStarted {
  return { type: 'OsieStarted', v: 2, data: { ...booting, uptimeSeconds, ...over } };
}

/** From power-on to the in-memory OS, by firmware and boot medium. */
export function bootWays(): Readonly<Record<'PXE' | 'UEFI HTTP' | 'ISO' | 'GRUB', readonly BootEvent[]>> {
  const kernel = bootFileServed({ protocol: 'http', role: 'kernel', file: 'vmlinuz-x86_64' });
  const initrd = bootFileServed({ protocol: 'http', role: 'initramfs', file: 'initramfs-x86_64' });
  const iso = bootFileServed({ protocol: 'http', role: 'other', file: 'machine.iso' });
  const up = [kernel, initrd, osieStarted()];
  const scripted = [netbootOffered({ client: 'iPXE', bootFile: 'auto.ipxe' }), bootScriptServed(), ...up];
  const ipxe = { protocol: 'http', file: 'ipxe.efi' } as const;
  return {
    PXE: [netbootOffered(), bootFileServed(), ...scripted],
    'UEFI HTTP': [netbootOffered({ client: 'HTTPClient', arch: 16 }), bootFileServed(ipxe), ...scripted],
    // With a fixed address there is no DHCP.
    ISO: [iso, bootScriptServed(), ...up],
    GRUB: [
      ...[netbootOffered({ arch: 7, bootFile: 'grubx64.efi' }), bootFileServed({ file: 'grubx64.efi' })],
      ...[bootFileServed({ role: 'other', file: 'command.lst' }), bootScriptServed({ format: 'GRUB' }), ...up],
    ],
  };
}

/** From power-on until the installed system phones home. */
export function wholeBoot(): readonly BootEvent[] {
  return [
    ...[
      netbootOffered(),
      bootFileServed(),
      netbootOffered({ client: 'iPXE', bootFile: 'auto.ipxe' }),
      bootScriptServed(),
    ],
    bootFileServed({ protocol: 'http', role: 'kernel', file: 'vmlinuz-x86_64' }),
    ...[osieStarted(), machinePhonedHome()],
  ];
}

/** What an action fetches, long after the machine has booted. */
export function actionImageServed(): BootFileServed {
  return bootFileServed({ protocol: 'http', role: 'other', file: 'debian.raw.gz', bytes: 300_000_000, seconds: 9 });
}

export function bootRequestFailed(over: Partial<BootRequestFailed['data']> = {}): BootRequestFailed {
  const at = '2026-01-01T00:00:00.000Z';
  const what = { protocol: 'dhcp' as const, reason: 'no-boot-file', detail: 'discover of PXEClient, architecture 9' };
  const data = { ...booting, ...what, source: '192.168.1.5', count: 1, firstAt: at, lastAt: at, ...over };
  return { type: 'BootRequestFailed', v: 1, data };
}

export function machinePhonedHome(over: Partial<MachinePhonedHome['data']> = {}): MachinePhonedHome {
  const data = { ...booting, kind: '', body: '', address: '192.168.1.5', ...over };
  return { type: 'MachinePhonedHome', v: 1, data };
}

export function enrolmentTokenIssued(tokenHash = 'b'.repeat(64)): EnrolmentTokenIssued {
  return { type: 'EnrolmentTokenIssued', v: 1, data: { tokenHash, expiresAt } };
}

export function workerEnrolled(over: Partial<WorkerEnrolled['data']> = {}): WorkerEnrolled {
  const data = {
    mac: machineMac,
    publicKey: `U${'A'.repeat(55)}`,
    tokenHash: 'a'.repeat(64),
    address: '192.168.1.5',
    expiresAt,
    ...over,
  };
  return { type: 'WorkerEnrolled', v: 1, data };
}

export function workerCredentialRenewed(over: Partial<WorkerCredentialRenewed['data']> = {}): WorkerCredentialRenewed {
  const data = { mac: machineMac, publicKey: `U${'A'.repeat(55)}`, address: '192.168.1.5', expiresAt, ...over };
  return { type: 'WorkerCredentialRenewed', v: 1, data };
}

export function workerReady(over: Partial<WorkerReady['data']> = {}): WorkerReady {
  const data = {
    workerVersion: '0.1.0',
    hostname: 'server001',
    kernel: '6.1.0',
    node: '24.0.0',
    engine: 'podman',
    cpus: 2,
    memoryBytes: 1_073_741_824,
    uptimeSeconds: 8,
    ...over,
  };
  return { type: 'WorkerReady', v: 1, data };
}
