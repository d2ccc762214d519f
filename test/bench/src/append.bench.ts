import { randomUUID } from 'node:crypto';
import { templateDecider } from '@tinkerbell/domain';
import { handle, JetStreamEventStore } from '@tinkerbell/event-store';
import { connectNats, streamNames, subjects } from '@tinkerbell/messaging';
import { startTestNats } from '@tinkerbell/nats';
import { type Bench, pairedFigure, quantile } from './bench';

const writers = 64;
const rounds = 30;
const text = 'x'.repeat(300);

type Task = (round: number, writer: number, i: number) => Promise<unknown>;

/** Runs `count` × `task` in each of `parallel` loops; returns tasks a second and every single duration in milliseconds. */
async function load(parallel: number, count: number, round: number, task: Task) {
  const durations: number[] = [];
  const began = performance.now();
  await Promise.all(
    Array.from({ length: parallel }, async (_, writer) => {
      for (let i = 0; i < count; i++) {
        const at = performance.now();
        await task(round, writer, i);
        durations.push(performance.now() - at);
      }
    }),
  );
  return { perSecond: (parallel * count) / ((performance.now() - began) / 1000), durations };
}

/** Both write ten times to each of their streams, about as many commands as a template or a workflow sees. */
const streamOf = (kind: string, round: number, writer: number, i: number) =>
  subjects.stream('template', `${kind}-${round}-${writer}-${Math.floor(i / 10)}`);

/** `handle` over the product's store, and a bare publish of as many bytes with the same options, on one nats-server. */
async function open() {
  const nats = await startTestNats({ secured: true });
  const store = await JetStreamEventStore.connect({ ...nats.engine, name: 'bench' });
  const ours: Task = (round, writer, i) => {
    const command = { type: 'CreateTemplate', name: `t${writer}`, data: `${text}${i}` } as const;
    const stream = streamOf('ours', round, writer, i);
    return handle(store, templateDecider, stream, command, { id: randomUUID(), actor: 'bench' });
  };
  await ours(-1, 0, 0);
  const connection = await connectNats({ ...nats.engine, name: 'raw' });
  const js = connection.jetstream();
  const first = await (await connection.jetstreamManager()).streams.getMessage(streamNames.events, { seq: 1 });
  // A real commit: the server compresses what it stores.
  const payload = first.data;
  const last = new Map<number, number>();
  const raw: Task = async (round, writer, i) => {
    const { seq } = await js.publish(streamOf('raw', round, writer, i), payload, {
      msgID: randomUUID(),
      expect: {
        streamName: streamNames.events,
        lastSubjectSequence: i % 10 === 0 ? 0 : (last.get(writer) ?? 0),
      },
    });
    last.set(writer, seq);
  };
  return {
    ours,
    raw,
    async close() {
      await connection.close();
      await store.close();
      await nats.stop();
    },
  };
}

/** Rounds of ours and raw by turns, either first every other time; the first round warms up and does not count. */
async function compare(parallel: number, count: number, progress: (text: string) => void) {
  const { ours, raw, close } = await open();
  try {
    const results = [];
    for (let round = 0; round <= rounds; round++) {
      const early = round % 2 === 0 ? await load(parallel, count, round, raw) : undefined;
      const own = await load(parallel, count, round, ours);
      const pair = { ours: own, raw: early ?? (await load(parallel, count, round, raw)) };
      if (round > 0) results.push(pair);
      progress(`round ${round}: ours ${pair.ours.perSecond.toFixed(0)}/s, raw ${pair.raw.perSecond.toFixed(0)}/s`);
    }
    return results;
  } finally {
    await close();
  }
}

export const append: Bench = {
  name: 'append',
  about: `commands through handle, durable, ${writers} writers, against raw JetStream publishes with the same options`,
  async run(progress) {
    const results = await compare(writers, 20, progress);
    const pairs = results.map(({ ours, raw }) => ({ ours: ours.perSecond, limit: raw.perSecond }));
    return [pairedFigure('append', pairs, 'commands/s')];
  },
};

export const appendSeq: Bench = {
  name: 'append-seq',
  about: 'commands through handle, durable, one writer, against raw JetStream publishes with the same options',
  async run(progress) {
    const results = await compare(1, 400, progress);
    return [0.5, 0.99].map((q) => {
      const pairs = results.map(({ ours, raw }) => ({
        ours: quantile(ours.durations, q),
        limit: quantile(raw.durations, q),
      }));
      return pairedFigure(`append-seq p${q * 100}`, pairs, 'ms');
    });
  },
};
