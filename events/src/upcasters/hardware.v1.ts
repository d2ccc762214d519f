import type { Json, JsonObject } from '../event';

/** The reservations had no DHCP options of their own. */
export function hardwareV1(data: JsonObject): JsonObject {
  const hardware = objectOf(data['hardware']);
  const network = objectOf(hardware['network']);
  const interfaces = Array.isArray(network['interfaces']) ? (network['interfaces'] as readonly Json[]) : [];
  return { ...data, hardware: { ...hardware, network: { ...network, interfaces: interfaces.map(withOptions) } } };
}

function withOptions(value: Json): Json {
  const item = objectOf(value);
  return { ...item, dhcp: { ...objectOf(item['dhcp']), options: [] } };
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
