import type { HardwareInterface } from '@tinkerbell/events';
import type { StaticNetwork } from '@tinkerbell/ipxe';

/** What the record says of the machine's IPv4 network; undefined: nothing. */
export function staticNetworkOf({ dhcp }: HardwareInterface): StaticNetwork | undefined {
  const { ip, hostname, name_servers } = dhcp;
  if (ip?.family !== 4) return undefined;
  const { address, netmask, gateway } = ip;
  const nameServers = name_servers.filter((server) => !server.includes(':'));
  return { address, netmask, gateway, hostname, nameServers };
}
