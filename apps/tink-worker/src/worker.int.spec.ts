import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '@tinkerbell/config';
import type { ActionSpec } from '@tinkerbell/events';
import { BusForbiddenError, NatsBus, subjects, type LoggedLine } from '@tinkerbell/messaging';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { containerName } from './containers/containers';
import type { Pace } from './pace';
import { startTinkWorker, type RunningWorker } from './start';
import { action, FakeServer, workerId, workflowId } from './testing/fake-server';
import { SilentLog } from './testing/life';
import { Bell, Peer } from './testing/peer';
import { startDockerd, whyNoDockerd, type TestDockerd } from './testing/start-dockerd';
import { startRegistry, type TestRegistry } from './testing/start-registry';
import { TinkWorkerConfig } from './worker.config';

const missing = whyNoDockerd() || whyNoDockerd(['docker-registry']);
if (missing) console.warn(`SKIPPED, the worker against a real engine: ${missing}`);

let engine: TestDockerd;
let registry: TestRegistry;
beforeAll(async () => {
  if (missing) return;
  [engine, registry] = await Promise.all([startDockerd(), startRegistry()]);
  await engine.importBusybox(`${registry.address}/bb:latest`);
  const certs = join(engine.certsDir, registry.address);
  await import('node:fs/promises').then(({ mkdir }) => mkdir(certs, { recursive: true }));
  writeFileSync(join(certs, 'ca.crt'), registry.ca);
  await engine.docker('login', '-u', registry.username, '-p', registry.password, registry.address);
  await engine.docker('push', `${registry.address}/bb:latest`);
});
afterAll(async () => {
  if (registry) rmSync(join(engine.certsDir, registry.address), { recursive: true, force: true });
  await Promise.all([engine?.stop(), registry?.stop()]);
});

let dir: string;
let nats: TestNats;
let bell: Bell;
let workers: RunningWorker[];
let peers: Peer[];
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tink-worker-'));
  nats = await startTestNats({ secured: true, restart: false });
  bell = new Bell();
  workers = [];
  peers = [];
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  await Promise.all(peers.map((peer) => peer.stop()));
  await nats.stop();
  rmSync(dir, { recursive: true, force: true });
});

const sh = (name: string, script: string, more: Partial<ActionSpec> = {}): ActionSpec =>
  action(name, { image: 'bb', command: ['sh', '-c', script], ...more });

async function peerOf(server: FakeServer): Promise<Peer> {
  const { servers, ca, creds } = nats.engine;
  const peer = await Peer.start({ servers, ca, creds }, server, bell.ring);
  peers.push(peer);
  return peer;
}

async function worker(pace: Partial<Pace> = {}): Promise<{ worker: RunningWorker; log: SilentLog }> {
  const { servers, ca, jwt, seed } = await nats.worker(workerId);
  const { address, username, password } = registry;
  const credentials = {
    ...{ workerId, seed, publicKey: 'U', jwt, natsUrl: servers, ca },
    ...{ expiresAt: new Date(Date.now() + 3_600_000).toISOString(), registry: { address, username, password } },
  };
  writeFileSync(join(dir, 'credentials.json'), JSON.stringify(credentials));
  const config = loadConfig(TinkWorkerConfig, {
    WORKER_ID: workerId,
    TINK_WORKER_CREDENTIALS: join(dir, 'credentials.json'),
    TINK_STATE_DIR: join(dir, 'state'),
    TINK_WORKFLOW_DIR: join(dir, 'worker'),
    DOCKER_SOCKET: engine.socket,
    DOCKER_CERTS_DIR: engine.certsDir,
  });
  const log = new SilentLog();
  const running = await startTinkWorker(config, { log, pace: { maxRetryMs: 250, idleMs: 500, stateMs: 500, ...pace } });
  workers.push(running);
  return { worker: running, log };
}

const textOf = (lines: readonly LoggedLine[], stream: string) =>
  lines.filter((line) => line.stream === stream).map(({ line }) => line);

