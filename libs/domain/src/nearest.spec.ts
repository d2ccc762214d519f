import { describe, expect, it } from 'vitest';
import { nearest } from './nearest';

describe('nearest', () => {
  it.each([
    ['hardwaer', ['hardware', 'workflow'], 'hardware'],
    ['wf', ['workflow', 'worker'], undefined],
    ['workflows', ['workflow', 'worker'], 'workflow'],
    ['work', ['worker', 'workflow'], 'worker'],
    ['', ['a'], 'a'],
    ['xyz', ['hardware'], undefined],
  ])('%s of %j', (text, candidates, meant) => expect(nearest(text, candidates)).toBe(meant));
});
