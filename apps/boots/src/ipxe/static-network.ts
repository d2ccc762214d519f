import type { HardwareInterface } from '@tinkerbell/events';
import { parseIpv6 } from '@tinkerbell/bytes';
import type { StaticNetwork } from '@tinkerbell/ipxe';

/** Of an IPv6 record that says no netmask. */
const usualPrefix = 64;

/** What the record says of the machine's network; undefined: nothing. */
export function staticNetworkOf({ dhcp }: HardwareInterface): StaticNetwork | undefined {
  const { ip, hostname, name_servers } = dhcp;
  if (!ip) return undefined;
  const { address, netmask, gateway } = ip;
  const isIpv6 = ip.family === 6;
  const nameServers = name_servers.filter((server) => server.includes(':') === isIpv6);
  return { address, netmask: isIpv6 ? prefixOf(netmask) : netmask, gateway, hostname, nameServers };
}

/** `ffff:ffff::` → `32`. */
function prefixOf(netmask: string): string {
  const groups = parseIpv6(netmask) ?? [];
  const bits = groups.map((group) => group.toString(2).padStart(16, '0')).join('');
  return String(/^1+0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : usualPrefix);
}
