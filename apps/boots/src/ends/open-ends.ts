import { isIPv4, isIPv6 } from 'node:net';
import type { Lease6Command, SingleLeaseCommand } from '@tinkerbell/domain';
import type { LeaseEnds } from '@tinkerbell/messaging';
import type { PoolDesk } from '../dhcp/pool-desk';
import { isInPools, type Subnet6, subnetsAt } from '../dhcp6/subnet6';
import { pooledAt, reservedAt } from '../imports/judge-lease';
import type { LeaseParts } from '../imports/open-imports';
import type { Machines } from '../machines';
import { EndDesk } from './end-desk';

/** Ends leases of what is answered here, by the word of an operator. Returns the end of it. */
export function openEnds(
  ends: Pick<LeaseEnds, 'answer'>,
  { machines, leases, leases6, modes, log, clock }: LeaseParts,
  pools: PoolDesk | undefined,
  subnets6: (() => readonly Subnet6[]) | undefined,
): () => Promise<void> {
  const closers: (() => void)[] = [];
  if (pools) {
    const desk = new EndDesk<SingleLeaseCommand>({
      ...{ pool: leases, log, clock },
      command: (end) => ({ type: 'EndLease', ...end }),
      isOurs: (ip) => isIPv4(ip) && (reservedAt(ip, { machines, rules: modes }) ?? pooledAt(ip, modes)) !== undefined,
      stored: (command) => pools.stored([command]),
    });
    closers.push(ends.answer(leases.name, (request) => desk.end(request)));
  }
  if (leases6 && subnets6) {
    const desk = new EndDesk<Lease6Command>({
      ...{ pool: leases6, log, clock },
      command: (end) => ({ type: 'EndAddress', ...end }),
      isOurs: (ip) => isIPv6(ip) && isGivenOut6(ip, machines, subnets6()),
      stored: () => undefined,
    });
    closers.push(ends.answer(leases6.name, (request) => desk.end(request)));
  }
  return async () => closers.forEach((close) => close());
}

function isGivenOut6(ip: string, machines: Machines, subnets: readonly Subnet6[]): boolean {
  const [subnet] = subnetsAt([ip], subnets);
  return subnet !== undefined && (machines.byReservedAddress(ip) !== undefined || isInPools(subnet.pools, ip));
}
