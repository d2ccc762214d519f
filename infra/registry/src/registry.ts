import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hash } from 'bcryptjs';
import type { Filled } from './fill';
import { RegistryClient, type RegistryAccess } from './registry-client';

export interface RegistryOptions {
  /** Images and configuration are kept here. */
  readonly dataDir: string;
  /** Address to listen on, e.g. `10.99.0.1`. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** PEM files: the server's certificate, its private key, and the authority that signed it. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  /** The one user. */
  readonly account: { readonly username: string; readonly password: string };
  /** Called with each line that the registry logs (warnings and errors). */
  readonly onLog?: (line: string) => void;
  /** Called with the reason when the registry ends without having been stopped; it is started again. */
  readonly onExit?: (reason: string) => void;
}

/** docker-registry is missing, did not start, or does not answer. The message says what to do. */
export class RegistryError extends Error {}

export interface Registry {
  readonly host: string;
  readonly port: number;
  /** `host:port`, as it begins an image's name. */
  readonly address: string;
  readonly access: RegistryAccess;
  /**
   * From now on it only serves: every worker has the account, and none may replace an image. `filled`: what has to be in it; throws
   * RegistryError when an image is not the one that was filled, because somebody pushed over it in between.
   */
  seal(filled?: readonly Filled[]): Promise<void>;
  /**
   * docker-registry reads its certificate only when it starts: another one takes the port over. The one before ends what it is sending; who
   * connects before the other is up is refused.
   */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const program = 'docker-registry';

const restartMs = 1000;
const killMs = 5000;
/** What is being sent by one that another has taken the port of goes on for so long. */
const drainTime = '1h';

/** Starts Debian's docker-registry as a child: TLS, one user, images in a folder. It ends when this process ends, however that ends. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const found = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/sbin'];
  if (!found.some((folder) => folder && existsSync(join(folder, program)))) {
    throw new RegistryError(`${program} is not installed: run npm run setup -- --for start`);
  }
  const { host, tls, account } = options;
  const port = await claimPort(host, options.port);
  const address = `${host}:${port}`;
  const access = { host, port, tls, account };
  const keeper = new Keeper(await writeConfiguration(options, address, 'writable'), options);
  let isOver = false;
  const begin = async () => {
    if (isOver) throw new RegistryError('the registry was stopped');
    try {
      await answers(access, keeper.start());
    } catch (error) {
      await keeper.stop();
      throw error;
    }
  };
  await begin();
  const seal = async (filled: readonly Filled[] = []) => {
    await keeper.stop();
    await writeConfiguration(options, address, 'read-only');
    await begin();
    await verify(access, filled);
  };
  const restart = async () => {
    await keeper.drain(access);
    await begin();
  };
  const stop = () => {
    isOver = true;
    return keeper.stop();
  };
  return { host, port, address, access, seal, restart, stop };
}

/** Keeps one child running, from `start` to `stop`. */
class Keeper {
  #child: Child | undefined;
  readonly #draining = new Set<Child>();
  #restart: NodeJS.Timeout | undefined;

  constructor(
    private readonly configuration: string,
    private readonly options: Pick<RegistryOptions, 'onLog' | 'onExit'>,
  ) {}

