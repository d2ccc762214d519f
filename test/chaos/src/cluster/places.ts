import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { createNetwork } from '../../../interop/net/namespace';

const execute = promisify(execFile);

/** One namespace with one address on the bridge of the run. */
export interface Place {
  readonly namespace: string;
  readonly host: string;
}

/** Namespaces of one run, with partitions between them. */
export class Places {
  private readonly cut = new Map<string, readonly [Place, Place]>();

  private constructor(
    readonly places: readonly Place[],
    private readonly closeNetwork: () => Promise<void>,
  ) {}

  /** The names carry our process id: no two runs share one, and what a killed run left is known to be nobody's. */
  static async create(hosts: readonly string[]): Promise<Places> {
    await sweep();
    const network = await createNetwork(nameOf(process.pid), '10.77.0.1');
    try {
      const places: Place[] = [];
      for (const [i, host] of hosts.entries()) {
        const namespace = await network.addClient(`02:77:00:00:00:${String(i + 10)}`);
        await ip('-n', namespace, 'addr', 'add', `${host}/24`, 'dev', 'eth0');
        places.push({ namespace, host });
      }
      return new Places(places, () => network.close());
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  at(host: string): Place {
    const place = this.places.find((one) => one.host === host);
    if (!place) throw new Error(`nobody lives at ${host}`);
    return place;
  }

  /** Nothing passes between the two any more, in neither direction; connections stay open and silent. */
  async separate(a: string, b: string): Promise<void> {
    const pair = [this.at(a), this.at(b)] as const;
    this.cut.set([a, b].sort().join(' '), pair);
    await Promise.all([this.route('add', pair[0], pair[1]), this.route('add', pair[1], pair[0])]);
  }

  async join(a: string, b: string): Promise<void> {
    const key = [a, b].sort().join(' ');
    const pair = this.cut.get(key);
    if (!pair) return;
    this.cut.delete(key);
    await Promise.all([this.route('del', pair[0], pair[1]), this.route('del', pair[1], pair[0])]);
  }

  async close(): Promise<void> {
    await this.closeNetwork();
  }

  private async route(verb: 'add' | 'del', from: Place, to: Place): Promise<void> {
    await ip('-n', from.namespace, 'route', verb, 'blackhole', `${to.host}/32`);
  }
}

const nameOf = (pid: number) => `c${pid}`;

/** Removes the namespaces of runs that were killed. */
async function sweep(): Promise<void> {
  for (const name of listed()) {
    const pid = /^c(\d+)(?:-c\d+)?$/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) await ip('netns', 'del', name).catch(() => undefined);
  }
}

function listed(): readonly string[] {
  try {
    return readdirSync('/run/netns');
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function ip(...args: readonly string[]): Promise<void> {
  await execute('ip', [...args]);
}
