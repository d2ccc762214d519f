import type { LeaseRow } from '@tinkerbell/projections';

/** Those of a machine, or of several, that are not over. `now`: ISO 8601. */
export function heldLeases(leases: Iterable<LeaseRow>, now: string): readonly LeaseRow[] {
  return [...leases].filter(({ state, expiresAt }) => state === 'bound' && expiresAt !== null && expiresAt > now);
}
