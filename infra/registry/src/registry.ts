import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hash } from 'bcryptjs';
import { markHeader, RegistryClient, type RegistryAccess } from './registry-client';

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
  /** Called with the reason when the registry ends without having been stopped. */
  readonly onExit?: (reason: string) => void;
}

export interface Registry {
  readonly port: number;
  /** `host:port`, as it begins an image's name. */
  readonly address: string;
  readonly access: RegistryAccess;
  stop(): Promise<void>;
}

const program = 'docker-registry';

/** Starts Debian's docker-registry as a child: TLS, one user, images in a folder. It ends when this process ends, however that ends. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const found = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/sbin'];
  if (!found.some((folder) => folder && existsSync(join(folder, program)))) {
    throw new Error(`${program} is not installed: run npm run setup -- --for start`);
  }
  const { host, tls, account } = options;
  const port = options.port === 0 ? await freePort(host) : options.port;
  const mark = randomBytes(16).toString('hex');
  const configuration = await writeConfiguration(options, `${host}:${port}`, mark);
  // The kernel ends the child with us, even after SIGKILL.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, 'serve', configuration], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = collectLog(child, options.onLog);
  let stopping = false;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(`${program} ended (${signal ?? code}): ${log.tail()}`));
  });
  const stop = () => {
    stopping = true;
    return stopChild(child, ended);
  };
  const access = { host, port, tls, account };
  try {
    await answers(access, mark, ended);
  } catch (error) {
    await stop();
    throw error;
  }
  void ended.then((reason) => (stopping ? undefined : options.onExit?.(reason)));
  return { port, address: `${host}:${port}`, access, stop };
}

async function writeConfiguration(options: RegistryOptions, address: string, mark: string): Promise<string> {
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
    storage: { filesystem: { rootdirectory: file('images') }, delete: { enabled: true } },
    http: {
      addr: address,
      secret: randomBytes(16).toString('hex'),
      headers: { [markHeader]: [mark] },
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

/** Waits until this very registry answers, with its certificate and to our password. */
async function answers(access: RegistryAccess, mark: string, ended: Promise<string>): Promise<void> {
  const client = new RegistryClient(access);
  const failed = ended.then((reason) => {
    throw new Error(reason);
  });
  const ready = async () => {
    for (;;) {
      try {
        if ((await client.check()) === mark) return;
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

async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error(`no port on ${host}`);
  return address.port;
}

async function stopChild(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(timer);
}
