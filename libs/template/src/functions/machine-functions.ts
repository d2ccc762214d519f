import { parseIpv4 } from '@tinkerbell/domain';
import { FunctionError } from '../go-template/values';
import { fn, type TemplateFunction } from './function';

/** Tinkerbell's own functions. */
export const machineFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['formatPartition', fn(['string', 'int'], formatPartition)],
  ['netmaskToPrefixLength', fn(['string'], prefixLength)],
];

/** `/dev/sda` 1 → `/dev/sda1`, `/dev/nvme0n1` 1 → `/dev/nvme0n1p1`, `/dev/disk/by-id/x` 1 → `/dev/disk/by-id/x-part1`. */
function formatPartition(disk: string, partition: number): string {
  if (disk.startsWith('/dev/disk/')) return `${disk}-part${partition}`;
  return `${disk}${/[0-9]$/.test(disk) ? 'p' : ''}${partition}`;
}

/** `255.255.255.0` → `24`. As in the original, a mask with a hole in it is 0. */
function prefixLength(netmask: string): string {
  if (parseIpv4(netmask) === undefined) {
    const isIpv6 = /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(netmask);
    throw new FunctionError(isIpv6 ? `netmask must be IPv4: ${netmask}` : `invalid netmask format: ${netmask}`);
  }
  const bits = netmask
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('');
  const [, ones] = /^(1*)0*$/.exec(bits) ?? [];
  return String(ones?.length ?? 0);
}
