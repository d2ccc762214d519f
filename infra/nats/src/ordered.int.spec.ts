import { type OrderedMessage, readOrdered, streamNames } from '@tinkerbell/messaging';
import { AckPolicy, DeliverPolicy, type JetStreamManager, type NatsConnection, nanos } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestNats, type TestNats } from './index';

const stream = streamNames.events;
const total = 3000;
const batch = 100;
let nats: TestNats;
let connection: NatsConnection;
let manager: JetStreamManager;

beforeAll(async () => {
  nats = await startTestNats({ syncInterval: '2m' });
  connection = await nats.connect();
  manager = await connection.jetstreamManager();
  const js = connection.jetstream();
  const subject = (i: number) => `tink.ev.default.template.t${i % 7}`;
  await Promise.all(Array.from({ length: total }, (_, i) => js.publish(subject(i), `${i}`)));
});
afterAll(() => nats.stop());

/** Every consumer that was opened: where it began, and its name. */
function reading(after: number, signal?: AbortSignal) {
  const opened: { readonly after: number; readonly name: string }[] = [];
  const troubles: string[] = [];
  const messages = readOrdered(connection, {
    ...{ stream, after, batch, signal, onTrouble: (reason: string) => troubles.push(reason) },
    open: async (last) => {
      const { name } = await manager.consumers.add(stream, {
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: last + 1,
        ack_policy: AckPolicy.None,
        mem_storage: true,
        inactive_threshold: nanos(60_000),
      });
      opened.push({ after: last, name });
      return name;
    },
  });
  return { messages, opened, troubles };
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

async function sequences(
  messages: AsyncIterable<readonly OrderedMessage[]>,
  last: number,
  each: (sequence: number) => Promise<unknown> | void = () => undefined,
): Promise<readonly number[]> {
  const all: number[] = [];
  for await (const some of messages) {
    all.push(...some.map(({ sequence }) => sequence));
    await each(all.at(-1) ?? 0);
    if ((all.at(-1) ?? 0) >= last) break;
  }
  return all;
}

describe('readOrdered', () => {
  it('hands out every message once, in order, with its text and time', async () => {
    const { messages, opened, troubles } = reading(10);
    const all: OrderedMessage[] = [];
    for await (const some of messages) {
      all.push(...some);
      if (all.length === total - 10) break;
    }
    expect(all.map(({ sequence }) => sequence)).toEqual(upTo(total, 11));
    const { time } = await manager.streams.getMessage(stream, { seq: 11 });
    expect(Math.floor(Number(all[0]?.nanoseconds.slice(0, -6)))).toBe(time.getTime());
    expect([opened.length, troubles]).toEqual([1, []]);
  });

  it('asks for no more than its reader takes', async () => {
    const { messages, opened } = reading(0);
    for await (const some of messages) {
      await connection.flush();
      const info = await manager.consumers.info(stream, opened[0]?.name ?? '');
      expect(info.delivered.consumer_seq).toBeGreaterThanOrEqual(some.length);
      expect(info.delivered.consumer_seq).toBeLessThanOrEqual(2 * batch);
      break;
    }
  });

  it('goes on after the last message when its consumer is gone', async () => {
    const { messages, opened, troubles } = reading(0);
    let removed = false;
    const all = await sequences(messages, total, async (last) => {
      if (removed || last < 500) return;
      removed = true;
      await manager.consumers.delete(stream, opened[0]?.name ?? '');
    });
    expect(all).toEqual(upTo(total));
    expect(opened.length).toBeGreaterThan(1);
    expect(opened[1]?.after).toBeGreaterThanOrEqual(500);
    expect(troubles.length).toBeGreaterThan(0);
  });

  it('goes on across a restart of the server, and ends when it is aborted', async () => {
    const stop = new AbortController();
    const { messages, opened } = reading(0, stop.signal);
    let restarted = false;
    const all: number[] = [];
    for await (const some of messages) {
      all.push(...some.map(({ sequence }) => sequence));
      if (!restarted && all.length > 1000) {
        restarted = true;
        await nats.server.restart();
      }
      if (all.at(-1) === total) setTimeout(() => stop.abort(), 20);
    }
    expect(all).toEqual(upTo(total));
    expect(opened.length).toBeGreaterThan(1);
  });
});
