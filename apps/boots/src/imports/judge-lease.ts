import { addSeconds, foreverSeconds, formatMac, numberOf, type SingleLeaseCommand } from '@tinkerbell/domain';
import type { ForeignLease, PassedOverReason } from '@tinkerbell/messaging';
import { isGiver, modeAt, type ModeRules, type PooledSubnet, subnetOf } from '../dhcp/dhcp-mode';
import type { LeasePool } from '../log/lease-pool';
import type { Machine, Machines } from '../machines';

/** Why a lease stays with the server that gave it. */
export interface Refusal {
  readonly reason: PassedOverReason;
  readonly message: string;
}

export interface Books {
  readonly machines: Machines;
  readonly leases: Pick<LeasePool, 'holderOf'>;
  readonly rules: ModeRules;
}

/** What takes an IPv4 lease in, by the settings and the hardware records. What is leased is for the pool to say. */
export function judgeLease(lease: ForeignLease, books: Books, now: string): SingleLeaseCommand | Refusal {
  const { ip, expiresAt } = lease;
  const over = ranOut(lease, now);
  if (over) return over;
  const reserved = reservedAt(ip, books);
  if (reserved && (reserved.mac !== lease.mac || lease.state !== 'bound')) return reservedFor(reserved);
  const pooled = pooledAt(ip, books.rules);
  if (!reserved && !pooled) return outside(ip);
  const name = subnetOf(ip, books.rules)?.name ?? '';
  if (lease.state !== 'bound') {
    const holder = books.leases.holderOf(ip, now);
    if (holder) {
      const who = holder.mac === null ? holder.clientId : formatMac(holder.mac);
      return { reason: 'held', message: `${ip} is leased to ${who} here` };
    }
    const quarantinedUntil = expiresAt ?? addSeconds(now, pooled?.quarantineSeconds ?? 0);
    // A client finds out by ARP (RFC 2131 §4.4.1), a server by an echo.
    const method = lease.state === 'declined' ? 'arp' : 'icmp';
    return { type: 'FindConflict', ip, subnet: name, method, answeredBy: null, quarantinedUntil, now };
  }
  if (lease.mac === null) return { reason: 'no-client', message: 'it names no Ethernet address' };
  return {
    type: 'ImportLease',
    mac: lease.mac,
    hardwareId: books.machines.byMac(lease.mac)?.hardwareId ?? null,
    clientId: reserved || pooled?.identity !== 'mac' ? lease.clientId : null,
    ...{ ip, subnet: name, origin: reserved ? 'reservation' : 'pool' },
    ...{ hostname: shown(lease.hostname), expiresAt: endOf(lease, now), now },
  };
}

export function ranOut({ expiresAt }: ForeignLease, now: string): Refusal | undefined {
  if (expiresAt === null || Date.parse(expiresAt) > Date.parse(now)) return undefined;
  return { reason: 'expired', message: `it ran out at ${expiresAt}` };
}

export function reservedFor({ hardwareId, mac }: { readonly hardwareId: string; readonly mac: string }): Refusal {
  return { reason: 'reserved', message: `hardware record ${hardwareId} has it for ${formatMac(mac)}` };
}

export function outside(ip: string): Refusal {
  return { reason: 'outside', message: `${ip} is in no pool, and no hardware record has it` };
}

export function endOf({ expiresAt }: ForeignLease, now: string): string {
  return expiresAt === null ? addSeconds(now, foreverSeconds) : new Date(expiresAt).toISOString();
}

/** As boots itself takes them from clients. */
export function shown(hostname: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(hostname) ? hostname : '';
}

/** Whose reservation it is, where boots gives out reservations. */
export function reservedAt(ip: string, { machines, rules }: Pick<Books, 'machines' | 'rules'>): Machine | undefined {
  return isGiver(modeAt(ip, rules)) ? machines.byReservedAddress(ip) : undefined;
}

/** The subnet with a pool that it is in. */
export function pooledAt(ip: string, rules: ModeRules): PooledSubnet | undefined {
  const pooled = subnetOf(ip, rules)?.pooled;
  const number = numberOf(ip);
  const isIn = pooled?.pools.some(({ ranges }) => ranges.some(([first, last]) => number >= first && number <= last));
  return isIn ? pooled : undefined;
}
