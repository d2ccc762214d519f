import type { HardwareInterface } from '@tinkerbell/events';
import type { Party } from './decision';

/** What a machine without a record may boot: the usual programs. */
export const usualNetboot: HardwareInterface['netboot'] = {
  allow_pxe: true,
  allow_workflow: false,
  ipxe: { url: '', contents: '', binary: '' },
  osie: { base_url: '', kernel: '', initrd: '', kernel_params: [], console: '' },
  rescue: false,
};

/** A machine without a record, beside a server that gives it its address. */
export function strangerOf(mac: string): Party {
  const dhcp = {
    ...{ mac, hostname: '', lease_time: 0, name_servers: [], time_servers: [], options: [], options6: [] },
    ...{ arch: '', uefi: false, iface_name: '', domain_name: '', vlan_id: 0, ip: null },
  };
  return { mac, hardwareId: null, interface: { dhcp, netboot: usualNetboot } };
}
