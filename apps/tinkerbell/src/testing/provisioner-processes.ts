import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';
import type { Addresses } from '../up';

const run = promisify(execFile);
const { execPath } = process;
const bundle = resolve('dist/apps/tinkerbell/main.js');
const cli = 'dist/apps/tink-cli/main.js';
const ports = ['tftp', 'http', 'hegel', 'server-http', 'server-https', 'grpc', 'dashboard', 'nats', 'registry'];

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface Started {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** All that it said so far, on both streams. */
  said(): string;
  ready(): Promise<Addresses>;
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `tinkerbell up` and `tink` as processes, in a folder of their own. */
export class ProvisionerProcesses {
  private readonly started: Started[] = [];

  private constructor(readonly dir: string) {}

  /** Builds both bundles. */
  static async prepare(): Promise<ProvisionerProcesses> {
    await run(execPath, ['infra/build/build.mjs', 'apps/tinkerbell', 'apps/tink-cli']);
    return new ProvisionerProcesses(await mkdtemp(join(tmpdir(), 'tinkerbell-up-')));
  }

  /** On loopback and free ports, without DHCP and images. `--data` in `args` wins over the folder `data`. */
  start(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Started {
    const free = ports.flatMap((name) => [`--${name}-port`, '0']);
    const folders = ['--data', join(this.dir, 'data'), '--actions-dir', join(this.dir, 'none')];
    const child = spawn(
      execPath,
      [bundle, 'up', '--json', '--no-dhcp', '--ip', '127.0.0.1', ...free, ...folders, ...args],
      // A process group, as a shell makes one.
      { cwd: this.dir, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
    );
    let text = '';
    let over = false;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const ended = once(child, 'close').then(([code, signal]) => {
      over = true;
      return { code, signal } as Ended;
    });
    const ready = () =>
      vi.waitFor(
        () => {
          const line = /^\{"ready":true.*$/m.exec(text)?.[0];
          if (line !== undefined) return JSON.parse(line) as Addresses;
          if (over) throw new Error(`it ended: ${text}`);
          throw new Error(`not ready: ${text}`);
        },
        { timeout: 120_000 },
      );
    const result = { process: child, ended, said: () => text, ready };
    this.started.push(result);
    return result;
  }

  /** What a command prints. Rejects when it fails. */
  async tink({ cliConfig }: Pick<Addresses, 'cliConfig'>, ...args: readonly string[]): Promise<string> {
    return (await run(execPath, [cli, ...args], { env: { ...process.env, TINK_CONFIG: cliConfig } })).stdout;
  }

  /** A command that may fail and needs no server. */
  async runTink(...args: readonly string[]): Promise<Ran> {
    return new Promise((resolve) => {
      const child = execFile(execPath, [cli, ...args], (_error, out, err) =>
        resolve({ code: child.exitCode ?? -1, out, err }),
      );
    });
  }

  async killAll(): Promise<void> {
    for (const { process: child, ended } of this.started.splice(0)) {
      child.kill('SIGKILL');
      await ended;
    }
  }

  remove(): Promise<void> {
    return rm(this.dir, { recursive: true, force: true });
  }
}
