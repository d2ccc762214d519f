import { describe, expect, it } from 'vitest';
import { SentParts } from './sent-parts';

const part = (start: number, end: number, isSent = true) => ({ start, end, isSent });

describe('a file that is fetched in parts', () => {
  const asks = (...parts: readonly ReturnType<typeof part>[]) => {
    const sent = new SentParts();
    return parts.map((each) => sent.isWhole('10.0.0.1', 'vmlinuz 1', each, 100_000, 0));
  };

  it('has gone out when all of it has', () => {
    expect(asks(part(0, 99_999))).toEqual([true]);
    expect(asks(part(0, 499), part(500, 99_998), part(99_999, 99_999))).toEqual([false, false, true]);
    expect(asks(part(0, 60_000), part(50_000, 99_999))).toEqual([false, true]);
  });

  it('has not with its last bytes alone', () => {
    expect(asks(part(99_999, 99_999))).toEqual([false]);
    expect(asks(part(0, 499), part(501, 99_999))).toEqual([false, false]);
    expect(asks(part(0, 499), part(99_999, 99_999), part(500, 99_999))).toEqual([false, false, true]);
  });

  it('goes on where it broke off', () => {
    expect(asks(part(0, 99_999, false))).toEqual([false]);
    expect(asks(part(0, 99_999, false), part(70_000, 99_999))).toEqual([false, true]);
    expect(asks(part(70_000, 99_999, false), part(80_000, 99_999))).toEqual([false, false]);
  });

  it('is of one client, one version and an hour', () => {
    const sent = new SentParts();
    const last = (address: string, version: string, nowMs: number) =>
      sent.isWhole(address, version, part(500, 999), 1000, nowMs);
    expect(sent.isWhole('10.0.0.1', 'a 1', part(0, 499), 1000, 0)).toBe(false);
    expect([last('10.0.0.2', 'a 1', 1), last('10.0.0.1', 'a 2', 1), last('10.0.0.1', 'a 1', 3_600_000)]).toEqual([
      ...[false, false, false],
    ]);
    expect(last('10.0.0.1', 'a 1', 1)).toBe(true);
  });
});
