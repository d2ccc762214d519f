import {
  clientArch,
  type DhcpPacket,
  ipxeOptions,
  macOf,
  messageType,
  readOption,
  userClass,
  vendorClass,
} from '@tinkerbell/dhcp';
import { isRaspberryPi } from './raspberry-pi';

/** What asks to be netbooted. */
export interface BootClient {
  readonly kind: 'PXEClient' | 'HTTPClient' | 'iPXE';
  /** Best of option 93 (RFC 4578 §2.1); null when the client did not say. */
  readonly arch: number | null;
  /** Option 77, '' without one. */
  readonly userClass: string;
  readonly isRaspberryPi: boolean;
}

const ownUserClass = 'Tinkerbell';

/**
 * Firmware that wants a network boot program: a DISCOVER or REQUEST with option 60 `PXEClient…` or `HTTPClient…`, options 93 and 94, and
 * a machine id (97) that is absent, empty or a GUID.
 */
export function isNetbootClient({ options }: DhcpPacket): boolean {
  const type = readOption(options, messageType);
  return (type === 'discover' || type === 'request') && isFirmware(options);
}

function isFirmware(options: DhcpPacket['options']): boolean {
  const vendor = vendorName(options);
  if (vendor === undefined || !options.has(93) || !options.has(94)) return false;
  const machineId = options.get(97) ?? new Uint8Array();
  return machineId.length === 0 || (machineId.length === 17 && machineId[0] === 0);
}

/** undefined: an operating system, or anything else that does not want to boot from us. Throws MalformedOptionError. */
export function bootClientOf(packet: DhcpPacket): BootClient | undefined {
  const { options } = packet;
  const classes = readOption(options, userClass)?.classes ?? [];
  // iPXE built without option 77, or with another one set by its script, still sends option 175.
  const isIpxe = classes.includes('iPXE') || classes.includes(ownUserClass) || options.has(ipxeOptions.code);
  const vendor = vendorName(options);
  if (!isIpxe && (vendor === undefined || !isFirmware(options))) return undefined;
  const arch = readOption(options, clientArch)?.[0] ?? null;
  const kind = isIpxe ? 'iPXE' : (vendor ?? 'PXEClient');
  const isPi = kind === 'PXEClient' && isRaspberryPi(macOf(packet) ?? '', arch, options);
  return { kind, arch, userClass: classes.join(','), isRaspberryPi: isPi };
}

/** `set user-class Tinkerbell` in a script of ours: it has been through our iPXE, so it never gets a program again. */
export function isOurIpxe(client: BootClient): boolean {
  return client.userClass.split(',').includes(ownUserClass);
}

export function vendorName(options: DhcpPacket['options']): 'PXEClient' | 'HTTPClient' | undefined {
  const text = options.has(vendorClass.code) ? (readOption(options, vendorClass) ?? '') : '';
  return text.startsWith('PXEClient') ? 'PXEClient' : text.startsWith('HTTPClient') ? 'HTTPClient' : undefined;
}
