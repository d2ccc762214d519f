import type {
  HardwareDeleted,
  HardwareInterface,
  HardwareRecord,
  HardwareRegistered,
  HardwareUpdated,
} from '@tinkerbell/events';

export const hardwareId = '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a95';

/** One interface: 08-00-27-00-00-01, 192.168.1.5/29 behind 192.168.1.1, may netboot. */
export function hardwareInterface(
  mac = '08-00-27-00-00-01',
  address = '192.168.1.5',
  netboot: Partial<HardwareInterface['netboot']> = {},
): HardwareInterface {
  return {
    dhcp: {
      mac,
      hostname: 'server001',
      lease_time: 86_400,
      name_servers: [],
      time_servers: [],
      arch: 'x86_64',
      uefi: false,
      iface_name: '',
      domain_name: '',
      ip: { address, netmask: '255.255.255.248', gateway: '192.168.1.1', family: 4 },
      options: [],
      options6: [],
      vlan_id: 0,
    },
    netboot: {
      allow_pxe: true,
      allow_workflow: true,
      ipxe: { url: '', contents: '', binary: '' },
      osie: { base_url: '', kernel: '', initrd: '', kernel_params: [], console: '' },
      rescue: false,
      ...netboot,
    },
  };
}

export function hardwareRecord(over: Partial<HardwareRecord> = {}): HardwareRecord {
  return { id: hardwareId, version: 0, metadata: {}, network: { interfaces: [hardwareInterface()] }, ...over };
}

export function hardwareRegistered(hardware = hardwareRecord()): HardwareRegistered {
  return { type: 'HardwareRegistered', v: 4, data: { hardware } };
}

export function hardwareUpdated(hardware = hardwareRecord()): HardwareUpdated {
  return { type: 'HardwareUpdated', v: 4, data: { hardware } };
}

export function hardwareDeleted(): HardwareDeleted {
  return { type: 'HardwareDeleted', v: 1, data: {} };
}
