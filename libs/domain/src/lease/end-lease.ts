import type { LeaseEnded, LeaseEvent, LeaseHolder } from '@tinkerbell/events';
import { formatMac } from '../address/mac';
import { ConflictError, NotFoundError } from '../errors';
import { isBefore } from '../time';

/** What an operator saw on the address: it is not ended when that is another's by now. */
export type SeenLease = Pick<LeaseEnded['data'], 'was' | 'mac' | 'clientId'>;

/** Somebody who may says that an address is free. `now`: ISO 8601. */
export interface EndLease {
  readonly ip: string;
  /** undefined: whoever has it. */
  readonly seen: SeenLease | undefined;
  readonly now: string;
}

/** Nobody has the address, and it is not in quarantine. */
export class NotLeasedError extends NotFoundError {
  constructor(ip: string, message: string) {
    super('lease', ip, message);
  }
}

type Known = LeaseHolder & {
  readonly state: 'bound' | 'released' | 'expired' | 'declined' | 'conflict';
  readonly expiresAt: string;
};

/** `lease`: what was said last of the address. Throws NotLeasedError, ConflictError when it is not what was seen. */
export function endLease({ ip, seen, now }: EndLease, lease: Known | undefined): readonly LeaseEvent[] {
  if (!lease) throw new NotLeasedError(ip, `${ip} was never leased, and is in no quarantine`);
  const { state: was, mac, hardwareId, clientId, subnet, origin, expiresAt } = lease;
  if (was === 'released' || was === 'expired') {
    throw new NotLeasedError(ip, `nobody has ${ip}: the lease of ${nameOf(lease)} is over`);
  }
  if (!isBefore(now, expiresAt)) {
    const what = was === 'bound' ? `the lease of ${nameOf(lease)} ran out` : 'its quarantine ended';
    throw new NotLeasedError(ip, `nobody has ${ip}: ${what} at ${expiresAt}`);
  }
  if (seen && !isSame(seen, lease)) {
    const how = was === 'bound' ? `leased to ${nameOf(lease)}` : 'in quarantine';
    throw new ConflictError(`${ip} is ${how} by now`, 'ip');
  }
  return [{ type: 'LeaseEnded', v: 1, data: { mac, hardwareId, clientId, ip, subnet, origin, was, expiresAt } }];
}

/** A card may change what it calls itself. */
function isSame({ was, mac, clientId }: SeenLease, lease: Known): boolean {
  return was === lease.state && mac === lease.mac && (mac !== null || clientId === lease.clientId);
}

export function nameOf({ mac, clientId }: Pick<LeaseHolder, 'mac' | 'clientId'>): string {
  return mac === null ? (clientId ?? 'another client') : formatMac(mac);
}
