import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** A container engine and disks of its own, in a temporary folder. */
export interface ActionLab {
  readonly dir: string;
  /** Runs an action's image on the given block devices; environment as a template would give it. */
  run(
    action: string,
    environment: Readonly<Record<string, string>>,
    devices?: readonly string[],
    volumes?: readonly string[],
  ): Promise<Ran>;
  /** A new disk as a loop device. */
  disk(megabytes: number): Promise<string>;
  close(): Promise<void>;
}

/** What the tests need and this machine lacks; undefined when they can run. */
export function missingForActions(): string | undefined {
  if (process.getuid?.() !== 0) return 'root';
  for (const tool of ['dockerd', 'docker', 'skopeo', 'losetup', 'mkfs.ext4', 'mkfs.vfat', 'zstd', 'xz', 'bzip2']) {
    if (!['/usr/sbin', '/sbin', '/usr/bin', '/bin', '/usr/local/bin'].some((dir) => existsSync(join(dir, tool))))
      return tool;
  }
  return existsSync('/dev/loop-control') ? undefined : 'loop devices';
}

/** dockerd with everything below `dir`; resolves when it answers. */
async function startEngine(dir: string): Promise<{ socket: string; stop(): Promise<void> }> {
  const socket = `unix://${join(dir, 'docker.sock')}`;
  const folders = ['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec'), '--pidfile', join(dir, 'pid')];
  const flags = ['--host', socket, ...folders, '--bridge=none', '--iptables=false', '--ip6tables=false'];
  const daemon = spawn('setpriv', ['--pdeathsig', 'TERM', '--', 'dockerd', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  daemon.stderr?.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4000)));
  while ((await execute('docker', ['--host', socket, 'version'])).code !== 0) {
    if (daemon.exitCode !== null) throw new Error(`dockerd ended: ${log}`);
    await delay(100);
  }
  return { socket, stop: () => stop(daemon) };
}

export async function startActionLab(layout: string): Promise<ActionLab> {
  const dir = await mkdtemp(join(tmpdir(), 'actions-'));
  const engine = await startEngine(dir);
  const { socket } = engine;
  const docker = (...args: readonly string[]) => execute('docker', ['--host', socket, ...args]);
  const loops: string[] = [];
  const lab: ActionLab = {
    dir,
    run: (action, environment, devices = [], volumes = []) =>
      docker(
        'run',
        '--rm',
        '--network=host',
        // Less than a worker grants (privileged): enough for disks and mounts.
        ...['--cap-add=SYS_ADMIN', '--security-opt=seccomp=unconfined', '--security-opt=apparmor=unconfined'],
        ...devices.map((device) => `--device=${device}`),
        ...volumes.map((volume) => `--volume=${volume}`),
        ...Object.entries(environment).map(([key, value]) => `--env=${key}=${value}`),
        action,
      ),
    async disk(megabytes) {
      const file = join(dir, `disk-${loops.length}`);
      await writeFile(file, randomBytes(3 << 20)); // something that a wipe has to remove
      await truncate(file, megabytes << 20);
      const device = execFileSync('losetup', ['--find', '--show', file], { encoding: 'utf8' }).trim();
      loops.push(device);
      return device;
    },
    async close() {
      for (const device of loops) execFileSync('losetup', ['--detach', device]);
      await engine.stop();
      // The engine leaves the mount of its network namespace behind.
      const mounts = execFileSync('cat', ['/proc/self/mounts'], { encoding: 'utf8' }).split('\n');
      for (const folder of mounts.map((line) => line.split(' ')[1] ?? '').filter((each) => each.startsWith(`${dir}/`)))
        execFileSync('umount', [folder]);
      await rm(dir, { recursive: true, force: true });
    },
  };
  try {
    await loadImages(dir, layout, docker);
    return lab;
  } catch (error) {
    await lab.close();
    throw error;
  }
}

async function loadImages(dir: string, layout: string, docker: (...args: readonly string[]) => Promise<Ran>) {
  const archives = join(dir, 'archives');
  await mkdir(archives);
  for (const name of ['hello-world', 'image2disk', 'writefile', 'disk-wipe', 'reboot']) {
    const archive = join(archives, `${name}.tar`);
    execFileSync('skopeo', ['copy', '-q', `oci:${layout}:${name}:latest`, `docker-archive:${archive}:${name}:latest`]);
    const { code, output } = await docker('load', '--input', archive);
    if (code !== 0) throw new Error(output);
  }
}

function execute(command: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(command, [...args], { maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
      resolve({ code, output: stdout + stderr });
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(timer);
}

export interface FileServer {
  readonly url: string;
  /** Range headers of the requests so far; undefined for a request without one. */
  readonly ranges: (string | undefined)[];
  /** From now on: break the connection after so many bytes, as often as said. */
  breakAfter(bytes: number, times: number): void;
  /** False: ranges are ignored, the whole file comes every time. */
  resumable: boolean;
  close(): Promise<void>;
}

/** A web server for files in memory that can misbehave. */
export async function serveFiles(files: ReadonlyMap<string, Buffer>): Promise<FileServer> {
  const ranges: (string | undefined)[] = [];
  const faults = { bytes: 0, times: 0 };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const body = files.get((request.url ?? '').split('?')[0]?.slice(1) ?? '');
    const range = request.headers.range;
    ranges.push(range);
    if (!body) {
      response.writeHead(404).end();
      return;
    }
    const from = server.resumable && range ? Number(/bytes=(\d+)-/.exec(range)?.[1]) : 0;
    const part = body.subarray(from);
    const headers = { 'content-length': part.length, etag: '"one"' };
    if (server.resumable && range)
      response.writeHead(206, { ...headers, 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` });
    else response.writeHead(200, headers);
    if (faults.times > 0) {
      faults.times -= 1;
      response.write(part.subarray(0, faults.bytes), () => request.socket.destroy());
    } else response.end(part);
  };
  const listener = createServer(handle);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  const server: FileServer = {
    url: `http://127.0.0.1:${port}`,
    ranges,
    resumable: true,
    breakAfter: (bytes, times) => void Object.assign(faults, { bytes, times }),
    close: () => new Promise((resolve) => listener.close(() => resolve())),
  };
  return server;
}
