import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { end, type Wire } from './wire';

export interface DhcpServer {
  readonly name: string;
  /** What of a lease is on the disk when its ACK leaves. */
  readonly durability: string;
  /** Starts with no lease known. */
  start(): Promise<Running>;
}

export interface Running {
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

const network = { first: '10.200.1.0', last: '10.200.255.254' };
const leaseSeconds = 4000;

export function peersOn(wire: Wire): readonly DhcpServer[] {
  const peer = (name: string, durability: string, prepare: (folder: string) => Promise<Command>): DhcpServer => ({
    ...{ name, durability },
    start: () => startPeer(wire, name, prepare),
  });
  return [
    peer('kea', 'memfile, in the page cache', (folder) => kea(wire, folder)),
    peer('dnsmasq', 'lease file, in the page cache', (folder) => dnsmasq(wire, folder)),
    peer('isc-dhcpd', 'lease file, fsync before each ACK', (folder) => dhcpd(wire, folder)),
  ];
}

interface Command {
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

async function startPeer(wire: Wire, name: string, prepare: (folder: string) => Promise<Command>): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), `tink-bench-${name}-`));
  await chmod(folder, 0o777);
  const { command, env } = await prepare(folder);
  const program = wire.server(command, env);
  program.stdout?.resume();
  program.stderr?.resume();
  return {
    pids: [program.pid ?? 0],
    async stop() {
      await end(program);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Two threads, as it is advised to have as many as there are cores. */
async function kea(wire: Wire, folder: string): Promise<Command> {
  const config = {
    Dhcp4: {
      'interfaces-config': { interfaces: [wire.interface] },
      'lease-database': { type: 'memfile', persist: true, name: join(folder, 'leases.csv'), 'lfc-interval': 0 },
      'multi-threading': { 'enable-multi-threading': true, 'thread-pool-size': 2, 'packet-queue-size': 64 },
      'valid-lifetime': leaseSeconds,
      subnet4: [{ id: 1, subnet: '10.200.0.0/16', pools: [{ pool: `${network.first} - ${network.last}` }] }],
      loggers: [{ name: 'kea-dhcp4', output_options: [{ output: join(folder, 'log') }], severity: 'ERROR' }],
    },
  };
  const file = join(folder, 'kea.json');
  await writeFile(file, JSON.stringify(config));
  const env = { KEA_LOCKFILE_DIR: folder, KEA_PIDFILE_DIR: folder };
  return { command: ['kea-dhcp4', '-c', file], env };
}

async function dnsmasq(wire: Wire, folder: string): Promise<Command> {
  return {
    command: [
      ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root', '--pid-file='],
      ...[
        '--bind-interfaces',
        `--interface=${wire.interface}`,
        '--log-facility=/dev/null',
        '--no-ping',
        '--quiet-dhcp',
      ],
      ...[`--dhcp-range=${network.first},${network.last},255.255.0.0,${leaseSeconds}`, '--dhcp-lease-max=70000'],
      ...['--dhcp-authoritative', `--dhcp-leasefile=${join(folder, 'leases')}`],
    ],
  };
}

async function dhcpd(wire: Wire, folder: string): Promise<Command> {
  const [config, leases] = [join(folder, 'dhcpd.conf'), join(folder, 'leases')];
  const range = `range ${network.first} ${network.last};`;
  const text = `default-lease-time ${leaseSeconds};\nping-check false;\nauthoritative;\nsubnet 10.200.0.0 netmask 255.255.0.0 { ${range} }\n`;
  await writeFile(config, text);
  await writeFile(leases, '');
  const args = ['-4', '-f', '-q', '-cf', config, '-lf', leases, '-pf', join(folder, 'pid'), wire.interface];
  return { command: ['dhcpd', ...args] };
}
