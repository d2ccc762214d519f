import { execFile } from 'node:child_process';
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
  /** How many faults keep each pair apart now. */
  private readonly cut = new Map<string, number>();

  private constructor(
    readonly places: readonly Place[],
    private readonly closeNetwork: () => Promise<void>,
  ) {}

  static async create(hosts: readonly string[]): Promise<Places> {
    const network = await createNetwork('chaos', '10.77.0.1');
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
    const apart = this.cut.get(pairOf(a, b)) ?? 0;
    this.cut.set(pairOf(a, b), apart + 1);
    if (apart === 0) await this.routes('add', a, b);
  }

  /** Undoes one `separate`. */
  async join(a: string, b: string): Promise<void> {
    const apart = this.cut.get(pairOf(a, b)) ?? 0;
    if (apart === 0) return;
    this.cut.set(pairOf(a, b), apart - 1);
    if (apart === 1) await this.routes('del', a, b);
  }

  private async routes(verb: 'add' | 'del', a: string, b: string): Promise<void> {
    const [one, other] = [this.at(a), this.at(b)];
    await Promise.all([this.route(verb, one, other), this.route(verb, other, one)]);
  }

  async close(): Promise<void> {
    await this.closeNetwork();
  }

  private async route(verb: 'add' | 'del', from: Place, to: Place): Promise<void> {
    await ip('-n', from.namespace, 'route', verb, 'blackhole', `${to.host}/32`);
  }
}

const pairOf = (a: string, b: string) => [a, b].sort().join(' ');

async function ip(...args: readonly string[]): Promise<void> {
  await execute('ip', [...args]);
}
