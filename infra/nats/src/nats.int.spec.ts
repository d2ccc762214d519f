import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ensurePki } from '@tinkerbell/identity';
import { DiscardPolicy, type NatsConnection } from 'nats';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  certificateShown,
  findNatsServer,
  type NatsServer,
  startNatsServer,
  type TestNats,
  startTestNats,
} from './index';
import { declaredStreams, ensureStreams, StreamMismatchError } from './streams';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'tink-nats-'));
  stops.push(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function start(options: Parameters<typeof startTestNats>[0] = {}): Promise<TestNats> {
  const nats = await startTestNats(options);
  stops.push(() => nats.stop());
  return nats;
}

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};
const until = async (what: string, condition: () => boolean | Promise<boolean>) => {
  for (let i = 0; i < 5000; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never: ${what}`);
};

describe('startNatsServer', () => {
  it('takes a free port, keeps its configuration to itself, ends clean', async () => {
    const dataDir = await folder();
    const server = await startNatsServer({ dataDir, host: '127.0.0.1', port: 0 });
    expect(server.port).toBeGreaterThan(0);
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    expect(server.problem()).toBeUndefined();
    expect(statSync(join(dataDir, 'nats-server.conf')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(dataDir, 'nats-server.conf'), 'utf8')).toContain('sync_interval: always');
    const { pid = 0 } = server;
    expect(alive(pid)).toBe(true);
    await server.stop();
    expect(alive(pid)).toBe(false);
    expect(existsSync(join(dataDir, 'nats-server.lock'))).toBe(false);
  });

  it('says what nats-server said when it cannot start', async () => {
    const dataDir = await folder();
    const tls = { cert: join(dataDir, 'none.crt'), key: join(dataDir, 'none.key') };
    await expect(startNatsServer({ dataDir, host: '127.0.0.1', port: 0, tls })).rejects.toThrow(
      /ended early.*none\.crt/s,
    );
    const server = await startNatsServer({ dataDir, host: '127.0.0.1', port: 0 });
    stops.push(() => server.stop());
    const other = { dataDir: await folder(), host: '127.0.0.1', port: server.port };
    await expect(startNatsServer(other)).rejects.toThrow(/address already in use/);
  });

  it('comes back on the same port after kill -9, and tells', async () => {
    const exits: unknown[] = [];
    const { server } = await start({ onExit: (exit) => exits.push(exit.signal) });
    const { pid = 0, port } = server;
    process.kill(pid, 'SIGKILL');
    await until('restart', () => server.pid !== undefined && server.pid !== pid);
    expect(server.port).toBe(port);
    expect(exits).toEqual(['SIGKILL']);
  });

  it.each(['kernel', 'pipe'] as const)('dies with its parent, even by kill -9 (%s)', async (guard) => {
    const dataDir = await folder();
    const { pid, parent } = await orphan(dataDir, guard);
    expect(alive(pid)).toBe(true);
    process.kill(parent, 'SIGKILL');
    await until('the server ended', () => !alive(pid));
    const server = await startNatsServer({ dataDir, host: '127.0.0.1', port: 0 });
    stops.push(() => server.stop());
    expect(server.pid).not.toBe(pid);
  });

  it('shows a renewed certificate without an end, and says why it does not', async () => {
    const { server, pki, connect: login } = await start({ secured: true, streams: false });
    if (!pki) throw new Error('secured');
    const { pid } = server;
    const connection = await login();
    const old = await certificateShown(server.port, pki.ca);
    await rm(pki.files.cert);
    const renewed = await ensurePki(dirname(pki.files.cert), { ips: ['127.0.0.1'], names: ['localhost'] });
    expect(await certificateShown(server.port, pki.ca)).toBe(old);
    await server.reload();
    expect(await certificateShown(server.port, pki.ca)).toBe(new X509Certificate(renewed.cert).fingerprint256);
    writeFileSync(pki.files.cert, 'no certificate');
    await expect(server.reload()).rejects.toThrow(/^nats-server did not read its configuration again: .*certificate/);
    expect(await certificateShown(server.port, pki.ca)).toBe(new X509Certificate(renewed.cert).fingerprint256);
    await connection.flush();
    expect(server.pid).toBe(pid);
  });

  it('keeps a second one out while the first lives, and ends an orphan before it starts', async () => {
    const dataDir = await folder();
    // A dead owner does not start its server again.
    const server = await startNatsServer({ dataDir, host: '127.0.0.1', port: 0, restart: false });
    await expect(startNatsServer({ dataDir, host: '127.0.0.1', port: 0 })).rejects.toThrow(
      `${dataDir} is in use by process ${process.pid}`,
    );
    // What a dead owner leaves behind whose server lives on.
    const { pid = 0 } = server;
    const lock = join(dataDir, 'nats-server.lock');
    const content = JSON.parse(readFileSync(lock, 'utf8')) as { owner: object; server: object };
    writeFileSync(lock, JSON.stringify({ ...content, owner: { pid: 2 ** 22 + 1, started: '1' } }));
    const next = await startNatsServer({ dataDir, host: '127.0.0.1', port: 0, restart: false });
    expect(alive(pid)).toBe(false);
    await next.stop();
    await server.stop();
  });

  it('takes over a lock that was torn, or whose pid is another process now', async () => {
    const dataDir = await folder();
    for (const left of ['', '{"own', JSON.stringify({ owner: { pid: process.pid, started: '1' } })]) {
      writeFileSync(join(dataDir, 'nats-server.lock'), left);
      const server = await startNatsServer({ dataDir, host: '127.0.0.1', port: 0 });
      await server.stop();
    }
  });
});

describe('findNatsServer', () => {
  it('refuses a chosen one that is no nats-server or too old, with version and place', async () => {
    const dir = await folder();
    const fake = join(dir, 'nats-server');
    await expect(findNatsServer({ NATS_SERVER_BIN: fake })).rejects.toThrow(`NATS_SERVER_BIN=${fake} cannot be run`);
    writeFileSync(fake, '#!/bin/sh\necho "nats-server: v2.9.10"\n', { mode: 0o755 });
    await expect(findNatsServer({ NATS_SERVER_BIN: fake })).rejects.toThrow('is version 2.9.10, older than 2.10.0');
    await expect(findNatsServer({ PATH: dir }, [dir])).rejects.toThrow(
      /2\.10\.0 or newer: .*is version 2\.9\.10; run `npm run setup`/,
    );
    await expect(findNatsServer({ PATH: '' }, [dir])).rejects.toThrow('or newer in .cache/nats-server or PATH; run');
  });
});

describe('streams', () => {
  let nats: TestNats;
  let connection: NatsConnection;
  beforeAll(async () => {
    nats = await startTestNats({ secured: true });
    connection = await nats.connect();
  });
  afterAll(() => nats.stop());

  it('are there as declared, and creating them again changes nothing', async () => {
    const manager = await connection.jetstreamManager();
    const before = await Promise.all(declaredStreams.map(({ name }) => manager.streams.info(name)));
    await ensureStreams(connection);
    const after = await Promise.all(declaredStreams.map(({ name }) => manager.streams.info(name)));
    expect(after.map(({ config, created }) => ({ config, created }))).toEqual(
      before.map(({ config, created }) => ({ config, created })),
    );
    const ev = after[0]?.config;
    expect(ev).toMatchObject({ discard: 'new', deny_delete: true, deny_purge: true, compression: 's2', max_age: 0 });
  });

  it('refuses to delete or purge history', async () => {
    const manager = await connection.jetstreamManager();
    await connection.jetstream().publish('tink.ev.default.hardware.x', 'x');
    await expect(manager.streams.deleteMessage('TINK_EV', 1)).rejects.toThrow(/not permitted/);
    await expect(manager.streams.purge('TINK_EV')).rejects.toThrow(/not permitted/);
  });

  it('names stream, field, expected and found when one is different, and leaves it alone', async () => {
    const manager = await connection.jetstreamManager();
    await manager.streams.update('TINK_IN', { discard: DiscardPolicy.Old, max_msg_size: 1 });
    const failure = await ensureStreams(connection).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StreamMismatchError);
    expect(failure).toMatchObject({
      stream: 'TINK_IN',
      differences: [
        { field: 'discard', expected: 'new', found: 'old' },
        { field: 'max_msg_size', expected: 65536, found: 1 },
      ],
    });
    expect((await manager.streams.info('TINK_IN')).config.max_msg_size).toBe(1);
  });
});

/** A process of its own that starts a server and then only waits. */
async function orphan(dataDir: string, guard: 'kernel' | 'pipe'): Promise<{ pid: number; parent: number }> {
  const script = join(dataDir, 'parent.cjs');
  const { build } = await import('esbuild');
  await build({
    stdin: {
      contents: `import { startNatsServer } from './server';
        startNatsServer(${JSON.stringify({ dataDir, host: '127.0.0.1', port: 0, guard })}).then((s) => console.log(s.pid));`,
      resolveDir: __dirname,
    },
    outfile: script,
    bundle: true,
    platform: 'node',
    tsconfig: 'tsconfig.base.json',
    logLevel: 'error',
  });
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  stops.push(async () => child.kill('SIGKILL'));
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the parent ended early')));
  const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer];
  return { pid: Number(line.toString()), parent: child.pid ?? 0 };
}

export type { NatsServer };
