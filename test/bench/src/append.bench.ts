import { randomUUID } from 'node:crypto';
import { templateDecider } from '@tinkerbell/domain';
import { handle, JetStreamEventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { startTestNats } from '@tinkerbell/nats';
import { figure, quantile, type Bench } from './bench';

const writers = 64;
const perWriter = 100;
const text = 'x'.repeat(300);

/** Runs `count` × `task` in each of `parallel` loops; returns seconds and every single duration in milliseconds. */
async function load(parallel: number, count: number, task: (writer: number, i: number) => Promise<unknown>) {
  const durations: number[] = [];
  const began = performance.now();
  await Promise.all(
    Array.from({ length: parallel }, async (_, writer) => {
      for (let i = 0; i < count; i++) {
        const at = performance.now();
        await task(writer, i);
        durations.push(performance.now() - at);
      }
    }),
  );
  return { seconds: (performance.now() - began) / 1000, durations };
}

/** Commands through `handle` against plain JetStream publishes of the same size on the same server, every write synced to the disk. */
export const append: Bench = {
  name: 'append',
  about: `commands through handle, durable, ${writers} writers and one, against raw JetStream publishes`,
  async run(progress) {
    const nats = await startTestNats({ secured: true });
    try {
      const store = await JetStreamEventStore.connect({
        ...nats.engine,
        name: 'bench',
        ...(nats.identity ? { systemCreds: nats.identity.systemCreds } : {}),
      });
      const connection = await nats.connect();
      let run = 0;
      // Ten commands to a stream, about as many as a template or a workflow sees: every command reads its stream first.
      const stream = (writer: number, i: number) =>
        subjects.stream('template', `bench-${run}-${writer}-${Math.floor(i / 10)}`);
      const ours = (writer: number, i: number) => {
        const command = { type: 'CreateTemplate', name: `t${writer}`, data: `${text}${i}` } as const;
        return handle(store, templateDecider, stream(writer, i), command, { id: randomUUID(), actor: 'bench' });
      };
      const js = connection.jetstream();
      const payload = new TextEncoder().encode(JSON.stringify({ text, more: 'y'.repeat(250) }));
      // The raw limit writes to the log's own stream, so it comes last: those messages are no commits.
      const raw = (writer: number) =>
        js.publish(subjects.stream('template', `raw-${writer}`), payload, { msgID: randomUUID() });

      progress('handle, 64 writers');
      const many = await load(writers, perWriter, ours);
      run = 1;
      progress('handle, one writer');
      const one = await load(1, 1000, ours);
      progress('raw publish');
      const rawMany = await load(writers, perWriter, raw);
      const rawOne = await load(1, 1000, raw);
      await store.close();
      const total = writers * perWriter;
      return [
        figure('append', total / many.seconds, total / rawMany.seconds, 'commands/s', 'higher is better'),
        figure(
          'append-seq p50',
          quantile(one.durations, 0.5),
          quantile(rawOne.durations, 0.5),
          'ms',
          'lower is better',
        ),
        figure(
          'append-seq p99',
          quantile(one.durations, 0.99),
          quantile(rawOne.durations, 0.99),
          'ms',
          'lower is better',
        ),
      ];
    } finally {
      await nats.stop();
    }
  },
};
