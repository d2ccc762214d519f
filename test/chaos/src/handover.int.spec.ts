import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { JetStreamEventStore } from '@tinkerbell/event-store';
import { NatsBus, subjects } from '@tinkerbell/messaging';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { actionSpec, hardwareId, hardwareRegistered, workflowCreated } from '@tinkerbell/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Bundle, bundle } from '../../interop/net/bundle';
import { Machine } from './load/machine';
import { until } from './until';

let program: Bundle;
let nats: TestNats;
let dir: string;
const servers: Server[] = [];

beforeAll(async () => {
  program = await bundle('apps/tink-server/src/main.ts');
  await cp('apps/tink-server/proto', join(dirname(program.file), 'proto'), { recursive: true });
  nats = await startTestNats({ secured: true });
  dir = await mkdtemp(join(tmpdir(), 'tink-handover-'));
}, 120_000);
afterAll(async () => {
  await Promise.all(servers.map((server) => server.end()));
  await nats?.stop();
  await program?.remove();
  await rm(dir, { recursive: true, force: true });
});

/** tink-server as a process of its own, which can be stopped in the middle of whatever it does. */
class Server {
  private readonly child: ChildProcess;
  log = '';

  constructor(name: string, env: Readonly<Record<string, string>> = {}) {
    const pki = nats.pki?.files;
    this.child = spawn(process.execPath, [program.file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'] ?? '',
        ...{ NATS_URL: nats.url, TINK_IDENTITY_DIR: join(nats.dir, 'identity'), TINK_DATA_DIR: join(dir, name) },
        ...{ TINK_CA_FILE: pki?.ca ?? '', TINK_CERT_FILE: pki?.cert ?? '', TINK_KEY_FILE: pki?.key ?? '' },
        ...{ TINK_HOST: '127.0.0.1', TINK_GRPC_PORT: '0', TINK_HTTP_PORT: '0', TINK_HTTPS_PORT: '0' },
        TINK_LOG_LEVEL: 'debug',
        ...env,
      },
    });
    this.child.stdout?.on('data', (text: Buffer) => (this.log += text.toString()));
    this.child.stderr?.on('data', (text: Buffer) => (this.log += text.toString()));
  }

  get holds(): boolean {
    return this.log.lastIndexOf('lease ingress: held') > this.log.lastIndexOf('lease ingress: lost');
  }
  get lost(): boolean {
    return this.log.includes('lease ingress: lost');
  }
  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }
  get exitCode(): number | null {
    return this.child.exitCode;
  }
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}

it('a holder that was stopped past its lease, and goes on, doubles nothing and puts nothing out of order', async () => {
  servers.push(new Server('a'), new Server('b'));
  const holder = () => servers.find(({ holds }) => holds);
  await until('one of them holds the lease', 60_000, () => holder() !== undefined);
  const actions = Array.from({ length: 60 }, (_, i) => actionSpec({ name: `action-${i}` }));
  const store = await JetStreamEventStore.connect({ ...nats.engine, name: 'spec' });
  const stream = subjects.stream('workflow', 'wf');
  for (const [to, event] of [
    [subjects.stream('hardware', hardwareId), hardwareRegistered()],
    [stream, workflowCreated(actions)],
  ] as const) {
    const { head } = await store.read(to);
    await store.append(to, [event], { expected: head, metadata: { id: `given-${to}`, actor: 'spec' } });
  }
  const bus = await NatsBus.connect({ ...nats.engine, name: 'worker' });
  const machine = new Machine();
  const report = async (index: number) => {
    const attempt = { workflowId: 'wf', index, attempt: 1 };
    for (const { kind, id, body } of [machine.started(attempt), machine.finished(attempt, 1, 0)])
      await bus.publishReport(subjects.report(hardwareId, kind), id, body);
  };
  // A backlog, in the middle of which the holder stands still.
  await Promise.all([
    (async () => {
      for (const i of actions.keys()) await report(i);
    })(),
    until('reports come into the log', 60_000, async () => (await store.read(stream)).head.version > 5).then(() =>
      holder()?.signal('SIGSTOP'),
    ),
  ]);
  const stopped = holder();
  const began = performance.now();
  const other = servers.find((server) => server !== stopped);
  await until('the other one takes over', 60_000, () => other?.holds === true);
  console.log(`taken over ${Math.round(performance.now() - began)} ms after all reports were sent`);
  stopped?.signal('SIGCONT');
  await until('the one that was stopped notices', 60_000, () => stopped?.lost === true);
  await until('all reports are in the log', 60_000, async () => (await store.read(stream)).head.version >= 121);
  const types = (await store.read(stream)).events.map(({ event }) => event.type);
  const ran = actions.flatMap(() => ['ActionStarted', 'ActionSucceeded']);
  expect(types).toEqual(['WorkflowCreated', ...ran, 'WorkflowFinished']);
  await bus.close();
  await store.close();
});

it('a server that cannot start ends, so that whoever supervises it sees that and tries again', async () => {
  const server = new Server('c', { TINK_NATS_REPLICAS: '3' });
  servers.push(server);
  await until('it ends', 60_000, () => server.exitCode !== null);
  expect(server.exitCode).toBe(1);
  expect(server.log).toMatch(/tink-server: .*(replicas|num_replicas|cluster)/);
});
