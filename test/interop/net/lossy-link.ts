import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Accidents, Losses } from './accidents';
import { bundle } from './bundle';
import { type Network, removeNamespace, runIn, spawnIn } from './namespace';

/** A client on the network whose cable loses, doubles and swaps frames, in both directions. */
export interface LossyClient {
  /** Its namespace, with the interface `eth0`. */
  readonly namespace: string;
  /** Pulls the cable. Returns how many frames met with an accident. */
  close(): Promise<Accidents['count']>;
}

/** `name`: at most 8 characters, no two on the network at once with the same. */
export async function addLossyClient(
  network: Network,
  client: { readonly name: string; readonly mac: string; readonly losses: Losses },
): Promise<LossyClient> {
  const program = await bundle('test/interop/net/lossy-link.main.ts');
  const namespace = `${network.server}-${client.name}`;
  const taps = [`${client.name}-n`, `${client.name}-f`] as const;
  const command = [process.execPath, program.file, JSON.stringify({ taps, losses: client.losses })];
  const link = spawnIn(network.server, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (!link.stdout) throw new Error('no standard output');
  const lines = createInterface({ input: link.stdout })[Symbol.asyncIterator]();
  const ip = async (...args: readonly string[]) => {
    const { code, stderr } = await runIn(network.server, ['ip', ...args]);
    if (code !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
  };
  const close = async () => {
    const closed = once(link, 'close');
    link.kill('SIGTERM');
    const { value } = await lines.next();
    await closed;
    await program.remove();
    await removeNamespace(namespace);
    return JSON.parse(String(value)) as Accidents['count'];
  };
  try {
    await lines.next();
    await ip('netns', 'add', namespace);
    await ip('link', 'set', taps[0], 'master', network.bridge, 'up');
    await ip('link', 'set', taps[1], 'netns', namespace, 'name', 'eth0', 'address', client.mac);
    await ip('-n', namespace, 'link', 'set', 'lo', 'up');
    await ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    return { namespace, close };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}
