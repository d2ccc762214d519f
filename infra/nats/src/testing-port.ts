import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type ListenOptions } from 'node:net';

const lowest = 10_000;

/**
 * A TCP port of 127.0.0.1 for a server that cannot say which one it was given, or that is to come back on the same. Below those that the
 * kernel gives to connections and to port 0, so nothing takes it while its server is down; no other caller gets it while this process lives.
 */
export async function freePort(): Promise<number> {
  const lowestGiven = lowestThatTheKernelGives();
  for (let tries = 0; tries < 1000; tries++) {
    const port = randomInt(lowest, lowestGiven);
    const claim = await bound({ path: `\0tink-test-port-${port}` });
    if (!claim) continue;
    claim.unref();
    const probe = await bound({ host: '127.0.0.1', port });
    if (!probe) continue;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
  throw new Error(`no free port between ${lowest} and ${lowestGiven}`);
}

function lowestThatTheKernelGives(): number {
  const [low] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/);
  return Math.max(Number(low), lowest + 1000);
}

async function bound(options: ListenOptions) {
  const server = createServer().listen(options);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return undefined;
  }
}
