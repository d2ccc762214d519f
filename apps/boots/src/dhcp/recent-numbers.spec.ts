import { describe, expect, it } from 'vitest';
import { RecentNumbers } from './recent-numbers';

/** Up to 2^53, as those of messages are. */
const keyOf = (i: number) => (i * 2 ** 37 + i * 0x9e3779b1) % 2 ** 53;

describe('numbers that are remembered for a while', () => {
  it('is known until its time is over, whatever came since', () => {
    const recent = new RecentNumbers(100);
    for (let now = 0; now < 1000; now++) recent.set(keyOf(now), now, now);
    expect(recent.get(keyOf(900), 999)).toBe(900);
    expect(recent.get(keyOf(899), 999)).toBeUndefined();
    expect(recent.get(keyOf(999), 1098)).toBe(999);
    expect(recent.get(keyOf(999), 1099)).toBeUndefined();
  });

  it('lasts anew when it is set again', () => {
    const recent = new RecentNumbers(100);
    recent.set(7, 1, 0);
    recent.set(7, 2, 90);
    recent.set(8, 3, 150);
    expect(recent.get(7, 180)).toBe(2);
  });

  it('tells keys apart that differ in one bit', () => {
    const recent = new RecentNumbers(100);
    const keys = [0, ...Array.from({ length: 53 }, (_, bit) => 2 ** bit)];
    for (const [i, key] of keys.entries()) recent.set(key, i, 0);
    expect(keys.map((key) => recent.get(key, 0))).toEqual([...keys.keys()]);
  });

  it('is no more than so much', () => {
    const recent = new RecentNumbers(1_000_000, 1000);
    for (let i = 0; i < 100_000; i++) recent.set(keyOf(i), i, 0);
    expect(recent.size).toBeLessThanOrEqual(1000);
    expect(recent.get(keyOf(99_999), 0)).toBe(99_999);
  });
});
