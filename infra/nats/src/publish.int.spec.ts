import { connectNats, streamNames, StreamPublisher, subjects } from '@tinkerbell/messaging';
import { createInbox, NatsError, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestNats, type TestNats } from './testing';

let nats: TestNats;
const open: NatsConnection[] = [];

beforeAll(async () => {
  nats = await startTestNats({ secured: true, restart: false });
});
afterAll(async () => {
  await Promise.all(open.map((connection) => connection.close()));
  await nats.stop();
});

async function publisher(login: Parameters<typeof connectNats>[0], timeoutMs = 5000): Promise<StreamPublisher> {
  const connection = await connectNats(login);
  open.push(connection);
  return new StreamPublisher({ createInbox, NatsError }, connection, timeoutMs);
}

const bytes = Buffer.from('{}');
const guard = { stream: streamNames.events, lastSubjectSequence: 0 };

describe('StreamPublisher', () => {
  it('answers where a message was stored, that it was before, or why it is refused', async () => {
    const engine = await publisher({ ...nats.engine, name: 'engine' });
    const subject = subjects.stream('template', 'one');
    const stored = await engine.publish(subject, bytes, { ...guard, id: 'a' });
    expect(stored.duplicate).toBe(false);
    const again = await engine.publish(subject, bytes, { ...guard, id: 'a', lastSubjectSequence: stored.seq });
    expect(again).toEqual({ seq: stored.seq, duplicate: true });
    await expect(engine.publish(subject, bytes, { ...guard, id: 'b' })).rejects.toMatchObject({
      api_error: { err_code: 10071 },
    });
    const wrong = { id: 'c', stream: streamNames.logs, lastSubjectSequence: stored.seq };
    await expect(engine.publish(subject, bytes, wrong)).rejects.toMatchObject({ api_error: { code: 400 } });
    await expect(engine.publish('nobody.listens', bytes, { ...guard, id: 'd' })).rejects.toMatchObject({ code: '503' });
    await expect(engine.publish(subject, bytes, { ...guard, id: 'e\r\nX: y' })).rejects.toThrow('line break');
  });

  it('keeps answers apart of many that are under way', async () => {
    const engine = await publisher({ ...nats.engine, name: 'engine' });
    const publish = (i: number, lastSubjectSequence: number) =>
      engine.publish(subjects.stream('template', `many-${i}`), bytes, {
        ...guard,
        id: `many-${i}`,
        lastSubjectSequence,
      });
    const all = await Promise.all(Array.from({ length: 200 }, (_, i) => publish(i, 0)));
    const again = await Promise.all(all.map(({ seq }, i) => publish(i, seq)));
    expect(again).toEqual(all.map(({ seq }) => ({ seq, duplicate: true })));
    expect(new Set(all.map(({ seq }) => seq)).size).toBe(200);
  });

  it('says at once that a subject is not allowed', async () => {
    const id = '11111111-0000-4000-8000-000000000001';
    const inboxPrefix = subjects.inboxPrefix(id);
    const worker = await publisher({ ...(await nats.worker(id)), name: 'worker', inboxPrefix }, 60_000);
    const subject = subjects.stream('template', 'mine');
    await expect(worker.publish(subject, bytes, { ...guard, id: 'w' })).rejects.toMatchObject({
      code: 'PERMISSIONS_VIOLATION',
    });
  });

  it('gives up, each in its time, when the server stays silent', async () => {
    const engine = await publisher({ ...nats.engine, name: 'engine' }, 300);
    await engine.publish(subjects.stream('template', 'two'), bytes, { ...guard, id: 'two' });
    const { pid } = nats.server;
    if (pid === undefined) expect.fail('the server is down');
    process.kill(pid, 'SIGSTOP');
    try {
      const lost = ['x', 'y'].map((id) => engine.publish(subjects.stream('template', id), bytes, { ...guard, id }));
      const ends = await Promise.allSettled(lost);
      expect(ends).toMatchObject([{ reason: { code: 'TIMEOUT' } }, { reason: { code: 'TIMEOUT' } }]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});
