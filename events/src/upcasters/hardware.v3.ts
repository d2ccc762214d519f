import type { JsonObject } from '../event';
import { objectOf, withInterfaces } from './hardware.v1';

/** The reservations had no options of DHCPv6. */
export function hardwareV3(data: JsonObject): JsonObject {
  return withInterfaces(data, (item) => ({ ...item, dhcp: { ...objectOf(item['dhcp']), options6: [] } }));
}
