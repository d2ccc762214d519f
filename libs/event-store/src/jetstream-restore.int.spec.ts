import { subjects } from '@tinkerbell/messaging';
import { ensureStreams, startTestNats, type TestNats } from '@tinkerbell/nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogVerifier } from './audit';
import type { Kept } from './envelope';
import { emptyHead } from './event-store';
import { JetStreamEventStore } from './jetstream';
import { RestoreError, restoreCommits } from './jetstream-restore';
import { hashOfLog, MadeLog, templateStream } from './testing/made-log';

let nats: TestNats;
let store: JetStreamEventStore;
beforeEach(async () => {
  nats = await startTestNats();
  store = await JetStreamEventStore.connect({ ...nats.engine, name: 'spec' });
});
afterEach(async () => {
  await store.close();
  await nats.stop();
});

async function* each(kept: readonly Kept[]): AsyncGenerator<Kept> {
  yield* kept;
}
async function readAll(): Promise<Kept[]> {
  const last = await store.lastPosition();
  const kept: Kept[] = [];
  for await (const message of store.messages({ after: 0 })) if (kept.push(message) === last) break;
  return kept;
}
async function made(): Promise<{ log: MadeLog; kept: Kept[] }> {
  const log = new MadeLog();
  await log.write('a', 'b', 'a');
  await log.checkpoint();
  for (let i = 0; i < 300; i++) await log.write(`t${i}`);
  return { log, kept: await log.read() };
}
const plain = (kept: readonly Kept[]) =>
  kept.map((message) => ({ ...message, bytes: Buffer.from(message.bytes).toString() }));

describe('restored commits', () => {
  it('are what they were, place, time, id and all, and the log goes on behind them', async () => {
    const { log, kept } = await made();
    expect(await restoreCommits(await nats.connect(), each(kept))).toBe(kept.length);
    expect(plain(await readAll())).toEqual(plain(kept));
    const read = await store.read(templateStream('a'));
    expect(read.events.map(({ at, position }) => [position, at])).toEqual([
      [1, kept[0]?.at],
      [3, kept[2]?.at],
    ]);
    await store.append(templateStream('a'), [{ type: 'TemplateDeleted', v: 1, data: {} }], {
      expected: read.head,
      metadata: { id: 'next', actor: 'spec' },
    });
    const all = await readAll();
    const verifier = new LogVerifier({ keys: [log.signer], seen: { position: kept.length, hash: hashOfLog(kept) } });
    for (const message of all) verifier.take(message);
    expect(verifier.end()).toMatchObject({ ok: true, commits: kept.length + 1, covered: 3, findings: [] });
    // The settings are the declared ones again.
    await expect(ensureStreams(await nats.connect())).resolves.toBeUndefined();
  });

  it('are found by the time at which they were stored first', async () => {
    const { kept } = await made();
    const hour = 3_600_000;
    // As if the log was a day old when it was restored; a millisecond apart.
    const start = Date.now() - 24 * hour;
    const old = kept.map((message, i) => ({ ...message, at: new Date(start + i).toISOString() }));
    await restoreCommits(await nats.connect(), each(old));
    expect(await store.positionAt(start - 1)).toBe(0);
    for (const i of [0, 1, 150, old.length - 2]) expect(await store.positionAt(start + i)).toBe(i + 1);
    expect(await store.positionAt(start + hour)).toBe(old.length);
    const { head } = await store.append(templateStream('new'), [{ type: 'TemplateDeleted', v: 1, data: {} }], {
      expected: emptyHead,
      metadata: { id: 'next', actor: 'spec' },
    });
    expect(await store.positionAt(Date.now() - hour)).toBe(old.length);
    expect(await store.positionAt(Date.now() + hour)).toBe(head.position);
  });

  it('may have the id of another stream’s commit', async () => {
    const { kept } = await made();
    const [first] = kept;
    if (!first) throw new Error('empty');
    const twice = { ...first, position: 2, stream: subjects.stream('template', 'other') };
    expect(await restoreCommits(await nats.connect(), each([first, twice]))).toBe(2);
    expect((await readAll()).map(({ id }) => id)).toEqual([first.id, first.id]);
  });

  it('are refused where a log is', async () => {
    const { kept } = await made();
    await restoreCommits(await nats.connect(), each(kept.slice(0, 1)));
    await expect(restoreCommits(await nats.connect(), each(kept))).rejects.toThrow(RestoreError);
    expect(await store.lastPosition()).toBe(1);
  });

  it('are refused when they have holes', async () => {
    const { kept } = await made();
    await expect(restoreCommits(await nats.connect(), each(kept.slice(1, 2)))).rejects.toThrow(
      `${templateStream('b')} at 2 was stored at 1`,
    );
  });
});

describe('messages', () => {
  it('gives what is stored as it is, damaged or not, with the time that a direct read gives', async () => {
    const { log } = await made();
    for (let i = 0; i < 50; i++) {
      const { head } = await store.read(templateStream('x'));
      const event = { type: 'TemplateUpdated', v: 1, data: { name: 'x', data: '' } };
      await store.append(templateStream('x'), [event], { expected: head, metadata: { id: `x${i}`, actor: 'spec' } });
    }
    const connection = await nats.connect();
    await connection.jetstream().publish(templateStream('planted'), 'no commit');
    const all = await readAll();
    const { events } = await store.read(templateStream('x'));
    expect(all.slice(0, 50).map(({ at }) => at)).toEqual(events.map(({ at }) => at));
    expect(all[50]).toMatchObject({ position: 51, id: '' });
    expect(all[50]?.expected).toBeUndefined();
    const verifier = new LogVerifier({ keys: [log.signer] });
    for (const message of all) verifier.take(message);
    expect(verifier.end().findings).toEqual([
      { position: 51, stream: templateStream('planted'), kind: 'altered', fault: 'the commit is not JSON' },
    ]);
  });
});
