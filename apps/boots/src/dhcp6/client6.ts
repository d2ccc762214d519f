import {
  clientArch,
  clientId,
  type Dhcp6Message,
  hexOf,
  linkLayerAddress,
  linkLayerMac,
  macOfDuid,
  type Options,
  parseDuid,
  readOption,
  type RelayMessage,
  userClass,
  vendorClass,
} from '@tinkerbell/dhcp6';
import { parseIpv6 } from '@tinkerbell/bytes';
import type { BootClient } from '../dhcp/boot-client';
import { type ClientClass, fittingClasses } from '../dhcp/client-class';

/**
 * MACs that the client may have, the best word on the interface that asks first: the relay's (RFC 6939), that of its link-local address
 * where it is made from the MAC (RFC 4291, appendix A), that of its DUID, which may come from another interface of the machine.
 */
export function macsOf({ options }: Dhcp6Message, relays: readonly RelayMessage[], peer: string): readonly string[] {
  const near = relays.at(-1);
  const link = near && readOption(near.options, linkLayerAddress);
  const id = readOption(options, clientId);
  const found = [
    link && linkLayerMac(link),
    macOfAddress(near?.peer ?? peer),
    id && macOfDuid(parseDuid(id, clientId.code)),
  ];
  return [...new Set(found.filter((mac) => mac !== undefined))];
}

/** `fe80::5054:ff:fe99:1` → `52-54-00-99-00-01`; undefined for an address that does not come from a MAC. */
export function macOfAddress(address: string): string | undefined {
  const groups = parseIpv6(address.replace(/%.*$/, ''));
  if (!groups || groups[0] !== 0xfe80) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = groups.slice(4);
  if ((b & 0xff) !== 0xff || c >>> 8 !== 0xfe) return undefined;
  const bytes = [(a >>> 8) ^ 2, a & 0xff, b >>> 8, c & 0xff, d >>> 8, d & 0xff];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('-');
}

/** undefined: nothing that wants to boot from us. Throws MalformedOptionError. */
export function bootClient6(options: Options): BootClient | undefined {
  const classes = readOption(options, userClass) ?? [];
  const vendor = vendorKind(options);
  const isIpxe = classes.includes('iPXE') || classes.includes('Tinkerbell');
  if (!isIpxe && vendor === undefined) return undefined;
  const arch = readOption(options, clientArch)?.[0] ?? null;
  return { kind: isIpxe ? 'iPXE' : (vendor ?? 'PXEClient'), arch, userClass: classes.join(','), isRaspberryPi: false };
}

/** Throws MalformedOptionError. */
export function classesOf6(
  { options }: Dhcp6Message,
  mac: string | null,
  classes: readonly ClientClass[],
): readonly ClientClass[] {
  if (classes.length === 0) return [];
  const traits = {
    archs: readOption(options, clientArch) ?? [],
    vendors: readOption(options, vendorClass)?.classes ?? [],
    users: readOption(options, userClass) ?? [],
    mac: mac ?? '',
  };
  return fittingClasses(traits, classes);
}

export function vendorKind(options: Options): 'PXEClient' | 'HTTPClient' | undefined {
  const [name = ''] = readOption(options, vendorClass)?.classes ?? [];
  return name.startsWith('PXEClient') ? 'PXEClient' : name.startsWith('HTTPClient') ? 'HTTPClient' : undefined;
}

/** An identity association by its full name, `<DUID>:<IAID>`, hex. */
export function associationOf(duid: Uint8Array, iaid: number): string {
  return `${hexOf(duid)}:${iaid.toString(16).padStart(8, '0')}`;
}
