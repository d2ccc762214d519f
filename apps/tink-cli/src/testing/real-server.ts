import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@tinkerbell/nats';
// The simulated worker and the secured nats-server of tink-server's own specs.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { Harness } from '../../../tink-server/src/testing/harness';
import { TinkProcess, type Finished } from './tink-process';

/** A real tink-server with TLS and a password on a real nats-server, and the bundle in a folder with its cli.json. */
export interface RealServer {
  readonly harness: Harness;
  readonly tink: TinkProcess;
  /** The folder that tink runs in; its home too. */
  readonly dir: string;
  /** HTTPS; stays the same when the server is restarted. */
  readonly url: string;
  /** Runs bash there, with `tink` on its PATH. */
  bash(script: string): Promise<Finished>;
  close(): Promise<void>;
}

export async function startRealServer(settings: Parameters<typeof Harness.start>[0] = {}): Promise<RealServer> {
  const bundle = TinkProcess.build();
  const dir = await mkdtemp(join(tmpdir(), 'tink-cli-'));
  const port = await freePort();
  const harness = await Harness.start({
    TINK_HTTPS_PORT: port,
    TINK_AUTH_USERNAME: 'admin',
    TINK_AUTH_PASSWORD: 'pass',
    ...settings,
  });
  const url = `https://127.0.0.1:${port}`;
  await mkdir(join(dir, '.tinkerbell'));
  await mkdir(join(dir, 'bin'));
  await writeFile(join(dir, '.tinkerbell', 'ca.pem'), harness.ca);
  const config = { server: url, ca: 'ca.pem', username: 'admin', password: 'pass' };
  await writeFile(join(dir, '.tinkerbell', 'cli.json'), JSON.stringify(config));
  await writeFile(join(dir, 'bin', 'tink'), `#!/bin/sh\nexec ${process.execPath} ${bundle} "$@"\n`, { mode: 0o755 });
  const tink = new TinkProcess(bundle, dir);
  return {
    harness,
    tink,
    dir,
    url,
    bash: (script) => runBash(script, dir),
    async close() {
      await tink.close();
      await harness.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function runBash(script: string, dir: string): Promise<Finished> {
  const env = { PATH: `${dir}/bin:${process.env['PATH'] ?? ''}`, HOME: dir };
  return new Promise((resolve) => {
    const child = execFile('bash', ['--norc', '-c', script], { cwd: dir, env }, (_error, out, err) =>
      resolve({ code: child.exitCode, out, err }),
    );
  });
}
