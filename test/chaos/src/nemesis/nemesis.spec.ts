import { describe, expect, it } from 'vitest';
import { Random } from '../random';
import { makers } from './faults';
import { plan } from './nemesis';

const planOf = (seed: number, seconds: number) =>
  plan(new Random(seed, 'nemesis'), seconds).map(({ at, what, ms }) => ({ at, what, ms }));

describe('the plan of a run', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(planOf(7, 600)).toEqual(planOf(7, 600));
    expect(planOf(7, 600)).not.toEqual(planOf(8, 600));
  });
  it('begins alike whatever its length', () => {
    const [short, long] = [planOf(7, 90), planOf(7, 600)];
    expect(long.slice(0, short.length)).toEqual(short);
  });
  it('has every kind of fault, and ends in time', () => {
    const long = plan(new Random(3, 'nemesis'), 600);
    expect(new Set(long.map(({ kind }) => kind)).size).toBe(makers.length);
    for (const { at, ms } of long) expect(at + ms).toBeLessThanOrEqual(600_000);
  });
});
