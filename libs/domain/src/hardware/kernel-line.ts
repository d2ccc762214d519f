import type { HardwareInterface } from '@tinkerbell/events';

/** The kernel takes no more (COMMAND_LINE_SIZE of x86 and arm64, with the NUL), and would cut off the end without a word. */
export const longestKernelLine = 2047;

/**
 * Characters that the kernel command line of this interface has at the least: what boots says beside the record's own is longer at most
 * sites. 0: OSIE is not booted.
 */
export function leastKernelLine(id: string, { dhcp, netboot }: HardwareInterface): number {
  const { osie, ipxe, rescue } = netboot;
  if (!rescue && (ipxe.url !== '' || ipxe.contents !== '')) return 0;
  const forWorker = [`worker_id=${id}`, 'tink_server=https://h', `tink_token=${'x'.repeat(43)}`];
  const words = [
    ...['console=tty0', `console=${osie.console || 'ttyS0,115200'}`, 'panic=10', 'quiet', ...osie.kernel_params],
    ...[`hw_addr=${dhcp.mac}`, 'tinkerbell=http://h', 'tink_cert=http://h', `tink_ca=${'x'.repeat(64)}`],
    ...(rescue ? ['tink_mode=rescue'] : forWorker),
    ...(dhcp.vlan_id === 0 ? [] : [`vlan_id=${dhcp.vlan_id}`]),
  ];
  return words.join(' ').length;
}
