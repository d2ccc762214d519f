import { InMemoryEventStore } from '@tinkerbell/event-store';
import { afterEach, expect, it } from 'vitest';
import type { Logger } from '../logger';
import { Metrics } from '../metrics';
import { LeasePool } from './lease-pool';
import { LogClock } from './log-clock';
import type { PoolPost } from './pool-terms';

const begin = Date.parse('2026-01-01T00:00:00.000Z');
const pools: LeasePool[] = [];
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())).then(() => undefined));

/** An instance that takes over at once, its clock so many seconds ahead of that of the log. */
async function takeOver(aheadSeconds: number) {
  let ms = begin;
  const store = new InMemoryEventStore({ now: () => new Date(ms) });
  const warnings: string[] = [];
  const log: Logger = {
    isQuiet: true,
    debug: () => {},
    info: () => {},
    error: () => {},
    warn: (text) => warnings.push(text),
  };
  const metrics = new Metrics();
  const set = { ms: 0 };
  const own = () => new Date(ms + aheadSeconds * 1000 + set.ms);
  const clock = new LogClock(own, { log, metrics }, () => ms);
  let lost = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const leadership: PoolPost['leadership'] = {
    run(_name, work, ready = Promise.resolve()) {
      lost = new AbortController();
      const { signal } = lost;
      running = ready.then(() => work({ epoch: 1, signal, isHeld: () => !signal.aborted }));
      return {
        async close() {
          lost.abort();
          await running;
        },
      };
    },
  };
  const pool = await LeasePool.open(store, 'default', { post: { leadership, address: '10.0.0.201', log, clock } });
  pools.push(pool);
  await new Promise<void>((resolve) => pool.onActive(resolve));
  const offset = metrics.text({}).match(/^boots_clock_offset_seconds (.*)$/m)?.[1];
  return { clock, warnings, offset, wait: (passed: number) => (ms += passed), setOwn: (by: number) => (set.ms += by) };
}

it.each([
  [700, 'ahead of', '2026-01-01T00:11:40.000Z'],
  [-2, 'behind', '2025-12-31T23:59:58.000Z'],
])('a clock that is %i s off is told of at the take-over, and that of the log counts', async (seconds, how, here) => {
  const { clock, warnings, offset, wait, setOwn } = await takeOver(seconds);
  expect(warnings).toEqual([
    `the clock of this machine is ${Math.abs(seconds)} s ${how} that of the log (${here} here when 2026-01-01T00:00:00.000Z there): ` +
      "leases go by the log's. Set the clock, and start boots anew",
  ]);
  expect(offset).toBe(String(seconds));
  expect(clock.now().getTime()).toBe(begin);
  wait(5000);
  setOwn(-seconds * 1000);
  expect(clock.now().getTime()).toBe(begin + 5000);
});

it.each([0, 1, -1])('a clock that is %i s off is used as it is', async (seconds) => {
  const { clock, warnings, offset, wait } = await takeOver(seconds);
  expect([warnings, offset]).toEqual([[], '0']);
  wait(5000);
  expect(clock.now().getTime()).toBe(begin + seconds * 1000 + 5000);
});
