import type { BootsConfig } from '../boots.config';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import type { ChangeRules6 } from '../dhcp6/live-rules6';
import { dhcpModes, subnets6 } from '../settings';
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

/** What answers by the file. */
interface Answering {
  readonly pools: PoolDesk | undefined;
  readonly change6: ChangeRules6 | undefined;
}

/** From now on boots does what BOOTS_DHCP_FILE says now. */
export function watchDhcpFile(
  config: BootsConfig,
  parts: Parts,
  { pools, change6 }: Answering,
): DhcpFileWatch | undefined {
  const { dhcpFile, modes, log } = parts;
  if (!dhcpFile || !(pools ?? change6)) return undefined;
  const hasProxyPort = mayProxy(modes);
  const advertised = advertisedBy(dhcpFile.file);
  const apply = async (file: SubnetFile) => {
    const next = dhcpModes(config, file);
    const networks6 = change6 ? subnets6(config, file.subnets6) : [];
    if (pools && mayProxy(next) && !hasProxyPort) {
      throw new RestartNeededError('a proxy needs port 4011, which boots opens at its start only: start it anew');
    }
    await pools?.change(next, () => modes.become(next));
    await change6?.({ subnets: networks6, classes: file.classes });
    if (change6 && advertisedBy(file) !== advertised) {
      log.warn(`${config.BOOTS_DHCP_FILE}: what it says of router advertisements is taken at the next start`);
    }
  };
  const watch = new DhcpFileWatch(config.BOOTS_DHCP_FILE, dhcpFile, apply, parts);
  watch.open();
  return watch;
}

function advertisedBy({ subnets6: networks }: SubnetFile): string {
  return JSON.stringify(
    networks.flatMap(({ prefix, length, advertise }) => (advertise ? [[String(prefix), length, advertise]] : [])),
  );
}
