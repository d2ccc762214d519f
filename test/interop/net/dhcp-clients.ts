// dhclient, for both families, udhcpc and systemd-networkd of a machine in a namespace. What they keep lies in `folder`, named after the namespace.
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Finished, runIn, spawnIn } from './namespace';

const script = (program: string) => resolve('test/interop/net', `${program}-script`);

export interface DhclientRun extends Finished {
  /** What it is bound to. */
  readonly address: string | undefined;
  readonly leases: string;
  readonly leaseFile: string;
}

/** Runs it until it has a lease (`-1`), has given it back (`-r`) or has stopped (`-x`); `lines`: more for its dhclient.conf. */
export async function dhclient(
  folder: string,
  namespace: string,
  flag: '-1' | '-r' | '-x',
  lines: readonly string[] = [],
): Promise<DhclientRun> {
  const file = (suffix: string) => join(folder, `${namespace}.${suffix}`);
  const config = ['timeout 60;', 'initial-interval 1;', 'backoff-cutoff 2;', ...lines, ''];
  await writeFile(file('conf'), config.join('\n'));
  const files = ['-cf', file('conf'), '-lf', file('leases'), '-pf', file('pid'), '-sf', script('dhclient')];
  const run = await runIn(namespace, ['dhclient', '-4', '-v', flag, ...files, 'eth0'], { timeoutMs: 70_000 });
  const leases = existsSync(file('leases')) ? await readFile(file('leases'), 'latin1') : '';
  return { ...run, address: /bound to (\S+)/.exec(run.stderr)?.[1], leases, leaseFile: file('leases') };
}

/**
 * The same by DHCPv6, with the flags `-1`, `-r`, `-x` or `-S`. `lines`: more for its dhclient.conf; `script`: what it runs to configure the
 * interface, by default nothing.
 */
export async function dhclient6(
  folder: string,
  namespace: string,
  flags: readonly string[],
  { script: hook = '/bin/true', lines = [] }: { readonly script?: string; readonly lines?: readonly string[] } = {},
): Promise<Pick<DhclientRun, 'stderr' | 'leases'>> {
  const file = (suffix: string) => join(folder, `${namespace}.${suffix}`);
  await writeFile(file('conf'), [...lines, 'timeout 60;', ''].join('\n'));
  const files = ['-cf', file('conf'), '-lf', file('leases'), '-pf', file('pid'), '-sf', hook];
  const { stderr } = await runIn(namespace, ['dhclient', '-6', '-v', ...flags, ...files, 'eth0'], {
    timeoutMs: 70_000,
  });
  return { stderr, leases: existsSync(file('leases')) ? await readFile(file('leases'), 'latin1') : '' };
}

export interface Udhcpc {
  readonly child: ChildProcess;
  /** What it was told, as `name='value'` lines, once one of them is `line`. */
  told(line: string): Promise<string>;
  /** Kills it unless it has ended. */
  stop(): Promise<void>;
}

/** Starts it; it goes on until it is stopped. */
export function udhcpc(folder: string, namespace: string, flags: readonly string[] = []): Udhcpc {
  const dump = join(folder, `${namespace}.env`);
  const command = ['busybox', 'udhcpc', '-f', '-i', 'eth0', '-s', script('udhcpc'), '-t', '20', '-T', '1', ...flags];
  const child = spawnIn(namespace, command, { env: { ...process.env, DUMP: dump }, stdio: 'ignore' });
  const ended = new Promise<void>((settle) => child.once('close', () => settle()));
  const read = async () => (existsSync(dump) ? await readFile(dump, 'latin1') : '');
  return {
    child,
    async told(line) {
      for (;;) {
        const text = await read();
        if (text.includes(line)) return text;
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`udhcpc ended before ${line}: ${text}`);
        await delay(20);
      }
    },
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/**
 * systemd-networkd, which takes its .network file on standard input and logs to standard error. A /run of its own, and a read-only /sys, by
 * which it knows that no udev will name its interface.
 */
export const networkd: readonly string[] = [
  ...['unshare', '--mount', '--propagation', 'private', 'sh', '-ec'],
  `
    mount -t tmpfs tmpfs /run
    mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases
    chown -R systemd-network: /run/systemd/netif
    mount -t sysfs -o ro sysfs /sys
    cat > /run/systemd/network/10.network
    SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console exec /lib/systemd/systemd-networkd`,
];
