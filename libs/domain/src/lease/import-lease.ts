import type { LeaseEvent, LeaseHolder } from '@tinkerbell/events';
import { ConflictError, InvalidError } from '../errors';
import { addSeconds, isBefore } from '../time';

/** A lease of another server that this one takes the place of. `expiresAt`, `now`: ISO 8601. */
export interface ImportedLease {
  readonly hostname: string;
  readonly expiresAt: string;
  readonly now: string;
}

/** RFC 2131 §3.3: infinity. */
export const foreverSeconds = 0xffff_ffff;

interface Known {
  readonly holder: LeaseHolder;
  /** What this client holds the address with; undefined: it does not. */
  readonly own: (LeaseHolder & { readonly expiresAt: string }) | undefined;
  /** Why nobody else may be given the address; undefined: it is free. */
  readonly taken: string | undefined;
  /** Another address that the client holds here. */
  readonly other: string | undefined;
  /** What is over by that. */
  readonly over: readonly LeaseEvent[];
}

/** The client goes on with it here. Nothing that is known here gives way to it, and no lease is made shorter. */
export function importLease(
  { hostname, expiresAt, now }: ImportedLease,
  { holder, own, taken, other, over }: Known,
): readonly LeaseEvent[] {
  const { ip } = holder;
  if (!isBefore(now, expiresAt)) throw new InvalidError('expiresAt', `the lease of ${ip} ran out at ${expiresAt}`);
  const left = Math.ceil((Date.parse(expiresAt) - Date.parse(now)) / 1000);
  const term = { leaseSeconds: Math.min(left, foreverSeconds), expiresAt };
  if (own) {
    if (!isBefore(own.expiresAt, expiresAt) || isForGood(own, now)) return [];
    const { mac, hardwareId, clientId, subnet, origin } = own;
    const data = { mac, hardwareId, clientId, ip, subnet, origin, ...term, clientState: 'renewing' as const };
    return [{ type: 'LeaseRenewed', v: 2, data }];
  }
  if (taken !== undefined) throw new ConflictError(taken, 'ip');
  if (other !== undefined) throw new ConflictError(`its client has ${other} here`, 'client');
  return [...over, { type: 'LeaseBound', v: 2, data: { ...holder, hostname, ...term, giaddr: null } }];
}

/** More than half of infinity is left. */
export function isForGood({ expiresAt }: { readonly expiresAt: string }, now: string): boolean {
  return isBefore(addSeconds(now, foreverSeconds / 2), expiresAt);
}
