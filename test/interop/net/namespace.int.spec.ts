import { expect, it } from 'vitest';
import { createNetwork, namespacesMissing, spawnIn } from './namespace';

const missing = namespacesMissing();

it.skipIf(missing !== undefined)(
  `a network that is closed leaves no process behind${missing === undefined ? '' : ` (${missing})`}`,
  async () => {
    const network = await createNetwork('leave', '10.94.9.1');
    const client = await network.addClient('02:94:00:00:00:01');
    const child = spawnIn(client, ['sh', '-c', 'sleep 600 >/dev/null 2>&1 & echo $!']);
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.stdout?.once('data', (text: Buffer) => resolve(Number(text.toString())));
    });
    expect(() => process.kill(pid, 0)).not.toThrow();
    await network.close();
    await expect.poll(() => isThere(pid)).toBe(false);
  },
);

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
