import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { missingCapabilities, writeRuncWrapper } from './runc-wrapper';

const run = promisify(execFile);

export interface TestDockerd {
  readonly socket: string;
  readonly dir: string;
  /** Where this engine looks for registries' authorities. */
  readonly certsDir: string;
  /** The `docker` command on this engine; its stdout. */
  docker(...args: readonly string[]): Promise<string>;
  /** An image out of a folder with busybox in it and `/bin/sh`. */
  importBusybox(name: string): Promise<void>;
  /** SIGKILL to the engine and a new start; containers end, as without live-restore. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export class MissingToolError extends Error {}

/**
 * An engine of its own: dockerd with its own containerd, both in one temporary folder, without bridge or firewall rules, so that it
 * disturbs no other. `enter` is an argv prefix that runs dockerd elsewhere, in a network namespace for example. Needs root, dockerd, containerd and runc. Throws MissingToolError that names what is missing.
 */
export async function startDockerd(enter: readonly string[] = []): Promise<TestDockerd> {
  const why = whyNoDockerd();
  if (why !== '') throw new MissingToolError(why);
  // A short path: containerd's and the shims' sockets must fit 108 bytes.
  const dir = await mkdtemp('/tmp/twd-');
  const containerd = await startContainerd(dir);
  const certsDir = '/etc/docker/certs.d';
  const socket = join(dir, 'd.sock');
  let engine = await startEngine(dir, socket, enter).catch(async (error: unknown) => {
    await end(containerd, 'SIGTERM');
    await rm(dir, { recursive: true, force: true });
    throw error;
  });
  const docker = async (...args: readonly string[]) =>
    (await run('docker', ['-H', `unix://${socket}`, ...args], { env: { ...process.env, DOCKER_CONFIG: dir } })).stdout;
  return {
    socket,
    dir,
    certsDir,
    docker,
    importBusybox: (name) => importBusybox(dir, socket, name),
    async restart() {
      await end(engine, 'SIGKILL');
      await rm(join(dir, 'd.pid'), { force: true });
      engine = await startEngine(dir, socket, enter);
    },
    async stop() {
      const ids = await docker('ps', '-aq').catch(() => '');
      if (ids.trim()) await docker('rm', '-f', ...ids.trim().split('\n')).catch(() => '');
      await end(engine, 'SIGTERM');
      await end(containerd, 'SIGTERM');
      await endShims(dir);
      await unmountBelow(dir);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function startContainerd(dir: string): Promise<ChildProcess> {
  const config = join(dir, 'c.toml');
  await writeFile(
    config,
    [
      'version = 2',
      `root = "${dir}/cd"`,
      `state = "${dir}/cs"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      '[grpc]',
      `address = "${dir}/c.sock"`,
      '[ttrpc]',
      `address = "${dir}/ct.sock"`,
    ].join('\n'),
  );
  const child = start(dir, 'containerd', [], ['--config', config]);
  await until(dir, child, () => existsSync(join(dir, 'c.sock')));
  return child;
}

async function startEngine(dir: string, socket: string, enter: readonly string[]): Promise<ChildProcess> {
  await mkdir(join(dir, 'x'), { recursive: true });
  await writeFile(join(dir, 'd.json'), '{}'); // else the machine's own configuration is taken
  const child = start(dir, 'dockerd', enter, [
    ...['--containerd', join(dir, 'c.sock'), '--host', `unix://${socket}`, '--config-file', join(dir, 'd.json')],
    ...['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'x'), '--pidfile', join(dir, 'd.pid')],
    ...runtimeOptions(dir),
    ...['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'],
  ]);
  await until(dir, child, () => answers(socket));
  return child;
}

function runtimeOptions(dir: string): readonly string[] {
  if (missingCapabilities().length === 0) return [];
  const wrapper = join(dir, 'runc');
  writeRuncWrapper(wrapper);
  return ['--add-runtime', `fitting=${wrapper}`, '--default-runtime', 'fitting'];
}

function start(dir: string, command: string, enter: readonly string[], args: readonly string[]): ChildProcess {
  const log = createWriteStream(join(dir, `${command}.log`), { flags: 'a' });
  const [program = command, ...rest] = [...enter, command, ...args];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  return child;
}

/** Polls a condition that no event tells, while the process lives. */
async function until(dir: string, child: ChildProcess, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}: ${await tail(dir)}`);
    if (tries > 1200) throw new Error(`${child.spawnfile} does not come up`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function tail(dir: string): Promise<string> {
  const logs = ['containerd.log', 'dockerd.log'].map((name) => readFile(join(dir, name), 'utf8').catch(() => ''));
  return (await Promise.all(logs)).map((text) => text.slice(-1000)).join('\n');
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const ask = request({ socketPath, path: '/_ping' }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ask.on('error', () => resolve(false));
    ask.end();
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

/** An engine that was killed leaves the shims of its containers behind; ours name our socket. */
async function endShims(dir: string): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!command.includes('containerd-shim') || !command.split('\0').includes(join(dir, 'c.sock'))) continue;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    for (const one of [...children.trim().split(' ').filter(Boolean), pid]) {
      try {
        process.kill(Number(one), 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
  }
}

async function unmountBelow(dir: string): Promise<void> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.filter((path) => path.startsWith(`${dir}/`)).reverse()) {
    await run('umount', ['-l', mount]).catch(() => undefined);
  }
}

async function importBusybox(dir: string, socket: string, name: string): Promise<void> {
  const root = join(dir, 'bb');
  const { stdout } = await run('sh', ['-c', 'command -v busybox']);
  await run('sh', [
    '-ec',
    `mkdir -p "$1/bin" "$1/tmp" && cp "$2" "$1/bin/busybox"
     for name in $("$2" --list); do [ "$name" = busybox ] || ln -sf busybox "$1/bin/$name"; done
     tar -C "$1" -c . | docker -H "unix://$3" import -c 'ENV PATH=/bin' - "$4"`,
    'import',
    root,
    stdout.trim(),
    socket,
    name,
  ]);
}

/** Why no engine can be started here, or an empty string. */
export function whyNoDockerd(
  tools: readonly string[] = ['dockerd', 'containerd', 'runc', 'docker', 'busybox'],
): string {
  if (process.getuid?.() !== 0) return 'a container engine needs root';
  const missing = tools.filter((name) => spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name]).status !== 0);
  return missing.length === 0 ? '' : `not on this machine: ${missing.join(', ')}`;
}
