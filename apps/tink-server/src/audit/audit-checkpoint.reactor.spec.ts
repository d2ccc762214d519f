import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent } from '@tinkerbell/events';
import { InMemoryEventStore, LogVerifier, type StoredMessage } from '@tinkerbell/event-store';
import type { AuditKey } from '@tinkerbell/identity';
import { subjects } from '@tinkerbell/messaging';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setLogLevel } from '../log';
import { AuditCheckpointReactor } from './audit-checkpoint.reactor';
import { auditStream } from './checked-log';
import { readUpTo } from './audit-export';
import { LogMemory } from './log-memory';

setLogLevel('error');

function newKey(formerKeys: readonly string[] = []): AuditKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    formerKeys,
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
  };
}

let dir: string;
let messages: StoredMessage[];
let store: InMemoryEventStore;
let key: AuditKey;
let running: AuditCheckpointReactor[];
let written: number;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'audit-reactor-'));
  messages = [];
  store = new InMemoryEventStore({ log: messages });
  key = newKey();
  running = [];
  written = 0;
});
afterEach(async () => {
  for (const reactor of running) await reactor.close();
  await rm(dir, { recursive: true, force: true });
});

function start({ commits = 1000, seconds = 3600, by = key } = {}): AuditCheckpointReactor {
  const reactor = new AuditCheckpointReactor(store, by, { commits, seconds }, new LogMemory(join(dir, 'seen.json')));
  running.push(reactor);
  reactor.start();
  return reactor;
}

async function write(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const stream = subjects.stream('template', `t${written++}`);
    const event = { type: 'TemplateCreated', v: 1, data: { name: 'a', data: 'b' } };
    const { head } = await store.read(stream);
    await store.append(stream, [event], { expected: head, metadata: { id: stream, actor: 'spec' } });
  }
}

async function checkpoints(): Promise<readonly number[]> {
  const { events } = await store.read<AuditEvent>(auditStream);
  return events.map(({ event }) => event.data.position);
}

async function verify(keys = [key]) {
  const verifier = new LogVerifier({ keys });
  const { signal } = new AbortController();
  for await (const kept of readUpTo(store, await store.lastPosition(), signal)) verifier.take(kept);
  return verifier.end();
}

const forge = (position: number) => {
  const index = messages.findIndex((message) => message.position === position);
  const message = messages[index];
  if (!message) throw new Error(`no message ${position}`);
  messages[index] = { ...message, bytes: Buffer.from(Buffer.from(message.bytes).toString().replace('"b"', '"c"')) };
};

describe('checkpoints', () => {
  it('are signed after so many commits, and none follows from another', async () => {
    const reactor = start({ commits: 3 });
    await write(3);
    await expect.poll(checkpoints).toEqual([3]);
    await write(2);
    await expect.poll(() => reactor.seen?.position).toBe(6);
    expect(await checkpoints()).toEqual([3]);
    await write(1);
    await expect.poll(checkpoints).toEqual([3, 7]);
    expect(await verify()).toMatchObject({ ok: true, checkpoints: 2, covered: 7, uncovered: 0 });
  });

  it('are signed some time after a commit', async () => {
    start({ seconds: 0.01 });
    await write(1);
    await expect.poll(checkpoints).toEqual([1]);
  });

  it('are signed at an orderly end, once', async () => {
    const first = start();
    await write(2);
    await first.close();
    expect(await checkpoints()).toEqual([2]);
    const second = start();
    await expect.poll(() => second.seen?.position).toBe(3);
    await second.close();
    expect(await checkpoints()).toEqual([2]);
    expect(JSON.parse(await readFile(join(dir, 'seen.json'), 'utf8'))).toMatchObject({ position: 3 });
  });

  it('go on after a restart', async () => {
    for (let i = 0; i < 4; i++) {
      const reactor = start({ commits: 2 });
      await write(3);
      const last = await store.lastPosition();
      await expect.poll(() => reactor.seen?.position).toBeGreaterThanOrEqual(last);
      await reactor.close();
      expect(reactor.fault).toBeUndefined();
    }
    expect(await verify()).toMatchObject({ ok: true, uncovered: 0 });
    expect((await checkpoints()).length).toBeGreaterThanOrEqual(4);
  });

  it('of two servers do not make each other due', async () => {
    const [a, b] = [start({ commits: 2 }), start({ commits: 2 })];
    await write(6);
    await expect.poll(() => [a.covered, b.covered].every((covered) => covered >= 6)).toBe(true);
    await a.close();
    await b.close();
    const last = await store.lastPosition();
    expect(await verify()).toMatchObject({ ok: true, uncovered: 0, commits: last });
    expect((await checkpoints()).length).toBeLessThanOrEqual(3);
  });

  it('of a former key stay good', async () => {
    await write(2);
    const former = start();
    await expect.poll(() => former.seen?.position).toBe(2);
    await former.close();
    const next = newKey([key.publicKey]);
    const reactor = start({ commits: 1, by: next });
    await write(1);
    await expect.poll(checkpoints).toEqual([2, 4]);
    expect(reactor.fault).toBeUndefined();
    expect(await verify([next, key])).toMatchObject({ ok: true, covered: 4 });
  });
});

describe('a log that is not what it was', () => {
  it('is signed no more when it is not what was signed', async () => {
    const first = start({ commits: 2 });
    await write(2);
    await expect.poll(checkpoints).toEqual([2]);
    await first.close();
    await rm(join(dir, 'seen.json'));
    forge(1);
    const second = start({ commits: 1 });
    await expect.poll(() => second.fault).toBe('the log up to position 2 is not what was signed at position 3');
    await write(1);
    await second.close();
    expect(await checkpoints()).toEqual([2]);
  });

  it('is signed no more when it is not what was read, and the memory of that is kept', async () => {
    await write(3);
    const seen = { position: 2, hash: 'another' };
    await writeFile(join(dir, 'seen.json'), JSON.stringify(seen));
    const reactor = start();
    await expect.poll(() => reactor.fault).toBe('the log up to position 2 is not what this server read before');
    expect(reactor.seen).toEqual(seen);
    await reactor.close();
    expect(JSON.parse(await readFile(join(dir, 'seen.json'), 'utf8'))).toEqual(seen);
    expect(await checkpoints()).toEqual([]);
  });

  it('is signed no more when its end is gone, until somebody says that this is right', async () => {
    await write(3);
    const first = start();
    await expect.poll(() => first.seen?.position).toBe(3);
    await first.close();
    messages.splice(2);
    const second = start();
    await expect
      .poll(() => second.fault)
      .toMatch(/^the log ends at position 2, but this server has read it up to [34]$/);
    await second.close();
    await writeFile(join(dir, 'seen.json'), 'damaged');
    const third = start();
    await expect.poll(() => third.seen?.position).toBe(2);
    expect(third.fault).toBeUndefined();
  });
});
