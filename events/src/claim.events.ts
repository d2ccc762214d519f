import type { Catalogue, Event } from './event';

/** What only one thing at a time may have. */
export type ClaimKind = 'mac' | 'ip' | 'template-name' | 'machine';

/**
 * Somebody is about to have this value. `owner` is the id of the hardware, template or workflow; the claim is good for a commit that follows
 * `ownerPosition`, the last position of the owner's stream, and for no other.
 */
export type ClaimTaken = Event<
  'ClaimTaken',
  1,
  { kind: ClaimKind; value: string; owner: string; ownerPosition: number }
>;

export type ClaimEvent = ClaimTaken;

export const claimCatalogue = {
  ClaimTaken: { version: 1 },
} satisfies Catalogue<ClaimEvent>;
