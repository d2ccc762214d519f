import type { LogLine } from '@tinkerbell/messaging';
import { describe, expect, it } from 'vitest';
import { FakeBus } from '../bus/fake';
import { defaultPace } from '../pace';
import { OutputShipper } from './output-shipper';

const pace = { ...defaultPace, retryMs: 1, maxRetryMs: 2 };
const line = (n: number): LogLine => ({ at: '2026-01-01T00:00:00Z', stream: 'stdout', attempt: 1, line: `line ${n}` });
const setUp = (maxBytes = 1_000_000) => {
  const bus = new FakeBus();
  const complaints: string[] = [];
  const shipper = new OutputShipper(bus, pace, (text) => complaints.push(text), { maxBytes, batch: 16 });
  return { bus, shipper, complaints };
};
const linesOf = (bus: FakeBus) => bus.stored.map(({ body }) => (JSON.parse(body) as LogLine).line);
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('output shipper', () => {
  it('stores every line once and in order, although acknowledgements get lost', async () => {
    const { bus, shipper } = setUp();
    let calls = 0;
    bus.onPublish = () => {
      if (++calls % 7 === 0) return 'lose-ack';
    };
    let settled = 0;
    numbers(0, 100).forEach((n) => shipper.ship('s', `id${n}`, line(n), () => settled++));
    expect(await shipper.flush(5_000)).toBe(true);
    expect(linesOf(bus)).toEqual(numbers(0, 100).map((n) => `line ${n}`));
    expect(settled).toBe(100);
  });

  it('keeps lines while the bus is away and sends them when it is back', async () => {
    const { bus, shipper, complaints } = setUp();
    bus.connected = false;
    numbers(0, 50).forEach((n) => shipper.ship('s', `id${n}`, line(n)));
    expect(await shipper.flush(5)).toBe(false);
    expect(bus.tries).toEqual([]);
    bus.connected = true;
    expect(await shipper.flush(5_000)).toBe(true);
    expect(linesOf(bus)).toHaveLength(50);
    expect(complaints).toEqual(['output is waiting: the bus is away']);
  });

  it('drops the oldest past its limit and says how many', async () => {
    const { bus, shipper } = setUp(10_000);
    bus.connected = false;
    let settled = 0;
    numbers(0, 1000).forEach((n) => shipper.ship('s', `id${n}`, line(n), () => settled++));
    expect(settled).toBeGreaterThan(900);
    bus.connected = true;
    await shipper.flush(5_000);
    const [marker, ...kept] = linesOf(bus);
    expect(marker).toBe(`… ${1000 - kept.length} lines of output were dropped here: the bus was away for too long`);
    expect(kept).toEqual(numbers(1000 - kept.length, 1000).map((n) => `line ${n}`));
    expect(settled).toBe(1000);
  });

  it('gives up when stopped', async () => {
    const { bus, shipper } = setUp();
    bus.connected = false;
    shipper.ship('s', 'id', line(1));
    shipper.stop();
    expect(await shipper.flush(5_000)).toBe(false);
    expect(bus.stored).toEqual([]);
  });
});
