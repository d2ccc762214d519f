import type { SingleLeaseCommand } from '@tinkerbell/domain';
import type { LeaseImports } from '@tinkerbell/messaging';
import type { ModeRules } from '../dhcp/dhcp-mode';
import type { PoolDesk } from '../dhcp/pool-desk';
import type { Subnet6 } from '../dhcp6/subnet6';
import type { Lease6Pool } from '../log/lease6-pool';
import type { LeasePool } from '../log/lease-pool';
import type { Logger } from '../logger';
import type { Machines } from '../machines';
import { ImportDesk } from './import-desk';
import { judgeLease } from './judge-lease';
import { judgeLease6 } from './judge-lease6';

/** Of boots: where the leases are, and what they are judged by. */
export interface LeaseParts {
  readonly machines: Machines;
  readonly leases: LeasePool;
  readonly leases6: Lease6Pool | undefined;
  readonly modes: ModeRules;
  readonly log: Logger;
  readonly clock: () => Date;
}

/** Takes leases of other servers for what is answered here. Returns the end of it. */
export function openImports(
  imports: Pick<LeaseImports, 'answer'>,
  { machines, leases, leases6, modes, log, clock }: LeaseParts,
  pools: PoolDesk | undefined,
  subnets6: (() => readonly Subnet6[]) | undefined,
): () => Promise<void> {
  const closers: (() => void)[] = [];
  if (pools) {
    const desk = new ImportDesk<SingleLeaseCommand>({
      ...{ pool: leases, log, clock },
      judge: (lease, now) => judgeLease(lease, { machines, leases, rules: modes }, now),
      stored: (commands) => pools.stored(commands),
    });
    closers.push(imports.answer(leases.name, (request) => desk.take(request)));
  }
  if (leases6 && subnets6) {
    const desk = new ImportDesk({
      ...{ pool: leases6, log, clock },
      judge: (lease, now) => judgeLease6(lease, { machines, subnets: subnets6() }, now),
      stored: () => undefined,
    });
    closers.push(imports.answer(leases6.name, (request) => desk.take(request)));
  }
  return async () => closers.forEach((close) => close());
}