describe.skipIf(missing)('a worker with a real engine, registry and bus', () => {
  it('runs a workflow: pull with credentials, output by line, data, results', async () => {
    const server = new FakeServer([
      sh(
        'first',
        'echo "hello $WHO"; echo oops >&2; printf "10%%\\r20%%\\rhalf"; echo "{\\"n\\":1}" > /workflow/data',
        {
          environment: ['WHO=world'],
        },
      ),
      sh('second', 'cat /workflow/data; ls /host/hostname', { volumes: ['/etc:/host:ro'], pid: 'host' }),
    ]);
    await engine.docker('rmi', '-f', `${registry.address}/bb:latest`);
    const peer = await peerOf(server);
    await worker();
    await bell.until(() => server.over);
    expect(server.finished.map(({ outcome, exitCode }) => [outcome, exitCode])).toEqual([
      ['succeeded', 0],
      ['succeeded', 0],
    ]);
    expect(server.ready).toMatchObject([{ engine: expect.stringMatching(/^Engine /) as unknown }]);
    const lines = await peer.lines();
    expect(textOf(lines, 'stdout')).toEqual(['hello world', '10%', '20%', 'half', '{"n":1}', '/host/hostname']);
    expect(textOf(lines, 'stderr')).toEqual(['oops']);
    expect(textOf(lines, 'worker').join('\n')).toContain('Pulling from bb');
    expect(await engine.docker('ps', '-aq')).toBe('');
  });

  it('gets its result over a bus and a server that are killed in mid-action', async () => {
    const server = new FakeServer([
      sh('long', 'echo begun; while [ ! -e /workflow/go ]; do sleep 0.05; done; echo over'),
    ]);
    const peer = await peerOf(server);
    const { log } = await worker();
    await peer.lineWith('begun');
    await peer.stop();
    peers = [];
    await nats.server.kill();
    writeFileSync(join(dir, 'worker', workflowId, 'go'), '');
    await waitForLog(log, 'succeeded');
    await nats.server.restart();
    const later = await peerOf(server);
    await bell.until(() => server.over);
    expect(server.started).toHaveLength(1);
    expect(server.finished).toMatchObject([{ outcome: 'succeeded', exitCode: 0 }]);
    expect(textOf(await later.lines(), 'stdout')).toEqual(['begun', 'over']);
  });

  it('leaves the container alone when stopped, and its successor reports the result once', async () => {
    const script = 'echo begun; while [ ! -e /workflow/go ]; do sleep 0.05; done; echo over; echo n >> /workflow/ran';
    const server = new FakeServer([sh('long', script)]);
    const peer = await peerOf(server);
    const first = await worker();
    await peer.lineWith('begun');
    await first.worker.close();
    expect(await engine.docker('ps', '-q')).not.toBe('');
    const second = await worker();
    await waitForLog(second.log, 'found the container again');
    writeFileSync(join(dir, 'worker', workflowId, 'go'), '');
    await bell.until(() => server.over);
    expect(server.finished).toMatchObject([{ outcome: 'succeeded' }]);
    expect(textOf(await peer.lines(), 'stdout')).toEqual(['begun', 'over']);
    expect(readFileSync(join(dir, 'worker', workflowId, 'ran'), 'utf8')).toBe('n\n');
  });

  it('kills an action that the server no longer wants', async () => {
    const server = new FakeServer([sh('long', 'echo begun; trap "" TERM; while :; do sleep 0.1; done')]);
    const peer = await peerOf(server);
    await worker();
    await peer.lineWith('begun');
    server.deleted = 'the workflow is deleted';
    peer.wake(workerId);
    await bell.until(() => server.finished.length === 1);
    expect(server.finished).toMatchObject([{ outcome: 'failed', reason: 'refused', exitCode: 137 }]);
    expect(server.finished[0]?.message).toContain('the workflow is deleted');
  });

  it('stops the container of a workflow that is cancelled, politely', async () => {
    const script = 'trap "echo cleaning up; exit 9" TERM; echo begun; while :; do sleep 0.05; done';
    const server = new FakeServer([sh('long', script, { onFailure: ['sh', '-c', 'echo never'] })]);
    const peer = await peerOf(server);
    await worker({ idleMs: 60_000, stateMs: 60_000 });
    await peer.lineWith('begun');
    server.cancelled = 'wrong machine';
    peer.wake(workerId);
    await bell.until(() => server.finished.length === 1);
    const message = 'stopped with SIGTERM, exit code 9: wrong machine';
    expect(server.finished).toMatchObject([{ outcome: 'cancelled', reason: null, exitCode: 9, message }]);
    expect(textOf(await peer.lines(), 'stdout')).toEqual(['begun', 'cleaning up']);
    expect(server.handlers).toEqual([]);
  });

  it('runs actions beside each other that wait for each other, and one of them by its digest', async () => {
    const meet = (own: string, other: string) =>
      `touch /workflow/shared/${own}; while [ ! -e /workflow/shared/${other} ]; do sleep 0.05; done; ` +
      `echo "{\\"from\\":\\"${own}\\"}" > /workflow/outputs.json`;
    const digest = await engine.docker('image', 'inspect', '-f', '{{index .RepoDigests 0}}', `${registry.address}/bb`);
    const byDigest = digest.trim().slice(digest.indexOf('/') + 1);
    expect(byDigest).toMatch(/^bb@sha256:[0-9a-f]{64}$/);
    await engine.docker('rmi', '-f', `${registry.address}/bb:latest`, digest.trim());
    const images = [byDigest, byDigest.replace('@', ':latest@'), 'bb'];
    const server = new FakeServer(
      images.map((image, i) => sh(`n${i}`, meet(`n${i}`, `n${(i + 1) % 3}`), { image })),
      images.map(() => ({ needs: [] })),
    );
    await peerOf(server);
    await worker();
    await bell.until(() => server.over);
    const results = server.finished.map(({ outcome, message, outputs }) => ({ outcome, message, outputs }));
    expect(results).toEqual(
      expect.arrayContaining(images.map((_, i) => ({ outcome: 'succeeded', message: '', outputs: { from: `n${i}` } }))),
    );
    expect(await engine.docker('ps', '-aq')).toBe('');
  });

  it('gives a destructive action its secrets and runs it under its permit', async () => {
    const script =
      'echo "pw $PASSWORD $TINKERBELL_RESUMED"; printf "%s" "$PASSWORD" | wc -c; echo "$PASSWORD" >&2; exit 3';
    const server = new FakeServer(
      [sh('wipe', script)],
      [{ destructive: true, resumed: true, secrets: { PASSWORD: 'correct horse' } }],
    );
    const peer = await peerOf(server);
    const { log } = await worker();
    await bell.until(() => server.over);
    expect(server.finished).toMatchObject([{ outcome: 'failed', exitCode: 3, message: '***' }]);
    expect(server.permits).toHaveLength(1);
    const lines = await peer.lines();
    expect(textOf(lines, 'stdout')).toEqual(['pw *** 1', '13']);
    const journal = readFileSync(join(dir, 'state', 'journal.ndjson'), 'utf8');
    for (const text of [JSON.stringify(lines), log.lines.join(), journal]) expect(text).not.toContain('correct horse');
  });

  it('ends an action that takes too long and runs its on-timeout command', async () => {
    const script = 'trap "exit 9" TERM; echo begun; while :; do sleep 0.05; done';
    const onTimeout = ['sh', '-c', 'echo too late; exit 3'];
    // Its time has to do for the start of both containers, however slow the machine.
    for (let timeoutSeconds = 1; ; timeoutSeconds *= 2) {
      const server = new FakeServer([sh('slow', script, { timeoutSeconds, onTimeout })]);
      const peer = await peerOf(server);
      const { worker: running } = await worker();
      await bell.until(() => server.handlers.length === 1);
      expect(server.finished).toMatchObject([{ outcome: 'timed-out', reason: null }]);
      expect(server.handlers).toMatchObject([{ handler: 'on-timeout' }]);
      const said = textOf(await peer.lines(), 'stdout');
      if (said.join() === 'begun,too late') {
        expect([server.finished[0]?.exitCode, server.handlers[0]?.exitCode]).toEqual([9, 3]);
        return;
      }
      expect(said.length).toBeLessThan(2);
      await anew(running, peer);
    }
  });

  /** Nothing of what was is left. */
  async function anew(running: RunningWorker, peer: Peer): Promise<void> {
    await running.close();
    await peer.stop();
    peers = [];
    rmSync(join(dir, 'state'), { recursive: true, force: true });
    await nats.stop();
    nats = await startTestNats({ secured: true, restart: false });
  }

  it('tells failures apart', async () => {
    const cases: readonly [ActionSpec, object, string][] = [
      [sh('exit', 'echo no disk >&2; exit 17'), { reason: 'exit', exitCode: 17 }, 'no disk'],
      [
        sh('own', 'echo DiskNotFound > /workflow/failure-reason; exit 1'),
        { reason: 'exit', exitCode: 1 },
        'DiskNotFound',
      ],
      [action('none', { image: 'none' }), { reason: 'pull', exitCode: null }, `${registry.address}/none:latest`],
      [action('cmd', { image: 'bb', command: ['/none'] }), { reason: 'start', exitCode: null }, 'no such file'],
      [sh('bind', 'true', { volumes: ['not:a:valid:bind'] }), { reason: 'create', exitCode: null }, 'not:a:valid:bind'],
    ];
    for (const [spec, expected, message] of cases) {
      const server = new FakeServer([spec]);
      const peer = await peerOf(server);
      const { worker: running } = await worker();
      await bell.until(() => server.over);
      expect(server.finished, spec.name).toMatchObject([{ outcome: 'failed', ...expected }]);
      expect(server.finished[0]?.message, spec.name).toContain(message);
      await anew(running, peer);
    }
  });

  it('reports a container that somebody killed', async () => {
    const server = new FakeServer([sh('long', 'echo begun; sleep 1000')]);
    const peer = await peerOf(server);
    await worker();
    await peer.lineWith('begun');
    await engine.docker('kill', containerName(workflowId, 0, 1)).catch(() => '');
    await bell.until(() => server.over);
    expect(server.finished).toMatchObject([{ outcome: 'failed', reason: 'exit', exitCode: 137 }]);
  });

  it('reports once what an engine that was killed did to its container', async () => {
    const server = new FakeServer([sh('long', 'echo begun; exec sleep 1000')]);
    const peer = await peerOf(server);
    await worker();
    await peer.lineWith('begun');
    await engine.restart();
    await bell.until(() => server.over);
    expect(server.finished).toMatchObject([{ outcome: 'failed' }]);
    // Which of them depends on how far the engine had written down the start.
    expect(['exit', 'engine', 'unknown-outcome']).toContain(server.finished[0]?.reason);
    expect(await engine.docker('ps', '-aq')).toBe('');
  });
});

