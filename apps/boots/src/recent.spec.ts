import { describe, expect, it } from 'vitest';
import { Recent } from './recent';

describe('what is remembered for a while', () => {
  it('is known until its time is over, whatever came since', () => {
    const recent = new Recent<string>(100);
    for (let now = 0; now < 1000; now++) recent.set(`at ${now}`, 'value', now);
    expect(recent.get('at 900', 999)).toBe('value');
    expect(recent.get('at 899', 999)).toBeUndefined();
    expect(recent.get('at 999', 1098)).toBe('value');
    expect(recent.get('at 999', 1099)).toBeUndefined();
  });

  it('lasts anew when it is set again', () => {
    const recent = new Recent<number>(100);
    recent.set('key', 1, 0);
    recent.set('key', 2, 90);
    recent.set('other', 3, 150);
    expect(recent.get('key', 180)).toBe(2);
  });

  it('is no more than so much', () => {
    const recent = new Recent<number>(1_000_000, 1000);
    for (let i = 0; i < 100_000; i++) recent.set(`${i}`, i, 0);
    expect(recent.size).toBeLessThanOrEqual(1000);
    expect(recent.get('99999', 0)).toBe(99_999);
  });
});
