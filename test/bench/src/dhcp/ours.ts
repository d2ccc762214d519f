import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { type DhcpServer, network } from './peers';
import { end, outputOf, type Wire } from './wire';

export interface OurServer {
  /** boots and its nats-server. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
  /** As when the power fails. */
  kill(): Promise<void>;
}

/** Where the addresses of its clients come from: a hardware record each, or a pool. */
export type Origin = 'records' | 'pool';

const durability = 'JetStream, fsync before each ACK';
const pool = `subnets:
  - subnet: 10.200.0.0/16
    name: bench
    probe: false
    pools: [{ ranges: [${network.first}-${network.last}] }]
`;

/** As a server that begins with no lease known. */
export function freshOurs(wire: Wire, origin: Origin, clients: number): DhcpServer {
  const name = origin === 'pool' ? 'boots' : 'boots, reservations';
  return { name, durability, start: () => startOurs(wire, origin, clients) };
}

/** boots, with its leases on a nats-server that writes each commit through to the disk. */
async function startOurs(wire: Wire, origin: Origin, clients: number): Promise<OurServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tink-bench-boots-'));
  const file = join(folder, 'dhcp.yaml');
  await writeFile(file, pool);
  const nats = await startTestNats({ host: wire.host });
  const clear = async () => {
    await nats.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const settings = origin === 'pool' ? { BOOTS_DHCP_FILE: file } : { BENCH_CLIENTS: String(clients) };
    const boots = await startOn(nats, wire, settings);
    return {
      ...boots,
      async stop() {
        await boots.stop();
        await clear();
      },
    };
  } catch (error) {
    await clear();
    throw error;
  }
}

/** `sign`: what its metrics have once it answers. */
export async function startOn(
  nats: TestNats,
  wire: Pick<Wire, 'address' | 'server' | 'client'>,
  settings: NodeJS.ProcessEnv,
  sign = 'boots_pool_active 1',
): Promise<OurServer> {
  const options = (process.env['BENCH_NODE_OPTIONS'] ?? '').split(' ').filter(Boolean);
  const program = wire.server([process.execPath, ...options, join(__dirname, 'boots-dhcp.child.js')], {
    ...{ PUBLIC_IP: wire.address, BENCH_NATS: nats.url, BENCH_CLIENTS: '0' },
    ...settings,
  });
  program.stderr?.pipe(process.stderr);
  const died = once(program, 'exit').then(() => Promise.reject(new Error('boots ended at its start')));
  died.catch(() => undefined);
  try {
    await Promise.race([answers(program, wire, sign), died]);
  } catch (error) {
    await end(program);
    throw error;
  }
  return {
    pids: [program.pid ?? 0, nats.server.pid ?? 0],
    stop: () => end(program),
    async kill() {
      program.kill('SIGKILL');
      await once(program, 'exit');
    },
  };
}

async function answers(program: ChildProcess, wire: Pick<Wire, 'address' | 'client'>, sign: string): Promise<void> {
  if (!program.stdout) throw new Error('boots has no standard output');
  const [line] = (await once(createInterface({ input: program.stdout }), 'line')) as [string];
  const { http } = JSON.parse(line) as { readonly http: number };
  const ended = () => program.exitCode !== null || program.signalCode !== null;
  const isActive = async () =>
    (await outputOf(wire.client(['curl', '-sS', `http://${wire.address}:${http}/metrics`]))).includes(sign);
  while (!ended() && !(await isActive())) await new Promise((resolve) => setTimeout(resolve, 50));
}