describe('the credential of a worker', () => {
  it('is good for its own subjects and for no other', async () => {
    const { servers, ca, jwt, seed } = await nats.worker(workerId);
    const inboxPrefix = subjects.inboxPrefix(workerId);
    const refused: string[] = [];
    const bus = await NatsBus.connect({
      ...{ servers, ca, jwt, seed, inboxPrefix, name: 'prying worker' },
      onStatus: ({ type, detail }) => {
        if (type === 'error') refused.push(detail);
        bell.ring();
      },
    });
    const other = 'a29a3fe2-8e8d-4a4c-b1ac-3a3d1c8a0f3e';
    try {
      await bus.publishReport(subjects.report(workerId, 'ready'), 'r1', {});
      await bus.publishLog(subjects.log(workerId, workflowId, 0), {
        at: '',
        stream: 'stdout',
        attempt: 1,
        line: 'mine',
      });
      const foreign = [
        subjects.report(other, 'ready'),
        subjects.stream('workflow', workflowId),
        subjects.log(other, workflowId, 0),
      ];
      for (const subject of foreign) {
        await expect(bus.publishReport(subject, 'x', {}, 30_000), subject).rejects.toThrow(BusForbiddenError);
      }
      await expect(bus.request(subjects.rpc(other, 'next'), {}, 30_000)).rejects.toThrow(BusForbiddenError);
      await expect(bus.request('$JS.API.STREAM.INFO.TINK_EV', {}, 30_000)).rejects.toThrow(BusForbiddenError);
      for (const subject of ['tink.ev.>', subjects.wake(other), `${subjects.inboxPrefix(other)}.>`, subjects.allLogs]) {
        const before = refused.length;
        bus.subscribe(subject, () => expect.unreachable());
        await bell.until(() => refused.length > before);
      }
    } finally {
      await bus.close();
    }
    const stored = await nats.connect();
    const manager = await stored.jetstreamManager();
    expect((await manager.streams.info('TINK_IN')).state.messages).toBe(1);
    expect((await manager.streams.info('TINK_LOG')).state.messages).toBe(1);
    expect((await manager.streams.info('TINK_EV')).state.messages).toBe(0);
  });
});

/** The worker's own log grows while it works; nothing rings for it. */
async function waitForLog(log: SilentLog, text: string): Promise<void> {
  while (!log.lines.some((line) => line.includes(text))) await new Promise((resolve) => setTimeout(resolve, 20));
}
