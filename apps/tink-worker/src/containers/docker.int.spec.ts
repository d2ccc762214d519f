import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trustRegistry } from '../enrolment/credentials';
import { startDockerd, whyNoDockerd, type TestDockerd } from '../testing/start-dockerd';
import { startRegistry, type TestRegistry } from '../testing/start-registry';
import { workerLabel, type ContainerSpec } from './containers';
import { DockerContainers } from './docker';
import { PullFailedError } from './pull-progress';

const missing = whyNoDockerd() || whyNoDockerd(['docker-registry']);
if (missing) console.warn(`SKIPPED, the worker against a real engine: ${missing}`);

let engine: TestDockerd;
let registry: TestRegistry;
let containers: DockerContainers;
const never = new AbortController().signal;

beforeAll(async () => {
  if (missing) return;
  [engine, registry] = await Promise.all([startDockerd(), startRegistry()]);
  await engine.importBusybox('bb:1');
  containers = new DockerContainers(engine.socket);
});
afterAll(async () => {
  if (registry) rmSync(join(engine.certsDir, registry.address), { recursive: true, force: true });
  await Promise.all([engine?.stop(), registry?.stop()]);
});

let count = 0;
const spec = (script: string, more: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name: `tw_${process.pid}_${count++}`,
  image: 'bb:1',
  command: ['sh', '-c', script],
  environment: [],
  binds: [],
  pid: '',
  labels: { [workerLabel]: 'w1' },
  ...more,
});

async function run(wanted: ContainerSpec) {
  const output = { stdout: '', stderr: '' };
  await containers.create(wanted);
  const { ended } = await containers.output(wanted.name, 'attach', (stream, chunk) => (output[stream] += chunk));
  await containers.start(wanted.name);
  await containers.wait(wanted.name, never);
  await ended;
  const status = await containers.inspect(wanted.name);
  await containers.remove(wanted.name);
  return { ...output, ...status };
}

describe.skipIf(missing)('the Docker engine', () => {
  it('says who it is', async () => expect(await containers.version()).toMatch(/^Engine \d+\.\d+/));

  it('gives back streams, exit code, environment, volumes and labels', async () => {
    const script = 'echo "$GREETING"; cat /mine/hosts >/dev/null && echo bound; echo oops >&2; exit 17';
    const wanted = spec(script, { environment: ['GREETING=a b = "c"'], binds: ['/etc:/mine:ro'] });
    expect(await run(wanted)).toMatchObject({
      stdout: 'a b = "c"\nbound\n',
      stderr: 'oops\n',
      state: 'exited',
      exitCode: 17,
    });
  });

  it('loses no line of a container that is over at once', async () => {
    const wanted = spec('i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done');
    const { stdout } = await run(wanted);
    expect(stdout).toBe(Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join(''));
  });

  it('is privileged, on the network of the host, and in its PIDs when asked', async () => {
    const script = 'grep CapEff /proc/self/status; ls /sys/class/net | grep -x lo; cat /proc/1/comm; ls /dev | wc -l';
    const own = await run(spec(script));
    const hosts = await run(spec(script, { pid: 'host' }));
    expect(Number(own.stdout.trim().split('\n').at(-1))).toBeGreaterThan(20);
    expect(own.stdout.split('\n')[2]).toBe('sh');
    expect(hosts.stdout.split('\n')[2]).not.toBe('sh');
  });

  it('replays what was written before, from a running and from an ended container', async () => {
    const wanted = spec('echo first; read line < /tmp/go; echo second; echo third >&2');
    const fifo = 'mkfifo /tmp/go; ';
    await containers.create({ ...wanted, command: ['sh', '-c', fifo + wanted.command[2]] });
    await containers.start(wanted.name);
    const live = { stdout: '', stderr: '' };
    const listening = await containers.output(wanted.name, 'replay', (stream, chunk) => (live[stream] += chunk));
    await expect.poll(() => live.stdout).toBe('first\n');
    await engine.docker('exec', wanted.name, 'sh', '-c', 'echo go > /tmp/go');
    await containers.wait(wanted.name, never);
    await listening.ended;
    expect(live).toEqual({ stdout: 'first\nsecond\n', stderr: 'third\n' });
    const late = { stdout: '', stderr: '' };
    await (
      await containers.output(wanted.name, 'replay', (stream, chunk) => (late[stream] += chunk))
    ).ended;
    expect(late).toEqual(live);
    await containers.remove(wanted.name);
  });

  it('stops with a grace, and kills without one', async () => {
    const polite = spec('trap "exit 3" TERM; while :; do sleep 0.05; done');
    const stubborn = spec('trap "" TERM; while :; do sleep 0.05; done');
    for (const wanted of [polite, stubborn]) {
      await containers.create(wanted);
      await containers.start(wanted.name);
    }
    await engine.docker('exec', polite.name, 'true');
    await containers.stop(polite.name, 5_000);
    await containers.stop(stubborn.name, 0);
    expect(await containers.inspect(polite.name)).toMatchObject({ state: 'exited' });
    expect(await containers.inspect(stubborn.name)).toMatchObject({ state: 'exited', exitCode: 137 });
    await containers.stop(stubborn.name, 0); // again is no error
    expect((await containers.list('w1')).toSorted()).toEqual([polite.name, stubborn.name].toSorted());
    await containers.remove(polite.name);
    await containers.remove(stubborn.name);
    await containers.remove(stubborn.name);
    expect(await containers.inspect(stubborn.name)).toBeUndefined();
    expect(await containers.list('w1')).toEqual([]);
  });

  it('ends a wait when told to', async () => {
    const wanted = spec('sleep 1000');
    await containers.create(wanted);
    await containers.start(wanted.name);
    const stop = new AbortController();
    const waiting = containers.wait(wanted.name, stop.signal);
    stop.abort();
    await expect(waiting).rejects.toThrow();
    expect(await containers.inspect(wanted.name)).toMatchObject({ state: 'running' });
    await containers.remove(wanted.name);
  });

  it('says why a container does not start', async () => {
    const wanted = spec('', { command: ['/no/such/program'] });
    await containers.create(wanted);
    await expect(containers.start(wanted.name)).rejects.toThrow(/no such file/);
    expect(await containers.inspect(wanted.name)).toMatchObject({ state: 'created', exitCode: 127 });
    await containers.remove(wanted.name);
    await expect(containers.create(spec('', { image: 'none:1' }))).rejects.toThrow(/No such image/);
  });

  it('notices when the kernel kills it for want of memory', async () => {
    const wanted = spec('tail /dev/zero');
    await containers.create(wanted);
    await engine.docker('update', '--memory=20m', '--memory-swap=20m', wanted.name);
    await containers.start(wanted.name);
    await containers.wait(wanted.name, never);
    // The engine hears of the end and of its reason by two ways.
    await expect.poll(() => containers.inspect(wanted.name)).toMatchObject({ exitCode: 137, oomKilled: true });
    await containers.remove(wanted.name);
  });
});

