import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of its log. */
  readonly lastLines: readonly string[];
}

/** One run of nats-server. */
export interface ServerRun {
  readonly pid: number;
  readonly port: number;
  /** Resolves when the process is gone. */
  readonly exited: Promise<ServerExit>;
  /** SIGTERM, and SIGKILL when that does not end it. */
  terminate(): Promise<void>;
  kill(): Promise<void>;
  /** Its configuration is read again, and the files that it names. Throws NatsServerReloadError with what it says against that. */
  reload(): Promise<void>;
}

export class NatsServerReloadError extends Error {}
export class NatsServerStartError extends Error {}

const keptLines = 20;
const terminateMs = 10_000;
const reloadMs = 10_000;
const listening = /Listening for client connections on \S*:(\d+)$/;

/** Starts the process and resolves when it accepts connections. Throws NatsServerStartError with the last lines of its log. */
export async function runServer(options: {
  readonly binary: string;
  readonly configFile: string;
  readonly memoryLimitBytes: number;
  readonly readyTimeoutMs: number;
  readonly onLine: (line: string) => void;
  /** How the server learns that we died: from the kernel where that is possible, else from a pipe. */
  readonly guard?: 'kernel' | 'pipe';
}): Promise<ServerRun> {
  const { binary, configFile } = options;
  const setpriv = options.guard === 'pipe' ? undefined : await findSetpriv();
  const [command, ...args] = [...(setpriv ? [setpriv, '--pdeathsig', 'KILL'] : []), binary, '-c', configFile];
  const child = spawn(command ?? binary, args, {
    // A session of its own: Ctrl-C at our terminal is ours to turn into an orderly end.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH ?? '', GOMEMLIMIT: String(options.memoryLimitBytes) },
  });
  const lastLines: string[] = [];
  const listeners = new Set<(line: string) => void>();
  const onLine = (line: string) => {
    options.onLine(line);
    for (const listener of listeners) listener(line);
  };
  const exited = new Promise<ServerExit>((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, lastLines: [error.message] }));
    child.once('close', (code, signal) => resolve({ code, signal, lastLines }));
  });
  const port = await whenReady(child, exited, lastLines, { ...options, onLine });
  const watchdog = setpriv ? undefined : guardByPipe(child);
  void exited.then(() => watchdog?.kill('SIGKILL'));
  return {
    pid: child.pid ?? 0,
    port,
    exited,
    async terminate() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), terminateMs);
      await exited;
      clearTimeout(timer);
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    reload: () => reload(child, exited, listeners),
  };
}

function reload(
  child: ChildProcess,
  exited: Promise<ServerExit>,
  listeners: Set<(line: string) => void>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (fault?: string) => {
      clearTimeout(timer);
      listeners.delete(listen);
      if (fault === undefined) resolve();
      else reject(new NatsServerReloadError(`nats-server did not read its configuration again: ${fault}`));
    };
    const listen = (line: string) => {
      if (/Reloaded server configuration/.test(line)) end();
      const refused = /Failed to reload server configuration: (.*)/.exec(line)?.[1];
      if (refused !== undefined) end(refused);
    };
    const timer = setTimeout(() => end(`it said nothing of it for ${reloadMs / 1000} s`), reloadMs);
    listeners.add(listen);
    void exited.then(() => end('it ended'));
    child.kill('SIGHUP');
  });
}

function whenReady(
  child: ChildProcess,
  exited: Promise<ServerExit>,
  lastLines: string[],
  options: { readonly binary: string; readonly readyTimeoutMs: number; readonly onLine: (line: string) => void },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (fault: string) => {
      clearTimeout(timer);
      const log = lastLines.length > 0 ? `:\n${lastLines.join('\n')}` : '';
      reject(new NatsServerStartError(`nats-server (${options.binary}) ${fault}${log}`));
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`was not ready after ${options.readyTimeoutMs / 1000} s`);
    }, options.readyTimeoutMs);
    let bound = 0;
    const lines = child.stderr ? createInterface({ input: child.stderr }) : undefined;
    lines?.on('line', (raw) => {
      const line = raw.replace(/^\[\d+\] /, '');
      lastLines.push(line);
      if (lastLines.length > keptLines) lastLines.shift();
      options.onLine(line);
      bound = Number(listening.exec(line)?.[1] ?? bound);
      if (!line.endsWith('Server is ready')) return;
      clearTimeout(timer);
      resolve(bound);
    });
    void exited.then(({ code, signal, lastLines: [first] }) =>
      fail(child.pid === undefined ? `cannot be started: ${first ?? ''}` : `ended early with ${signal ?? code}`),
    );
  });
}

/** Where there is no parent-death signal: a shell whose standard input ends with us, however we end. */
function guardByPipe(child: ChildProcess): ChildProcess {
  const watchdog = spawn('/bin/sh', ['-c', `cat >/dev/null; kill -9 ${child.pid}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.on('error', () => undefined); // no /bin/sh: the lock in the data folder still keeps a second server out
  watchdog.unref();
  return watchdog;
}

let probed: Promise<string | undefined> | undefined;

/** util-linux's setpriv, which makes the kernel end the server when our process ends, `kill -9` included. */
function findSetpriv(): Promise<string | undefined> {
  probed ??= promisify(execFile)('setpriv', ['--pdeathsig', 'KILL', 'true']).then(
    () => 'setpriv',
    () => undefined,
  );
  return probed;
}
