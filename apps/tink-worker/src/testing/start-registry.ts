import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePki } from '@tinkerbell/identity';
import { freePort } from '@tinkerbell/nats';
import { hashSync } from 'bcryptjs';

export interface TestRegistry {
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  readonly ca: string;
  readonly username: string;
  readonly password: string;
  stop(): Promise<void>;
}

/** Debian's docker-registry with TLS from our own authority and one user. */
export async function startRegistry(): Promise<TestRegistry> {
  const dir = await mkdtemp(join(tmpdir(), 'tink-registry-'));
  const pki = await ensurePki(join(dir, 'pki'), { ips: ['127.0.0.1'], names: ['localhost'] });
  const [username, password] = ['worker', 'a secret: with colon'];
  await writeFile(join(dir, 'htpasswd'), `${username}:${hashSync(password, 4).replace(/^\$2b/, '$2y')}\n`);
  const port = await freePort();
  await writeFile(
    join(dir, 'config.yml'),
    JSON.stringify({
      version: 0.1,
      log: { level: 'error' },
      storage: { filesystem: { rootdirectory: join(dir, 'data') } },
      http: { addr: `127.0.0.1:${port}`, tls: { certificate: pki.files.cert, key: pki.files.key } },
      auth: { htpasswd: { realm: 'test', path: join(dir, 'htpasswd') } },
    }),
  );
  const child = spawn('docker-registry', ['serve', join(dir, 'config.yml')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const problems: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => problems.push(chunk.toString()));
  const stop = async () => {
    if (child.exitCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await ended;
    }
    await rm(dir, { recursive: true, force: true });
  };
  for (let tries = 0; !(await listens(port)); tries++) {
    if (child.exitCode !== null || tries > 1200) {
      await stop();
      throw new Error(`docker-registry does not come up: ${problems.join('')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { address: `127.0.0.1:${port}`, ca: pki.ca, username, password, stop };
}

async function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
