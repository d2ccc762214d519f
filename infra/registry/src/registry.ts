import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hash } from 'bcryptjs';

export interface RegistryOptions {
  /** Holds the images, the configuration and the account file. */
  readonly dataDir: string;
  /** Address to listen on. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** PEM files. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly account: { readonly username: string; readonly password: string };
  /** Called when the registry ends without having been asked to; it is started again. */
  readonly onExit?: (reason: string) => void;
}

export interface Registry {
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** docker-registry is missing, did not start, or does not answer. The message says what to do. */
export class RegistryError extends Error {}

const restartMs = 1000;

/** Runs Debian's docker-registry as a child: TLS, one account, images below `dataDir`. It ends with this process. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const port = await claimPort(options.host, options.port);
  const config = await writeConfig(options, port);
  let wanted = true;
  let child: ChildProcess | undefined;
  let tail = '';
  const run = () => {
    // The kernel ends the child when this process ends, whatever ends it.
    child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', 'docker-registry', 'serve', config], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer) => (tail = (tail + chunk.toString()).slice(-2000));
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.once('error', (error) => keep(Buffer.from(error.message)));
    child.once('exit', (code, signal) => {
      child = undefined;
      if (!wanted) return;
      options.onExit?.(`docker-registry ended (${signal ?? code}): ${tail.trim().split('\n').at(-1) ?? ''}`);
      setTimeout(() => wanted && run(), restartMs);
    });
  };
  const stop = async () => {
    wanted = false;
    if (!child) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  };
  run();
  try {
    await answers(options, port, () => tail);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host: options.host, port, stop };
}

async function writeConfig({ dataDir, host, tls, account }: RegistryOptions, port: number): Promise<string> {
  const dir = resolve(dataDir);
  await mkdir(join(dir, 'images'), { recursive: true, mode: 0o700 });
  const htpasswd = join(dir, 'htpasswd');
  await writeFile(htpasswd, `${account.username}:${await hash(account.password, 8)}\n`, { mode: 0o600 });
  const config = join(dir, 'config.json');
  // YAML is a superset of JSON.
  const settings = {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(dir, 'images') }, delete: { enabled: true } },
    auth: { htpasswd: { realm: 'tinkerbell', path: htpasswd } },
    http: { addr: `${host}:${port}`, tls: { certificate: resolve(tls.cert), key: resolve(tls.key) } },
  };
  await writeFile(config, JSON.stringify(settings, null, 2), { mode: 0o600 });
  return config;
}

/** Waits until the registry accepts its own account. */
async function answers(options: RegistryOptions, port: number, tail: () => string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      const { status } = await call(options, port, 'GET', '/v2/');
      if (status === 200) return;
      throw new RegistryError(`docker-registry answers ${status} to its own account`);
    } catch (error) {
      if (error instanceof RegistryError) throw error;
      if (/ENOENT/.test(tail())) throw new RegistryError('docker-registry is missing: apt-get install docker-registry');
      if (tries === 100) throw new RegistryError(`docker-registry does not answer: ${tail().trim() || String(error)}`);
      await delay(100);
    }
  }
}

export interface Answer {
  readonly status: number;
  readonly digest: string | undefined;
}

/** One request to the registry's HTTP API with its account. */
export async function call(
  { host, tls, account }: Pick<RegistryOptions, 'host' | 'tls' | 'account'>,
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { readFile } = await import('node:fs/promises');
  const auth = `${account.username}:${account.password}`;
  const outgoing = request({ host, port, method, path, auth, headers, ca: await readFile(tls.ca), timeout: 5000 });
  outgoing.end();
  const [incoming] = await once(outgoing, 'response');
  incoming.resume();
  const digest: unknown = incoming.headers['docker-content-digest'];
  return { status: incoming.statusCode, digest: typeof digest === 'string' ? digest : undefined };
}

/** The port, or a free one for 0. Another registry on it would answer in our child's place, so it has to be free now. */
async function claimPort(host: string, wanted: number): Promise<number> {
  const server = createServer().listen(wanted, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new RegistryError(`port ${wanted} is taken: stop its owner, or choose another with --registry-port`);
    }
    throw new RegistryError(`cannot listen on ${host}:${wanted}: ${message}`, { cause: error });
  }
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
