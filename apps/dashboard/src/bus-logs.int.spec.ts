import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NatsBus, subjects } from '@tinkerbell/messaging';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { BusLogs } from './bus-logs';
import type { OutputLine } from './wire';

const [worker, workflow] = ['w-1', 'f-1'];

describe('output over NATS', () => {
  let nats: TestNats;
  let bus: NatsBus;

  beforeAll(async () => {
    nats = await startTestNats();
    bus = await NatsBus.connect({ ...nats.engine, name: 'dashboard' });
  });
  afterAll(async () => {
    await bus.close();
    await nats.stop();
  });

  const write = (index: number, line: string) =>
    bus.publishLog(subjects.log(worker, workflow, index), {
      at: '2026-01-01T00:00:00.000Z',
      stream: 'stdout',
      attempt: 1,
      line,
    });
  /** As many lines as asked for, then lets go. */
  const read = async (count: number, after = 0) => {
    const stop = new AbortController();
    const lines: OutputLine[] = [];
    for await (const line of new BusLogs(bus).follow(workflow, 1, { after, signal: stop.signal })) {
      lines.push(line);
      if (lines.length === count) stop.abort();
    }
    return lines;
  };

  it('is one action alone, first what there is, then what comes', async () => {
    await write(0, 'of another action');
    await write(1, 'first');
    await write(1, 'second');
    const reading = read(3);
    await write(1, 'third');
    const lines = await reading;
    expect(lines.map(({ line }) => line)).toEqual(['first', 'second', 'third']);
    expect(Object.keys(lines[0] ?? {})).toEqual(['seq', 'at', 'stream', 'attempt', 'line']);
  });

  it('goes on after the line that was seen', async () => {
    const [, second, third] = await read(3);
    expect((await read(1, second?.seq)).map(({ line }) => line)).toEqual(['third']);
    const waiting = read(1, third?.seq);
    await write(1, 'fourth');
    expect((await waiting).map(({ line }) => line)).toEqual(['fourth']);
  });
});
