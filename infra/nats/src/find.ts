import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

export interface NatsBinary {
  readonly path: string;
  readonly version: string;
}

/** `sync_interval: always`, i.e. one fsync for each acknowledged message, came with this version. */
export const minimumVersion = '2.10.0';
const packageFolder = join('.cache', 'nats-server');
const remedy = 'run `npm run setup`, or set NATS_SERVER_BIN to a newer one';

export class NatsServerNotFoundError extends Error {}

/**
 * nats-server from NATS_SERVER_BIN, else from `.cache/nats-server` in the project (any folder above the working directory or the program),
 * else from PATH; the first that is new enough. Throws NatsServerNotFoundError that names what was found and what to run.
 */
export async function findNatsServer(
  env: NodeJS.ProcessEnv = process.env,
  startFolders: readonly string[] = [process.cwd(), dirname(process.argv[1] ?? '.')],
): Promise<NatsBinary> {
  const chosen = env.NATS_SERVER_BIN;
  if (chosen) {
    const version = await versionOf(chosen);
    if (version && isAtLeast(version, minimumVersion)) return { path: resolve(chosen), version };
    const fault = version ? `is version ${version}, older than ${minimumVersion}` : 'cannot be run as nats-server';
    throw new NatsServerNotFoundError(`NATS_SERVER_BIN=${chosen} ${fault}`);
  }
  const tooOld: string[] = [];
  for (const path of await candidates(env, startFolders)) {
    const version = await versionOf(path);
    if (version && isAtLeast(version, minimumVersion)) return { path, version };
    tooOld.push(`${path} ${version ? `is version ${version}` : 'does not run'}`);
  }
  const found = tooOld.length > 0 ? `: ${tooOld.join(', ')}` : ` in ${packageFolder} or PATH`;
  throw new NatsServerNotFoundError(`no nats-server of version ${minimumVersion} or newer${found}; ${remedy}`);
}

/** Compares dotted versions; a suffix such as `-beta.1` counts for nothing. */
export function isAtLeast(version: string, minimum: string): boolean {
  const parts = (text: string) => text.split('-')[0]?.split('.').map(Number) ?? [];
  const [have, want] = [parts(version), parts(minimum)];
  for (const [i, wanted] of want.entries()) {
    const got = have[i] ?? 0;
    if (got !== wanted) return got > wanted;
  }
  return true;
}

async function candidates(env: NodeJS.ProcessEnv, startFolders: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const start of startFolders) {
    for (let folder = resolve(start); ; folder = dirname(folder)) {
      found.push(...(await binariesBelow(join(folder, packageFolder))));
      if (dirname(folder) === folder) break;
    }
  }
  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, 'nats-server');
    if (await isExecutable(path)) found.push(path);
  }
  return [...new Set(found)];
}

async function binariesBelow(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && entry.name === 'nats-server');
    const paths = files.map((entry) => join(entry.parentPath, entry.name));
    const usable = await Promise.all(paths.map(isExecutable));
    return paths.filter((_, i) => usable[i]);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 10_000 });
    return /nats-server: v(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1];
  } catch {
    return undefined; // not a program for this machine
  }
}
