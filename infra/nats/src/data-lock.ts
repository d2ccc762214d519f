import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Two servers on one store would destroy it, and nats-server does not look. */
export class DataFolderInUseError extends Error {}

interface ProcessMark {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat, clock ticks since boot: tells a process from a later one with the same pid. Empty without /proc. */
  readonly started: string;
}

interface LockFile {
  readonly owner: ProcessMark;
  readonly server?: ProcessMark;
}

export interface DataLock {
  /** Notes the server's pid, for whoever finds the lock after our death. */
  note(serverPid: number): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes `dataDir` for this process. A lock whose owner is dead is taken over; a server that outlived its owner is ended first.
 * Throws DataFolderInUseError while the owner lives.
 */
export async function lockDataFolder(dataDir: string): Promise<DataLock> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'nats-server.lock');
  const owner = await mark(process.pid);
  for (let attempt = 1; ; attempt++) {
    try {
      await write(file, { owner }, 'wx');
      break;
    } catch (error) {
      if (!isCode(error, 'EEXIST') || attempt === 3) throw error;
      await takeOver(dataDir, file);
    }
  }
  return {
    async note(serverPid) {
      const next = `${file}.next`;
      await write(next, { owner, server: await mark(serverPid) }, 'w');
      await rename(next, file);
    },
    release: () => rm(file, { force: true }),
  };
}

async function takeOver(dataDir: string, file: string): Promise<void> {
  const found = await readLock(file);
  if (found && (await isAlive(found.owner))) {
    throw new DataFolderInUseError(`${dataDir} is in use by process ${found.owner.pid}; stop it first`);
  }
  if (found?.server && (await isAlive(found.server))) await end(found.server);
  await rm(file, { force: true });
}

/** undefined: torn by a crash while it was written, so nobody owned it yet. */
async function readLock(file: string): Promise<LockFile | undefined> {
  try {
    const parsed = JSON.parse(await readFile(file, 'utf8')) as Partial<LockFile>;
    return typeof parsed.owner?.pid === 'number' ? { owner: parsed.owner, server: parsed.server } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function end(server: ProcessMark): Promise<void> {
  process.kill(server.pid, 'SIGKILL');
  const deadline = Date.now() + 10_000;
  while (await isAlive(server)) {
    if (Date.now() > deadline)
      throw new DataFolderInUseError(`an orphaned nats-server, process ${server.pid}, does not end`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function isAlive({ pid, started }: ProcessMark): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return isCode(error, 'EPERM');
  }
  const now = await mark(pid);
  return now.started !== 'dead' && now.started === started;
}

async function mark(pid: number): Promise<ProcessMark> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended, even if nobody has collected it yet.
    return { pid, started: fields[0] === 'Z' || fields[0] === 'X' ? 'dead' : (fields[19] ?? '') };
  } catch {
    return { pid, started: '' };
  }
}

async function write(file: string, content: LockFile, flags: 'w' | 'wx'): Promise<void> {
  const handle = await open(file, flags, 0o600);
  try {
    await handle.writeFile(JSON.stringify(content));
  } finally {
    await handle.close();
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
