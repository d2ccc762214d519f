import type { MachineLine } from '@tinkerbell/messaging';
import { describe, expect, it } from 'vitest';
import type { Caller } from '../callers';
import { hardwareId, mac } from '../dhcp/requests.testing';
import { silentLogger } from '../logger';
import { Metrics } from '../metrics';
import { MachineLog } from './machine-log';
import { SyslogDesk } from './syslog-desk';

const bytes = new TextEncoder().encode('<6>kernel: hello');

class Lines extends MachineLog {
  readonly stored: string[] = [];
  release: () => void = () => undefined;
  constructor(private readonly held: boolean = false) {
    super();
  }
  readonly ids = new Set<string>();
  override async write(id: string, __: string | undefined, { line }: MachineLine): Promise<void> {
    if (line === 'refused') throw new Error('the stream is full');
    if (this.held) await new Promise<void>((resolve) => (this.release = resolve));
    this.ids.add(id);
    this.stored.push(line);
  }
}

const callers = new Map<string, Caller>([['10.0.0.5', { hardwareId, mac }]]);
for (let n = 0; n < 40; n++) callers.set(`10.0.1.${n}`, { hardwareId: null, mac: `02-00-00-00-00-${10 + n}` });

function desk(to: MachineLog) {
  const time = { now: 0 };
  const metrics = new Metrics();
  const parts = {
    callers: { whoSays: (address: string) => callers.get(address) },
    machines: { workflowOf: () => undefined },
    ...{ metrics, log: silentLogger, clock: () => new Date(time.now) },
  };
  const dropped = (reason: string) => metrics.total('syslog_dropped_total', { reason });
  return { desk: new SyslogDesk(parts, to), time, dropped };
}

describe('a machine that logs without end', () => {
  it('is heard up to its burst, then as often as its rate allows', async () => {
    const lines = new Lines();
    const { desk: taker, time, dropped } = desk(lines);
    for (let i = 0; i < 5000; i++) await taker.take(bytes, '10.0.0.5');
    expect([lines.stored.length, dropped('rate')]).toEqual([4000, 1000]);
    time.now += 1000;
    for (let i = 0; i < 1000; i++) await taker.take(bytes, '10.0.0.5');
    expect(lines.stored.length).toBe(4400);
    time.now += 3_600_000;
    for (let i = 0; i < 5000; i++) await taker.take(bytes, '10.0.0.5');
    expect(lines.stored.length).toBe(8400);
  });

  it('does not fill the memory while the store is slow', () => {
    const { desk: taker, dropped } = desk(new Lines(true));
    for (let i = 0; i < 2000; i++) void taker.take(bytes, '10.0.0.5');
    expect(dropped('store-too-slow')).toBe(2000 - 1024);
  });

  it('goes on after a line that was not stored', async () => {
    const lines = new Lines();
    const { desk: taker, dropped } = desk(lines);
    await taker.take(new TextEncoder().encode('refused'), '10.0.0.5');
    await taker.take(bytes, '10.0.0.5');
    expect([lines.stored, dropped('store')]).toEqual([['hello'], 1]);
  });
});

describe('a kernel that tells its command line', () => {
  it.each([
    ['quiet tink_token=Ab-_9 initrd=x', 'quiet tink_token=*** initrd=x'],
    ['parameters "quiet tink_token=Ab-_9", will be', 'parameters "quiet tink_token=***", will be'],
    [`of a line that was cut: ${'aB3-_'.repeat(8)}xyz`, 'of a line that was cut: ***'],
    [`sha256 ${'a1'.repeat(32)}`, `sha256 ${'a1'.repeat(32)}`],
  ])('does not bring its token into the log: %s', async (said, stored) => {
    const lines = new Lines();
    await desk(lines).desk.take(new TextEncoder().encode(`<6>kernel: ${said}`), '10.0.0.5');
    expect(lines.stored).toEqual([stored]);
  });
});

describe('a machine without a record', () => {
  it('is heard by its MAC, and cut short', async () => {
    const lines = new Lines();
    const { desk: taker, dropped } = desk(lines);
    await taker.take(new TextEncoder().encode(`<6>kernel: ${'a'.repeat(30_000)}`), '10.0.1.1');
    for (const nobody of ['10.0.0.8', '10.0.0.9']) await taker.take(bytes, nobody);
    expect([[...lines.ids], lines.stored]).toEqual([['02-00-00-00-00-11'], ['a'.repeat(512)]]);
    expect(dropped('unknown-sender')).toBe(2);
  });

  it('that logs without end is heard less than a machine that has one, and all together no more than so much', async () => {
    const lines = new Lines();
    const { desk: taker, time, dropped } = desk(lines);
    for (let i = 0; i < 3000; i++) await taker.take(bytes, '10.0.1.1');
    expect([lines.stored.length, dropped('rate')]).toEqual([2000, 1000]);
    for (let n = 2; n < 30; n++) for (let i = 0; i < 2000; i++) await taker.take(bytes, `10.0.1.${n}`);
    expect(lines.stored.length).toBe(50_000);
    await taker.take(bytes, '10.0.0.5');
    expect(lines.stored.length).toBe(50_001);
    time.now += 10_000;
    for (let i = 0; i < 1000; i++) await taker.take(bytes, '10.0.1.1');
    expect(lines.stored.length).toBe(50_011);
  });
});
