import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { JetStreamEventStore } from '@tinkerbell/event-store';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ArchiveStartError, startArchiveProcess, type ArchiveProcess } from './archive-process';
import { eventId } from './event-id';
import { InMemoryTarget } from './testing/in-memory-target';
import { startKurrentStub, type KurrentStub } from './testing/kurrent-stub';
import { appendTo, event } from './testing/log';

const file = 'dist/apps/archive/main.js';
let nats: TestNats;
let store: JetStreamEventStore;
let stub: KurrentStub;
beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['infra/build/build.mjs', 'apps/archive']);
  nats = await startTestNats();
  store = await JetStreamEventStore.connect({ ...nats.engine, name: 'writer' });
  stub = await startKurrentStub(new InMemoryTarget(), { batches: true });
});
afterAll(async () => {
  await stub?.stop();
  await store?.close();
  await nats?.stop();
});

const lines: string[] = [];
const start = (url: string): Promise<ArchiveProcess> =>
  startArchiveProcess({
    file,
    env: { ...process.env, TINK_ARCHIVE_KURRENTDB_URL: url, NATS_URL: nats.url, ARCHIVE_HTTP_PORT: '0' },
    log: (line) => lines.push(line),
    retryMs: { shortest: 50, longest: 200 },
  });
const runs = (pid: number | undefined) => {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
};
const mirrored = (workflow: string) => stub.memory.memory.eventsOf(`workflow-${workflow}`).map(({ id }) => id);

describe('the process of the archive', () => {
  it('mirrors a log on nats-server, is started again when it dies, and ends when it is told to', async () => {
    const wanted: string[] = [];
    const add = async (count: number) => {
      for (let n = 0; n < count; n++) {
        const position = await appendTo(store, 'wf', [event(n), event(n)]);
        wanted.push(eventId(position, 0), eventId(position, 1));
      }
    };
    await add(20);
    const archive = await start(`kurrentdb://127.0.0.1:${stub.port}?tls=false`);
    const first = archive.pid;
    try {
      await expect.poll(() => mirrored('wf'), { timeout: 60_000 }).toEqual(wanted);
      const port = lines.map((line) => /healthz on \S+:(\d+)$/.exec(line)?.[1]).find((found) => found !== undefined);
      const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      await expect.poll(metrics, { timeout: 60_000 }).toMatch(/^tink_archive_position 20$/m);
      expect(await metrics()).toMatch(/^tink_archive_lag 0$/m);
      expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);

      process.kill(first ?? 0, 'SIGKILL');
      await add(5);
      await expect.poll(() => mirrored('wf'), { timeout: 60_000 }).toEqual(wanted);
      expect(lines).toContain('archive: its process ended (SIGKILL), it is started again');
      expect(archive.pid).not.toBe(first);
    } finally {
      await archive.stop();
    }
    expect([runs(first), runs(archive.pid)]).toEqual([false, false]);
  });

  it('goes on after the client has ended it', async () => {
    let refusals = 1;
    const refusing = await startKurrentStub(new InMemoryTarget(), { batches: true, refuses: () => refusals-- > 0 });
    try {
      const archive = await start(`kurrentdb://127.0.0.1:${refusing.port}?tls=false`);
      const there = () => [...refusing.memory.memory.streams.values()].flat();
      await expect
        .poll(() => there().map(({ id }) => id), { timeout: 60_000 })
        .toContain(eventId(await appendTo(store, 'again'), 0));
      await archive.stop();
      expect(lines).toContain('archive: its process ended (1), it is started again');
    } finally {
      await refusing.stop();
    }
  });

  it.each([
    ['http://x', 'archive: TINK_ARCHIVE_KURRENTDB_URL: Unexpected "http://"'],
    ['', 'archive: TINK_ARCHIVE_KURRENTDB_URL is not set'],
  ])('does not start with %j, and says why', async (url, message) => {
    const error: unknown = await start(url).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ArchiveStartError);
    expect((error as Error).message).toContain(message);
  });
});
