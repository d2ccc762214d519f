import type { ClaimEvent, ClaimKind } from '@tinkerbell/events';
import type { Decider } from '../decider';
import { ConflictError } from '../errors';

/**
 * `insteadOf`: the claim that the caller has found dead, i.e. its owner neither has the value nor can get it by that claim. Without it
 * another's claim is respected.
 */
export interface TakeClaim {
  readonly type: 'TakeClaim';
  readonly kind: ClaimKind;
  readonly value: string;
  readonly owner: string;
  readonly ownerPosition: number;
  readonly insteadOf?: Claim;
}

export type ClaimCommand = TakeClaim;

export interface Claim {
  readonly owner: string;
  /** Last position of the owner's stream when it took the claim: the claim is for the next commit there. */
  readonly ownerPosition: number;
}

export type ClaimState = Claim | null;

/** One value that only one thing at a time may have: who took it last, and for which of its commits. */
export const claimDecider: Decider<ClaimCommand, ClaimState, ClaimEvent> = {
  initial: null,
  decide({ kind, value, owner, ownerPosition, insteadOf }, state) {
    if (state?.owner === owner && state.ownerPosition === ownerPosition) return [];
    const dead = state?.owner === insteadOf?.owner && state?.ownerPosition === insteadOf?.ownerPosition;
    if (state && state.owner !== owner && !dead) {
      throw new ConflictError(`${kind} ${value} is being taken by ${state.owner}`, kind);
    }
    return [{ type: 'ClaimTaken', v: 1, data: { kind, value, owner, ownerPosition } }];
  },
  evolve: (_state, { data: { owner, ownerPosition } }) => ({ owner, ownerPosition }),
};
