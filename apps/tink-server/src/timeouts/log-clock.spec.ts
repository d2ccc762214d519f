import { expect, it, vi } from 'vitest';
import { LogClock } from './log-clock';

it('follows the log and not a clock of this machine that is set', async () => {
  const stop = new AbortController();
  const logTime = Date.parse('2026-01-01T00:00:00Z');
  const clock = await LogClock.start(async () => logTime, stop.signal);
  vi.spyOn(Date, 'now').mockReturnValue(logTime + 7_200_000);
  expect(clock.now() - logTime).toBeLessThan(60_000);
  expect(clock.now()).toBeGreaterThanOrEqual(logTime);
  vi.restoreAllMocks();
  stop.abort();
});
