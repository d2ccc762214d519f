import type { JsonObject } from '../event';
import { objectOf, withInterfaces } from './hardware.v1';

/** The records had no VLAN, kernel arguments, console and rescue. */
export function hardwareV2(data: JsonObject): JsonObject {
  return withInterfaces(data, ({ dhcp, netboot, ...rest }) => {
    const boot = objectOf(netboot);
    return {
      ...rest,
      dhcp: { ...objectOf(dhcp), vlan_id: 0 },
      netboot: { ...boot, osie: { ...objectOf(boot['osie']), kernel_params: [], console: '' }, rescue: false },
    };
  });
}
