import type { BootsConfig } from '../boots.config';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import type { ChangeRules6 } from '../dhcp6/live-rules6';
import type { Subnet6 } from '../dhcp6/subnet6';
import type { Advertising } from '../ra/advertising';
import { dhcpModes, subnets6 } from '../settings';
import type { ClientClass } from './client-class';
import type { DhcpFile } from './dhcp-file';
import { DhcpFileWatch } from './dhcp-file-watch';
import type { DhcpListener } from './dhcp.listener';
import { mayProxy, type ModeRules } from './dhcp-mode';
import type { LiveRules } from './live-rules';
import type { PoolDesk } from './pool-desk';
import type { SubnetFile } from './read-subnets';
import type { ServerInquiry } from './server-inquiry';

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
  readonly dhcp:
    | {
        readonly pools: PoolDesk;
        readonly listeners: readonly Pick<DhcpListener, 'openPxe' | 'closePxe'>[];
        readonly inquiry: Pick<ServerInquiry, 'look'>;
      }
    | undefined;
  readonly change6: ChangeRules6 | undefined;
  readonly advertising: Advertising;
}

/** What the settings and the file say together. */
interface Rules {
  readonly modes: ModeRules;
  readonly subnets6: readonly Subnet6[];
  readonly classes: readonly ClientClass[];
}

/** From now on boots does what BOOTS_DHCP_FILE says now. */
export function watchDhcpFile(config: BootsConfig, parts: Parts, answering: Answering): DhcpFileWatch | undefined {
  const { dhcpFile } = parts;
  if (!dhcpFile || !(answering.dhcp ?? answering.change6)) return undefined;
  const rulesOf = ({ classes, subnets, subnets6: networks6 }: SubnetFile): Rules => ({
    modes: dhcpModes(config, { classes, subnets }),
    subnets6: answering.change6 ? subnets6(config, networks6) : [],
    classes,
  });
  let current = rulesOf(dhcpFile.file);
  const apply = async (file: SubnetFile) => {
    const next = rulesOf(file);
    await change(current, next, parts, answering);
    current = next;
  };
  const watch = new DhcpFileWatch(config.BOOTS_DHCP_FILE, dhcpFile, apply, parts);
  watch.open();
  return watch;
}

/** All of it or nothing. What the system may refuse goes first. */
async function change(
  current: Rules,
  next: Rules,
  { modes }: Pick<Parts, 'modes'>,
  { dhcp, change6, advertising }: Answering,
): Promise<void> {
  const listeners = dhcp?.listeners ?? [];
  const steps: readonly ((rules: Rules) => Promise<void> | undefined)[] = [
    async (rules) => {
      if (mayProxy(rules.modes)) for (const listener of listeners) await listener.openPxe();
    },
    (rules) => advertising.become(rules.subnets6),
    (rules) => dhcp?.pools.change(rules.modes, () => modes.become(rules.modes)),
    (rules) => change6?.({ subnets: rules.subnets6, classes: rules.classes }),
  ];
  const taken: (typeof steps)[number][] = [];
  let inForce = next;
  try {
    for (const step of steps) {
      taken.push(step);
      await step(next);
    }
  } catch (error) {
    inForce = current;
    for (const step of taken.reverse()) await step(current);
    throw error;
  } finally {
    dhcp?.inquiry.look();
    if (!mayProxy(inForce.modes)) for (const listener of listeners) await listener.closePxe();
  }
}
