import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { macOf, reservedAddress } from './clients';
import { startPostgres } from './postgres';
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

/** Of the pool. */
export const network = { first: '10.200.1.0', last: '10.200.255.254' };
const leaseSeconds = 4000;

type Prepare = (folder: string) => Promise<Command>;

function peer(wire: Wire, name: string, durability: string, prepare: Prepare): DhcpServer {
  return { name, durability, start: () => startPeer(wire, prepare) };
}

const pageCache = 'memfile, in the page cache';

/** Each with one pool. */
export function peersOn(wire: Wire): readonly DhcpServer[] {
  return [
    peer(wire, 'kea', pageCache, (folder) => kea(wire, folder, memfile(folder), poolOfKea)),
    peer(wire, 'kea-postgresql', 'PostgreSQL, fsync before each ACK', (folder) => keaOnPostgres(wire, folder)),
    peer(wire, 'dnsmasq', 'lease file, in the page cache', (folder) => dnsmasq(wire, folder)),
    peer(wire, 'isc-dhcpd', 'lease file, fsync before each ACK', (folder) => dhcpd(wire, folder)),
  ];
}

/** With a reservation for each client, as boots has a hardware record. */
export function reservingPeer(wire: Wire, clients: number): DhcpServer {
  const reservations = Array.from({ length: clients }, (_, client) => ({
    ...{ 'hw-address': macOf(client), 'ip-address': reservedAddress(client) },
  }));
  const subnet = { reservations, 'reservations-in-subnet': true, 'reservations-out-of-pool': true };
  return peer(wire, 'kea, reservations', pageCache, (folder) => kea(wire, folder, memfile(folder), subnet));
}

interface Command {
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Where its leases are, when that is a server of its own. */
  readonly database?: { readonly pid: number; stop(): Promise<void> };
}

async function startPeer(wire: Wire, prepare: Prepare): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'tink-bench-peer-'));
  await chmod(folder, 0o777);
  const { command, env, database } = await prepare(folder);
  const program = wire.server(command, env);
  program.stdout?.resume();
  program.stderr?.resume();
  return {
    pids: [program.pid ?? 0, ...(database ? [database.pid] : [])],
    async stop() {
      await end(program);
      await database?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface LeaseDatabase {
  readonly settings: object;
  readonly threads: number;
  /** Messages that wait for a thread. */
  readonly queue: number;
}

/** As many threads as there are cores. */
const memfile = (folder: string): LeaseDatabase => ({
  settings: { type: 'memfile', persist: true, name: join(folder, 'leases.csv'), 'lfc-interval': 0 },
  ...{ threads: 2, queue: 64 },
});

/** More threads than cores: each waits for its own commit. 8 and 88 are what Kea's manual has for PostgreSQL. */
async function keaOnPostgres(wire: Wire, folder: string): Promise<Command> {
  const database = await startPostgres(folder, '/usr/share/kea/scripts/pgsql/dhcpdb_create.pgsql');
  const settings = { type: 'postgresql', host: database.socket, name: database.name, user: database.user };
  return { ...(await kea(wire, folder, { settings, threads: 8, queue: 88 }, poolOfKea)), database };
}

const poolOfKea = { pools: [{ pool: `${network.first} - ${network.last}` }] };

async function kea(
  wire: Wire,
  folder: string,
  { settings, threads, queue }: LeaseDatabase,
  subnet: object,
): Promise<Command> {
  const config = {
    Dhcp4: {
      'interfaces-config': { interfaces: [wire.interface] },
      'lease-database': settings,
      'multi-threading': { 'enable-multi-threading': true, 'thread-pool-size': threads, 'packet-queue-size': queue },
      'valid-lifetime': leaseSeconds,
      'host-reservation-identifiers': ['hw-address'],
      subnet4: [{ id: 1, subnet: '10.200.0.0/16', ...subnet }],
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
