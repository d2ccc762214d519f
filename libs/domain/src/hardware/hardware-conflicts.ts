import type { HardwareRecord } from '@tinkerbell/events';
import { formatMac } from '../address/mac';
import { ConflictError } from '../errors';

/** Id of the hardware that has this MAC (`aa-bb-…`) or this address now; undefined: nobody. */
export type FindHardware = (key: string) => { readonly id: string } | undefined;

/** MACs and addresses of the record that belong to other hardware already, one error for each. */
/** `value` as people write it; `path`: where it stands in the record. */
export function hardwareConflicts(
  hardware: HardwareRecord,
  findByMac: FindHardware,
  findByIp: FindHardware,
): readonly ConflictError[] {
  return hardware.network.interfaces.flatMap(({ dhcp }, index) => {
    const path = `network.interfaces[${index}].dhcp`;
    const macOwner = findByMac(dhcp.mac)?.id;
    const ipOwner = dhcp.ip === null ? undefined : findByIp(dhcp.ip.address)?.id;
    return [
      ...(macOwner === undefined || macOwner === hardware.id
        ? []
        : [hardwareConflict('MAC', formatMac(dhcp.mac), macOwner, `${path}.mac`)]),
      ...(dhcp.ip === null || ipOwner === undefined || ipOwner === hardware.id
        ? []
        : [hardwareConflict('IP', dhcp.ip.address, ipOwner, `${path}.ip.address`)]),
    ];
  });
}

/** `value` as people write it; `path`: where it stands in the record. */
export function hardwareConflict(kind: 'MAC' | 'IP', value: string, owner: string, path: string): ConflictError {
  return new ConflictError(
    `conflicting hardware ${kind} address ${value} provided with hardware data/info: it belongs to hardware ${owner}`,
    path,
  );
}

/** What is unique about a machine, each with its place in the record. */
export function hardwareKeys({ network }: HardwareRecord): readonly HardwareKey[] {
  return network.interfaces.flatMap(({ dhcp }, index): readonly HardwareKey[] => {
    const path = `network.interfaces[${index}].dhcp`;
    const ip = dhcp.ip && ({ kind: 'ip', value: dhcp.ip.address, path: `${path}.ip.address` } as const);
    return [{ kind: 'mac', value: dhcp.mac, path: `${path}.mac` }, ...(ip ? [ip] : [])];
  });
}

export interface HardwareKey {
  readonly kind: 'mac' | 'ip';
  readonly value: string;
  readonly path: string;
}
