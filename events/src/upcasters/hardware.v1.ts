import type { Json, JsonObject } from '../event';

/** The reservations had no DHCP options of their own. */
export function hardwareV1(data: JsonObject): JsonObject {
  return withInterfaces(data, (item) => ({ ...item, dhcp: { ...objectOf(item['dhcp']), options: [] } }));
}

export function withInterfaces(data: JsonObject, change: (item: JsonObject) => JsonObject): JsonObject {
  const hardware = objectOf(data['hardware']);
  const network = objectOf(hardware['network']);
  const interfaces = Array.isArray(network['interfaces']) ? (network['interfaces'] as readonly Json[]) : [];
  const changed = interfaces.map((item) => change(objectOf(item)));
  return { ...data, hardware: { ...hardware, network: { ...network, interfaces: changed } } };
}

export function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
