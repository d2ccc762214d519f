import { describe, expect, it } from 'vitest';
import { median } from './bench';

describe('the median', () => {
  it.each([
    [[3], 3],
    [[4, 1], 2.5],
    [[9, 1, 2], 2],
    [[1, 100, 3, 2], 2.5],
  ])('of %j is %d', (values, expected) => expect(median(values)).toBe(expected));

  it('of nothing is no number', () => expect(median([])).toBeNaN());
});
