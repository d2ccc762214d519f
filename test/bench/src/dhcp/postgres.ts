import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const installed = '/usr/lib/postgresql';
/** It refuses to run as root. */
const asPostgres = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', '--pdeathsig=TERM'];

export interface Postgres {
  readonly pid: number;
  /** The folder of its socket, which is all that it listens on. */
  readonly socket: string;
  readonly name: string;
  readonly user: string;
  stop(): Promise<void>;
}

/** In a `folder` that everybody may write to: a PostgreSQL with its own defaults (each commit is on the disk before it is acknowledged) and what the file `schema` makes. */
export async function startPostgres(folder: string, schema: string): Promise<Postgres> {
  const [bin, home] = [await newest(), join(folder, 'postgres')];
  const [data, user] = [join(home, 'data'), 'kea'];
  const [setpriv = '', ...options] = asPostgres;
  await execute(setpriv, [...options, 'mkdir', home]);
  await execute(setpriv, [...options, join(bin, 'initdb'), '-D', data, '-U', user, '--auth=trust']);
  const settings = ['-D', data, '-k', home, '-c', 'listen_addresses='];
  const server = spawn(setpriv, [...options, join(bin, 'postgres'), ...settings], { cwd: home, stdio: 'ignore' });
  // To be told of, it has to be watched from now on.
  const ended = once(server, 'exit');
  const stop = async () => {
    // Fast: it ends its clients' connections.
    server.kill('SIGINT');
    await ended;
  };
  try {
    const isOver = () => server.exitCode !== null || server.signalCode !== null;
    while (!(await isReady(bin, home, user)) && !isOver()) await new Promise((resolve) => setTimeout(resolve, 50));
    const run = ['-h', home, '-U', user, '-d', 'postgres', '-q', '-v', 'ON_ERROR_STOP=1', '-f', schema];
    await execute(join(bin, 'psql'), run);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: server.pid ?? 0, socket: home, name: 'postgres', user, stop };
}

/** Where the programs of the newest version are. */
async function newest(): Promise<string> {
  const [version] = (await readdir(installed)).sort((a, b) => Number(b) - Number(a));
  if (version === undefined) throw new Error(`no PostgreSQL in ${installed}`);
  return join(installed, version, 'bin');
}

function isReady(bin: string, socket: string, user: string): Promise<boolean> {
  return execute(join(bin, 'pg_isready'), ['-h', socket, '-U', user]).then(
    () => true,
    () => false,
  );
}
