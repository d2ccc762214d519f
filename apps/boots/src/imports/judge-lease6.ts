import { isIPv6 } from 'node:net';
import type { Lease6Command } from '@tinkerbell/domain';
import type { ForeignLease } from '@tinkerbell/messaging';
import { isInPools, type Subnet6, subnetsAt } from '../dhcp6/subnet6';
import type { Machines } from '../machines';
import { endOf, outside, ranOut, type Refusal, reservedFor, shown } from './judge-lease';

export interface Books6 {
  readonly machines: Machines;
  readonly subnets: readonly Subnet6[];
}

/** What takes an IPv6 lease in, by the settings and the hardware records. */
export function judgeLease6(lease: ForeignLease, { machines, subnets }: Books6, now: string): Lease6Command | Refusal {
  const { ip, mac, clientId } = lease;
  const over = ranOut(lease, now);
  if (over) return over;
  const reserved = machines.byReservedAddress(ip);
  if (reserved && (reserved.mac !== mac || lease.state !== 'bound')) return reservedFor(reserved);
  const [subnet] = isIPv6(ip) ? subnetsAt([ip], subnets) : [];
  if (!subnet || !(reserved || isInPools(subnet.pools, ip))) return outside(ip);
  // Only what was leased here can rest here.
  if (lease.state !== 'bound')
    return { reason: 'declined', message: 'a client that is given it finds out, and declines' };
  if (clientId === null) return { reason: 'no-client', message: 'it names no DUID' };
  const hardwareId = (mac === null ? undefined : machines.byMac(mac))?.hardwareId ?? null;
  const origin = reserved ? 'reservation' : 'pool';
  return {
    type: 'ImportAddress',
    holder: { mac, hardwareId, clientId, ip, subnet: subnet.name, origin },
    ...{ hostname: shown(lease.hostname), expiresAt: endOf(lease, now), now },
  };
}
