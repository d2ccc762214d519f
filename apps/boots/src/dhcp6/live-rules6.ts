import type { Lease6Pool } from '../log/lease6-pool';
import type { Dhcp6Settings } from './decision6';
import type { Dhcp6Desk } from './dhcp6-desk';
import { countedPools } from './subnet6';
import type { Upkeep6 } from './upkeep6';

/** Resolves when other networks and classes are in force. */
export type ChangeRules6 = (rules: Pick<Dhcp6Settings, 'subnets' | 'classes'>) => Promise<void>;

export function liveRules6(leases: Lease6Pool, desk: Dhcp6Desk, upkeep: Upkeep6): ChangeRules6 {
  return (rules) =>
    leases.changePools(countedPools(rules.subnets), () => {
      desk.change(rules);
      upkeep.change(rules.subnets);
    });
}