describe('an engine that is killed', () => {
  it('does not leave a wait hanging whose answer had begun', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tw-'));
    const socket = join(dir, 's');
    let waits = 0;
    const server = createServer((request, response) => {
      if (request.url?.includes('/wait')) {
        waits += 1;
        response.writeHead(200);
        response.flushHeaders();
        setImmediate(() => request.socket.destroy());
      } else response.end(JSON.stringify({ State: { Status: 'exited', Running: false, ExitCode: 137 } }));
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
      await new DockerContainers(socket, 20).wait('c', never);
      expect(waits).toBe(1);
    } finally {
      server.close();
      rmSync(dir, { recursive: true });
    }
  });
});

describe.skipIf(missing)('pulling from a registry with TLS and passwords', () => {
  const auth = () => ({ address: registry.address, username: registry.username, password: registry.password });
  const name = () => `${registry.address}/tools/bb:1`;

  it('works with our authority and credentials, and only with them', async () => {
    trustRegistry(engine.certsDir, registry.address, registry.ca);
    await engine.docker('login', '-u', registry.username, '-p', registry.password, registry.address);
    await engine.docker('tag', 'bb:1', name());
    await engine.docker('push', name());
    await engine.docker('rmi', name());
    const lines: string[] = [];
    await containers.pull(name(), auth(), (line) => lines.push(line), never);
    expect(lines.join('\n')).toMatch(/Pulling from tools\/bb[\s\S]*Digest: sha256:[\s\S]*Status: /);
    // dockerd trusts loopback so much that it tries plain HTTP after a refusal, and tells of that.
    const refused = /no basic auth|unauthorized|HTTP request to an HTTPS server/i;
    await expect(containers.pull(name(), undefined, () => {}, never)).rejects.toThrow(refused);
    const wrong = { ...auth(), password: 'wrong' };
    await expect(containers.pull(name(), wrong, () => {}, never)).rejects.toThrow(refused);
    await expect(containers.pull(`${registry.address}/none:1`, auth(), () => {}, never)).rejects.toThrow(
      /not found|manifest unknown/i,
    );
  });

  it('ends at once when told to, though the registry goes on for ever', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tw-'));
    const socket = join(dir, 's');
    const server = createServer((_, response) => void response.write('{"status":"Downloading","id":"1"}\n'));
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const stop = new AbortController();
    try {
      const pulling = new DockerContainers(socket).pull('r/bb:1', undefined, () => {}, stop.signal);
      const refused = expect(pulling).rejects.toThrow(/abort/i);
      await once(server, 'request');
      stop.abort();
      await refused;
    } finally {
      server.closeAllConnections();
      server.close();
      rmSync(dir, { recursive: true });
    }
  });

  it('sees the error that is only in the stream, as podman and broken downloads have it', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tw-'));
    const socket = join(dir, 's');
    const server = createServer((_, response) => {
      response.write('{"status":"Pulling from bb","id":"1"}\n{"err');
      response.end('or":"unexpected EOF"}\n');
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
      const pulling = new DockerContainers(socket).pull('r/bb:1', undefined, () => {}, never);
      await expect(pulling).rejects.toThrow(new PullFailedError('unexpected EOF'));
    } finally {
      server.close();
      rmSync(dir, { recursive: true });
    }
  });
});