  /** Resolves with the reason when this child ends. */
  start(): Promise<string> {
    const child = launch(this.configuration, this.options.onLog);
    this.#child = child;
    void child.ended.then((reason) => {
      if (this.#child !== child) return;
      this.options.onExit?.(reason);
      this.#restart = setTimeout(() => void this.start(), restartMs);
    });
    return child.ended;
  }

  async stop(): Promise<void> {
    const children = [...this.#draining];
    const child = this.#letGo();
    if (child) children.push(child);
    // Not SIGTERM: that lets it end what it is sending first.
    await Promise.all(children.map((each) => end(each, 'SIGINT')));
  }

  /** Resolves when nobody listens there any more; what is being sent goes on. */
  async drain({ host, port }: Pick<RegistryAccess, 'host' | 'port'>): Promise<void> {
    const child = this.#letGo();
    if (!child) return;
    this.#draining.add(child);
    void child.ended.then(() => this.#draining.delete(child));
    child.process.kill('SIGTERM');
    const limit = Date.now() + killMs;
    while (!(await isFree(host, port))) {
      if (Date.now() > limit) return end(child, 'SIGKILL');
      await delay(10);
    }
  }

  #letGo(): Child | undefined {
    const child = this.#child;
    this.#child = undefined;
    clearTimeout(this.#restart);
    return child;
  }
}

async function end(child: Child, signal: NodeJS.Signals): Promise<void> {
  child.process.kill(signal);
  const timer = setTimeout(() => child.process.kill('SIGKILL'), killMs);
  await child.ended;
  clearTimeout(timer);
}

async function verify(access: RegistryAccess, filled: readonly Filled[]): Promise<void> {
  const client = new RegistryClient(access);
  try {
    for (const { name, digest } of filled) {
      const colon = name.lastIndexOf(':');
      const found = await client.digestOf(name.slice(0, colon), name.slice(colon + 1));
      if (found === digest) continue;
      throw new RegistryError(
        `${name} is ${found ?? 'missing'}, not ${digest}: somebody pushed with the workers' account while it was filled`,
      );
    }
  } finally {
    client.close();
  }
}

interface Child {
  readonly process: ChildProcess;
  /** Resolves with the reason. */
  readonly ended: Promise<string>;
}

function launch(configuration: string, onLog: RegistryOptions['onLog']): Child {
  // The kernel ends the child with us, even after SIGKILL.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, 'serve', configuration], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C at our terminal is ours to turn into an orderly end.
    detached: true,
  });
  const log = collectLog(child, onLog);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(`${program} ended (${signal ?? code}): ${log.tail()}`));
  });
  return { process: child, ended };
}

async function writeConfiguration(
  options: RegistryOptions,
  bound: string,
  mode: 'writable' | 'read-only',
): Promise<string> {
  const { dataDir, tls, account } = options;
  const file = (name: string) => join(dataDir, name);
  await mkdir(file('images'), { recursive: true, mode: 0o700 });
  const secret = { mode: 0o600 };
  // The password is random and long, so a low cost is enough; every request pays it.
  await writeFile(file('htpasswd'), `${account.username}:${await hash(account.password, 5)}\n`, secret);
  // JSON is YAML.
  const configuration = {
    version: '0.1',
    log: { level: 'warn' },
    storage: {
      filesystem: { rootdirectory: file('images') },
      maintenance: { readonly: { enabled: mode === 'read-only' } },
    },
    http: {
      addr: bound,
      secret: randomBytes(16).toString('hex'),
      draintimeout: drainTime,
      tls: { certificate: tls.cert, key: tls.key },
    },
    auth: { htpasswd: { realm: 'tinkerbell', path: file('htpasswd') } },
  };
  await writeFile(file('registry.yml'), JSON.stringify(configuration, null, 2), secret);
  return file('registry.yml');
}

function collectLog(child: ChildProcess, onLog: RegistryOptions['onLog']): { tail(): string } {
  const kept: string[] = [];
  const keep = (chunk: Buffer) => {
    for (const line of chunk.toString().split('\n').filter(Boolean)) {
      kept.push(line);
      if (kept.length > 5) kept.shift();
      onLog?.(line);
    }
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return { tail: () => kept.join(' | ') };
}

/** Waits until the registry answers, with its certificate and to our password. */
async function answers(access: RegistryAccess, ended: Promise<string>): Promise<void> {
  const client = new RegistryClient(access);
  let over = false;
  const failed = ended.then((reason) => {
    over = true;
    throw new RegistryError(reason);
  });
  const ready = async () => {
    while (!over) {
      try {
        return await client.check();
      } catch (error) {
        if ((error as { code?: string }).code !== 'ECONNREFUSED') throw error;
      }
      await delay(50);
    }
  };
  try {
    await Promise.race([ready(), failed]);
  } finally {
    client.close();
  }
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

async function isFree(host: string, port: number): Promise<boolean> {
  try {
    await claimPort(host, port);
    return true;
  } catch {
    return false;
  }
}
