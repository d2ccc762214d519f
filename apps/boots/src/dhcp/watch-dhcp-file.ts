import type { BootsConfig } from '../boots.config';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import { dhcpModes } from '../settings';
import type { DhcpFile } from './dhcp-file';
import { DhcpFileWatch, RestartNeededError } from './dhcp-file-watch';
import { mayProxy } from './dhcp-mode';
import type { LiveRules } from './live-rules';
import type { PoolDesk } from './pool-desk';
import type { SubnetFile } from './read-subnets';

interface Parts {
  /** As it was at the start; undefined: there is none. */
  readonly dhcpFile: DhcpFile | undefined;
  readonly modes: LiveRules;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: () => Date;
}

/** From now on boots does what BOOTS_DHCP_FILE says now. */
export function watchDhcpFile(config: BootsConfig, parts: Parts, pools: PoolDesk): DhcpFileWatch | undefined {
  const { dhcpFile, modes, log } = parts;
  if (!dhcpFile) return undefined;
  const hasProxyPort = mayProxy(modes);
  const ipv6 = ipv6Of(dhcpFile.file);
  const apply = async (file: SubnetFile) => {
    const next = dhcpModes(config, file);
    if (mayProxy(next) && !hasProxyPort) {
      throw new RestartNeededError('a proxy needs port 4011, which boots opens at its start only: start it anew');
    }
    await pools.change(next, () => modes.become(next));
    if (ipv6Of(file) !== ipv6) log.warn(`${config.BOOTS_DHCP_FILE}: what it says of IPv6 is taken at the next start`);
  };
  const watch = new DhcpFileWatch(config.BOOTS_DHCP_FILE, dhcpFile, apply, parts);
  watch.open();
  return watch;
}

function ipv6Of({ subnets6 }: SubnetFile): string {
  return JSON.stringify(subnets6, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
