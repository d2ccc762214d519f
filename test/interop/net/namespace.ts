import { type ChildProcess, execFile, spawn, type SpawnOptions } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A network of its own for a test: namespaces joined by one bridge. */
export interface Network {
  /** Namespace with the bridge, which has the address. */
  readonly server: string;
  readonly bridge: string;
  readonly address: string;
  /** Adds a namespace with one interface `eth0` on the bridge; returns its name. */
  addClient(mac: string): Promise<string>;
  /** Takes the cable of such a namespace out of the bridge, or puts it back in; the client's own end stays up. */
  cable(client: string, way: 'out' | 'in'): Promise<void>;
  /** Adds a namespace with `eth0` on a wire of its own to `router`, whose end is `down0` with `address`; returns its name. */
  addBehind(router: string, mac: string, address: string): Promise<string>;
  /** Adds a tap device on the bridge, for a virtual machine; returns its name. */
  addTap(): Promise<string>;
  close(): Promise<void>;
}

/** Why network namespaces cannot be had here; undefined: they can. */
export function namespacesMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  return ['/sbin/ip', '/usr/sbin/ip', '/bin/ip'].some((path) => existsSync(path)) ? undefined : 'needs iproute2';
}

/**
 * `kind`: letters and digits, no two networks of one process with the same. The names carry our process id too: no two runs share one, and
 * what a killed run left is known to be nobody's. `address6`: a further one of the bridge, of a /64.
 */
export async function createNetwork(kind: string, address: string, address6?: string): Promise<Network> {
  await sweep(kind);
  const name = `${kind}-${process.pid}`;
  const created: string[] = [];
  const add = async (namespace: string) => {
    await ip('netns', 'add', namespace);
    created.push(namespace);
    await ip('-n', namespace, 'link', 'set', 'lo', 'up');
  };
  const bridge = 'br0';
  const inside = (...args: readonly string[]) => ip('-n', name, ...args);
  const plug = (port: string) => inside('link', 'set', port, 'master', bridge, 'up');
  let ports = 0;
  const portOf = new Map<string, string>();
  const network: Network = {
    server: name,
    bridge,
    address,
    async addClient(mac) {
      const namespace = `${name}-c${ports}`;
      const port = `p${ports++}`;
      portOf.set(namespace, port);
      await add(namespace);
      await inside('link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'address', mac, 'netns', namespace);
      await plug(port);
      await ip('-n', namespace, 'link', 'set', 'eth0', 'up');
      return namespace;
    },
    async cable(client, way) {
      const port = portOf.get(client);
      if (port === undefined) throw new Error(`${client} has no cable to ${bridge}`);
      await (way === 'in' ? plug(port) : inside('link', 'set', port, 'nomaster'));
    },
    async addBehind(router, mac, far) {
      const namespace = `${name}-c${ports++}`;
      await add(namespace);
      const peer = ['type', 'veth', 'peer', 'name', 'eth0', 'address', mac, 'netns', namespace];
      await ip('-n', router, 'link', 'add', 'down0', ...peer);
      await ip('-n', router, 'addr', 'add', far, 'dev', 'down0', ...(far.includes(':') ? ['nodad'] : []));
      await ip('-n', router, 'link', 'set', 'down0', 'up');
      await ip('-n', namespace, 'link', 'set', 'eth0', 'up');
      return namespace;
    },
    async addTap() {
      const tap = `tap${ports++}`;
      await inside('tuntap', 'add', 'dev', tap, 'mode', 'tap');
      await plug(tap);
      return tap;
    },
    async close() {
      for (const namespace of created.reverse()) await removeNamespace(namespace);
    },
  };
  try {
    await add(name);
    // Without forward_delay 0 the bridge swallows the first packets of every new port.
    await inside('link', 'add', bridge, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
    await inside('addr', 'add', `${address}/24`, 'dev', bridge);
    if (address6 !== undefined) await inside('addr', 'add', `${address6}/64`, 'dev', bridge, 'nodad');
    // Router advertisements need a link-local address, valid at once.
    await inside('addr', 'add', 'fe80::1/64', 'dev', bridge, 'nodad');
    await inside('link', 'set', bridge, 'up');
    return network;
  } catch (error) {
    await network.close();
    throw error;
  }
}

/** And ends what still runs in it, as a DHCP client does that went into the background. */
export async function removeNamespace(namespace: string): Promise<void> {
  const { stdout } = await execute('ip', ['netns', 'pids', namespace]);
  for (const pid of stdout.split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
  await ip('netns', 'del', namespace);
}

/** Removes the namespaces of runs that were killed. */
async function sweep(kind: string): Promise<void> {
  const names = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  for (const name of names) {
    const pid = new RegExp(`^${kind}-(\\d+)(?:-|$)`).exec(name)?.[1];
    if (pid && !existsSync(`/proc/${pid}`)) await removeNamespace(name).catch(() => undefined);
  }
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program inside a namespace to its end, whatever its exit code. */
export async function runIn(
  namespace: string,
  command: readonly string[],
  { timeoutMs = 30_000, input }: { timeoutMs?: number; input?: string } = {},
): Promise<Finished> {
  const child = spawnIn(namespace, command, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('latin1').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('latin1').on('data', (text: string) => (stderr += text));
  child.stdin?.end(input);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  return { code, stdout, stderr };
}

/** Resolves once its link-local address is usable, without which DHCPv6 cannot begin. */
export async function linkLocal(namespace: string): Promise<void> {
  for (;;) {
    const { stdout } = await runIn(namespace, ['ip', '-6', 'addr', 'show', 'dev', 'eth0', 'scope', 'link']);
    if (stdout.includes('inet6') && !stdout.includes('tentative')) return;
    await delay(50);
  }
}

export function spawnIn(namespace: string, command: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn('nsenter', [`--net=/run/netns/${namespace}`, '--', ...command], options);
}

async function ip(...args: readonly string[]): Promise<void> {
  await execute('ip', [...args]);
}
