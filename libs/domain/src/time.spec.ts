import { describe, expect, it } from 'vitest';
import { isoOf } from './time';

describe('isoOf', () => {
  it.each([
    ...[0, 1, -1, 1.9, -1.9, 999, 1000, 59_999, 86_399_999, 86_400_000, -86_400_001],
    ...[
      '1970-01-01T23:59:59.999Z',
      '2024-02-29T12:00:00.001Z',
      '9999-12-31T23:59:59.999Z',
      '0000-01-01T00:00:00.000Z',
    ].map(Date.parse),
    ...[8.64e15, -8.64e15],
  ])('%d is what toISOString says', (ms) => {
    expect(isoOf(ms)).toBe(new Date(ms).toISOString());
  });

  it('says as little of what is no time', () => {
    for (const ms of [NaN, Infinity, 8.64e15 + 86_400_000]) expect(() => isoOf(ms)).toThrow(RangeError);
  });

  it('is so for every hour of many years', () => {
    for (let ms = Date.UTC(1999, 0, 1); ms < Date.UTC(2001, 0, 1); ms += 3_607_003) {
      if (isoOf(ms) !== new Date(ms).toISOString()) expect(isoOf(ms)).toBe(new Date(ms).toISOString());
    }
  });
});
