import type { HardwareDhcp, HardwareNetboot, HardwareRecord, JsonObject } from '@tinkerbell/events';
import { formatMac } from '../address/mac';

/** A record as people and other programs see it: the JSON that was pushed, MACs as `aa:bb:…`, our additions only where they are used. */
export interface PresentedHardware {
  readonly id: string;
  readonly version: number;
  readonly metadata: JsonObject;
  readonly network: {
    readonly interfaces: readonly {
      readonly dhcp: Omit<HardwareDhcp, 'domain_name' | 'ip' | 'options'> &
        Partial<Pick<HardwareDhcp, 'domain_name' | 'ip' | 'options'>>;
      readonly netboot: Omit<HardwareNetboot, 'ipxe'> & {
        readonly ipxe: Omit<HardwareNetboot['ipxe'], 'binary'> & { readonly binary?: string };
      };
    }[];
  };
}

/** parseHardware(presentHardware(record)) is the record again. */
export function presentHardware({ id, version, metadata, network }: HardwareRecord): PresentedHardware {
  const interfaces = network.interfaces.map(({ dhcp, netboot }) => {
    const { domain_name, ip, options, ...rest } = dhcp;
    const { binary, ...ipxe } = netboot.ipxe;
    return {
      dhcp: {
        ...rest,
        mac: formatMac(dhcp.mac),
        ...(domain_name === '' ? {} : { domain_name }),
        ...(ip === null ? {} : { ip }),
        ...(options.length === 0 ? {} : { options }),
      },
      netboot: { ...netboot, ipxe: { ...ipxe, ...(binary === '' ? {} : { binary }) } },
    };
  });
  return { id, version, metadata, network: { interfaces } };
}
