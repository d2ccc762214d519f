import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export class DataFolderInUseError extends Error {}

export interface Secrets {
  /** Of the REST API: `tink` finds them in cli.json. */
  readonly admin: { readonly username: string; readonly password: string };
  /** Of the image registry: workers get them when they enrol. */
  readonly registry: { readonly username: string; readonly password: string };
}

/** The one folder that holds everything that has to survive. Its owner is one process at a time. */
export interface DataFolder {
  readonly path: string;
  /** A sub-folder, made when it is missing. */
  folder(name: string): Promise<string>;
  secrets(): Promise<Secrets>;
  /** Writes a file whole or not at all, readable by its owner only. */
  write(name: string, text: string): Promise<string>;
  release(): Promise<void>;
}

export async function openDataFolder(dir: string): Promise<DataFolder> {
  const path = resolve(dir);
  await mkdir(path, { recursive: true, mode: 0o700 });
  const lock = join(path, 'lock');
  await takeLock(lock, path);
  const write = async (name: string, text: string) => {
    const file = join(path, name);
    const temporary = `${file}.${process.pid}.new`;
    await writeFile(temporary, text, { mode: 0o600, flush: true });
    await rename(temporary, file);
    return file;
  };
  return {
    path,
    write,
    async folder(name) {
      const folder = join(path, name);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return folder;
    },
    async secrets() {
      const stored = await readFile(join(path, 'secrets.json'), 'utf8').catch(absent);
      if (stored !== undefined) return JSON.parse(stored) as Secrets;
      const account = (username: string) => ({ username, password: randomBytes(24).toString('base64url') });
      const secrets: Secrets = { admin: account('admin'), registry: account('worker') };
      await write('secrets.json', `${JSON.stringify(secrets, null, 2)}\n`);
      return secrets;
    },
    release: () => rm(lock, { force: true }),
  };
}

/** The lock names a process; after a kill -9 that process is gone and the lock is taken over. */
async function takeLock(lock: string, path: string): Promise<void> {
  const identity = `${process.pid} ${await startTime(process.pid)}`;
  for (;;) {
    try {
      const file = await open(lock, 'wx', 0o600);
      await file.writeFile(identity);
      await file.close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid = '', started = ''] = ((await readFile(lock, 'utf8').catch(absent)) ?? '').split(' ');
    if (pid !== '' && started !== '' && (await startTime(Number(pid))) === started) {
      throw new DataFolderInUseError(
        `${path} is in use by process ${pid}. Stop that one, or give another folder with --data.`,
      );
    }
    await rm(lock, { force: true });
  }
}

/** Start time of a process in clock ticks since boot (proc(5), field 22 of stat): with the pid it names a process for good. */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(absent);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
  throw error;
}
