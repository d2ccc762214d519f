import { specify } from '@tinkerbell/testing';
import { describe, it } from 'vitest';
import { claimDecider } from './claim.decider';

const given = specify(claimDecider);
const about = { kind: 'mac', value: '52-54-00-00-00-01' } as const;
const taken = (owner: string, ownerPosition: number) =>
  ({ type: 'ClaimTaken', v: 1, data: { ...about, owner, ownerPosition } }) as const;
const take = (owner: string, ownerPosition: number, insteadOf?: { owner: string; ownerPosition: number }) =>
  ({ type: 'TakeClaim', ...about, owner, ownerPosition, ...(insteadOf && { insteadOf }) }) as const;

describe('claim', () => {
  it('goes to the first', () => given().when(take('a', 0)).then(taken('a', 0)));
  it('is taken once by the same for the same commit', () => given(taken('a', 5)).when(take('a', 5)).thenNothing());
  it('is taken again by the same for another commit', () =>
    given(taken('a', 5)).when(take('a', 9)).then(taken('a', 9)));
  it('of another is respected', () => given(taken('a', 5)).when(take('b', 0)).thenThrows('CONFLICT'));
  it('of another that was found dead is taken over', () =>
    given(taken('a', 5))
      .when(take('b', 0, { owner: 'a', ownerPosition: 5 }))
      .then(taken('b', 0)));
  it('of another that was renewed since it was found dead is respected', () =>
    given(taken('a', 5), taken('a', 9))
      .when(take('b', 0, { owner: 'a', ownerPosition: 5 }))
      .thenThrows('CONFLICT'));
});
