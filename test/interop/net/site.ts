// The whole provisioner at one address of a network, and tink for it.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Finished, type Network, runIn, spawnIn } from './namespace';

export interface Site {
  /** A command line that runs tink as the operator, beside the provisioner. */
  readonly command: readonly string[];
  run(...args: readonly string[]): Promise<Finished>;
  /** What it prints with `-o json`. Throws when it fails. */
  tink<T>(...args: readonly string[]): Promise<T>;
  /** At once. */
  kill(): void;
}

export function buildSite(): Promise<unknown> {
  return promisify(execFile)(process.execPath, ['infra/build/build.mjs', 'apps/tinkerbell', 'apps/tink-cli']);
}

/** `dhcpFile`: BOOTS_DHCP_FILE's text. Resolves when it is up. */
export async function startSite(
  network: Network,
  folder: string,
  { ip6, dhcpFile }: { readonly ip6: string; readonly dhcpFile: string },
): Promise<Site> {
  await writeFile(join(folder, 'dhcp.yaml'), dhcpFile);
  const folders = ['--data', join(folder, 'data'), '--actions-dir', join(folder, 'none')];
  const up = ['up', '--json', '--ip', network.address, '--ip6', ip6, ...folders];
  const env = { ...process.env, BOOTS_DHCP_FILE: join(folder, 'dhcp.yaml') };
  const child = spawnIn(network.server, [process.execPath, resolve('dist/apps/tinkerbell/main.js'), ...up], {
    ...{ cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const over = once(child, 'close').then(() => Promise.reject(new Error(`it is not up: ${said}`)));
  over.catch(() => undefined);
  let ready: string | undefined;
  while (ready === undefined) {
    await Promise.race([over, once(child.stdout ?? child, 'data')]);
    ready = /^\{"ready":true.*$/m.exec(said)?.[0];
  }
  const { cliConfig } = JSON.parse(ready) as { readonly cliConfig: string };
  const command = ['env', `TINK_CONFIG=${cliConfig}`, process.execPath, resolve('dist/apps/tink-cli/main.js')];
  const run = (...args: readonly string[]) => runIn(network.server, [...command, ...args]);
  return {
    ...{ command, run },
    async tink<T>(...args: readonly string[]): Promise<T> {
      const ran = await run(...args);
      if (ran.code !== 0) throw new Error(`tink ${args.join(' ')}: ${ran.stdout}${ran.stderr}`);
      return JSON.parse(ran.stdout) as T;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
