import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The archive's process ended before it began to work; the message is what it said last. */
export class ArchiveStartError extends Error {}

export interface ArchiveProcess {
  /** Of the process that runs now, or ran last. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

interface Options {
  /** Bundle that runs the archive. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: (line: string) => void;
  /** Pause before it is started again, in milliseconds: doubled each time up to the longest. */
  readonly retryMs?: { readonly shortest: number; readonly longest: number };
}

const killMs = 5_000;

/** Starts the archive and, when it ends, starts it again. Throws ArchiveStartError when the first start fails. */
export async function startArchiveProcess(options: Options): Promise<ArchiveProcess> {
  const { shortest, longest } = options.retryMs ?? { shortest: 1_000, longest: 60_000 };
  let stopped = false;
  let current = await launch(options);
  let wake: () => void = () => undefined;

  const supervise = async () => {
    for (let failures = 0; ;) {
      const how = await current.ended;
      if (stopped) return;
      failures = Date.now() - current.startedAt > longest ? 0 : failures + 1;
      options.log(`archive: its process ended (${how}), it is started again`);
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, Math.min(shortest * 2 ** Math.min(failures, 20), longest)).unref();
      });
      if (stopped) return;
      current = begin(options);
    }
  };
  const supervising = supervise();
  return {
    get pid() {
      return current.pid;
    },
    async stop() {
      stopped = true;
      wake();
      await current.terminate();
      await supervising;
    },
  };
}

interface Run {
  readonly pid: number | undefined;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Resolves with its exit code or the signal that ended it. */
  readonly ended: Promise<string>;
  /** Resolves when it works. */
  readonly ready: Promise<void>;
  lastLine(): string;
  terminate(): Promise<void>;
}

async function launch(options: Options): Promise<Run> {
  const run = begin(options);
  const ended = await Promise.race([run.ready, run.ended]);
  if (ended === undefined) return run;
  throw new ArchiveStartError(run.lastLine() === '' ? `the archive's process ended early (${ended})` : run.lastLine());
}

function begin({ file, env, log }: Options): Run {
  const child: ChildProcess = fork(file, [], {
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
    // Ctrl-C at our terminal is ours to turn into an orderly end.
    detached: true,
  });
  let last = '';
  const lines = child.stderr ? createInterface({ input: child.stderr }) : undefined;
  lines?.on('line', (line) => {
    last = line;
    log(line);
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ?? String(code)));
  });
  const ready = new Promise<void>((resolve) => {
    child.once('message', () => resolve());
  });
  return {
    pid: child.pid,
    startedAt: Date.now(),
    ended,
    ready,
    lastLine: () => last,
    async terminate() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), killMs);
      await ended;
      clearTimeout(timer);
    },
  };
}
