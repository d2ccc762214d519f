import { parseIpv4 } from '@tinkerbell/bytes';

/** A record names its servers of both families in one list; DHCPv4 has no words for the others. */
export function ipv4Only(servers: readonly string[]): readonly string[] {
  return servers.filter((server) => parseIpv4(server) !== undefined);
}
