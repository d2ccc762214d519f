import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** `BENCH_REALTIME=true`: servers and clients go ahead of all other work on the machine, which then changes little in the figures. */
const ahead = process.env['BENCH_REALTIME'] === 'true' ? ['chrt', '--fifo', '10'] : [];

/** What a load generator says of one run. */
export interface Run {
  readonly seconds: number;
  readonly bytes: number;
  readonly completed: number;
  readonly failed: number;
  readonly retransmitted?: number;
  readonly wrong?: number;
  /** Of the generator itself: near `seconds` it is the limit, not the server. */
  readonly cpuSeconds: number;
  /** Of the server, all its processes and threads. */
  readonly serverSeconds?: number;
}

/** With the server's CPU time, which other work on the machine does not lengthen as it does the seconds. */
export async function measured({ pid }: ChildProcess, run: () => Promise<Run>): Promise<Run> {
  const before = await cpuSeconds(pid);
  const result = await run();
  return { ...result, serverSeconds: (await cpuSeconds(pid)) - before };
}

/** A process and its children, in clock ticks of 10 ms. */
export async function cpuSeconds(pid: number | undefined): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter((id) => id !== '');
  const ticks = await Promise.all(
    [String(pid), ...children].map(async (id) => {
      const fields = (await readFile(`/proc/${id}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
      return Number(fields[11]) + Number(fields[12]);
    }),
  );
  return ticks.reduce((sum, each) => sum + each, 0) / 100;
}

export const megabytes = ({ bytes, seconds }: Run) => bytes / seconds / 1e6;

/** Files and programs of one bench; `close` ends and removes them all. */
export async function openField() {
  const folder = await mkdtemp(join(tmpdir(), 'tink-bench-'));
  // Peers give up root.
  await chmod(folder, 0o755);
  const programs: ChildProcess[] = [];
  const start = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const [first = command, ...rest] = [...ahead, command, ...args];
    const program = spawn(first, rest, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    programs.push(program);
    return program;
  };
  return {
    folder,
    start,
    async file(name: string, bytes: number): Promise<string> {
      const path = join(folder, name);
      await writeFile(path, randomBytes(bytes), { mode: 0o644 });
      return path;
    },
    /** Our server; returns its ports. */
    async startBoots(settings: Readonly<Record<string, string>>) {
      const program = start(process.execPath, [join(__dirname, 'boots.child.js')], settings);
      if (!program.stdout) throw new Error('boots has no standard output');
      const [line] = (await once(createInterface({ input: program.stdout }), 'line')) as [string];
      return { program, ...(JSON.parse(line) as { readonly tftp: number; readonly http: number }) };
    },
    /** Builds `load/<name>.c`. */
    async generator(name: string): Promise<(...args: readonly (string | number)[]) => Promise<Run>> {
      const binary = join(folder, `load-${name}`);
      await execute('gcc', ['-O2', '-o', binary, join(__dirname, 'load', `${name}.c`)]);
      const [first = binary, ...rest] = [...ahead, binary];
      return async (...args) => JSON.parse((await execute(first, [...rest, ...args.map(String)])).stdout) as Run;
    },
    async close() {
      for (const program of programs) {
        program.kill('SIGTERM');
        if (program.exitCode === null && program.signalCode === null) await once(program, 'exit');
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Until it succeeds; a server needs a moment to start. */
export async function untilServed(attempt: () => Promise<Run>): Promise<void> {
  for (let tries = 1; ; tries++) {
    const served = await attempt().then(
      ({ completed }) => completed > 0,
      () => false,
    );
    if (served) return;
    if (tries === 50) throw new Error('a server of this bench does not serve');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Each of them once, beginning with another one each round. */
export async function inTurns<K extends string>(
  round: number,
  contestants: Readonly<Record<K, () => Promise<Run>>>,
): Promise<Readonly<Record<K, Run>>> {
  const names = Object.keys(contestants) as K[];
  const order = names.map((_, i) => names[(i + round) % names.length]).filter((name) => name !== undefined);
  const runs: Partial<Record<K, Run>> = {};
  for (const name of order) runs[name] = await contestants[name]();
  return runs as Record<K, Run>;
}
