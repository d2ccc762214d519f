import type { HardwareDhcp, HardwareNetboot, HardwareRecord, JsonObject } from '@tinkerbell/events';
import { formatMac } from '../address/mac';

/** A record as people and other programs see it: the JSON that was pushed, MACs as `aa:bb:…`, our additions only where they are used. */
export interface PresentedHardware {
  readonly id: string;
  readonly version: number;
  readonly metadata: JsonObject;
  readonly network: {
    readonly interfaces: readonly {
      readonly dhcp: Omit<HardwareDhcp, 'domain_name' | 'ip' | 'options' | 'options6' | 'vlan_id'> &
        Partial<Pick<HardwareDhcp, 'domain_name' | 'ip' | 'options' | 'options6' | 'vlan_id'>>;
      readonly netboot: Omit<HardwareNetboot, 'ipxe' | 'osie' | 'rescue'> & {
        readonly ipxe: Omit<HardwareNetboot['ipxe'], 'binary'> & { readonly binary?: string };
        readonly osie: Omit<HardwareNetboot['osie'], 'kernel_params' | 'console'> &
          Partial<Pick<HardwareNetboot['osie'], 'kernel_params' | 'console'>>;
        readonly rescue?: boolean;
      };
    }[];
  };
}

/** parseHardware(presentHardware(record)) is the record again. */
export function presentHardware({ id, version, metadata, network }: HardwareRecord): PresentedHardware {
  const interfaces = network.interfaces.map(({ dhcp, netboot }) => {
    const { domain_name, ip, options, options6, vlan_id, ...rest } = dhcp;
    const { rescue, ...boot } = netboot;
    const { binary, ...ipxe } = boot.ipxe;
    const { kernel_params, console, ...osie } = boot.osie;
    return {
      dhcp: {
        ...rest,
        mac: formatMac(dhcp.mac),
        ...(domain_name === '' ? {} : { domain_name }),
        ...(ip === null ? {} : { ip }),
        ...(options.length === 0 ? {} : { options }),
        ...(options6.length === 0 ? {} : { options6 }),
        ...(vlan_id === 0 ? {} : { vlan_id }),
      },
      netboot: {
        ...boot,
        ipxe: { ...ipxe, ...(binary === '' ? {} : { binary }) },
        osie: {
          ...osie,
          ...(kernel_params.length === 0 ? {} : { kernel_params }),
          ...(console === '' ? {} : { console }),
        },
        ...(rescue ? { rescue } : {}),
      },
    };
  });
  return { id, version, metadata, network: { interfaces } };
}
