import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { EventStore, ReadModel } from '@tinkerbell/event-store';
import type { LeaseEnds, LeaseImports, PoolRoll } from '@tinkerbell/messaging';
import type { HardwareRow, WorkflowRow } from '@tinkerbell/projections';
import { BootPrograms } from './boot-programs';
import type { BootsConfig } from './boots.config';
import { BootsModule } from './boots.module';
import { Callers } from './callers';
import type { ClientClass } from './dhcp/client-class';
import { DhcpDesk } from './dhcp/dhcp-desk';
import { type DhcpFile, readDhcpFile } from './dhcp/dhcp-file';
import type { DhcpFileWatch } from './dhcp/dhcp-file-watch';
import { DhcpListener } from './dhcp/dhcp.listener';
import { mayProxy } from './dhcp/dhcp-mode';
import { LiveRules } from './dhcp/live-rules';
import { OtherServers } from './dhcp/other-servers';
import { ServerInquiry } from './dhcp/server-inquiry';
import { deafToProbes, ServerProbe } from './dhcp/server-probe';
import { PoolDesk } from './dhcp/pool-desk';
import { NoProbe } from './dhcp/probe';
import { openProbe } from './dhcp/ping-probe';
import { watchDhcpFile } from './dhcp/watch-dhcp-file';
import { Dhcp6Desk } from './dhcp6/dhcp6-desk';
import { Dhcp6Listener } from './dhcp6/dhcp6.listener';
import { liveRules6 } from './dhcp6/live-rules6';
import { countedPools, type Subnet6 } from './dhcp6/subnet6';
import { Upkeep6 } from './dhcp6/upkeep6';
import { DiscoveryDesk } from './discovery/discovery-desk';
import { ImageCache } from './files/image-cache';
import { SharedFiles } from './files/shared-files';
import { ConnectionLimits } from './http/connection-limits';
import { FileDesk } from './http/file-desk';
import { readTls } from './http/https-files';
import { openOtherDoors } from './http/other-doors';
import { Status } from './http/status';
import { NetRoots } from './ipxe/net-roots';
import { ScriptDesk } from './ipxe/script-desk';
import { IsoDesk } from './iso/iso-desk';
import { LoaderFiles } from './loaders/loader-files';
import { BootLog } from './log/boot-log';
import { Lease6Pool } from './log/lease6-pool';
import { LogClock } from './log/log-clock';
import { LeasePool } from './log/lease-pool';
import type { PoolPost } from './log/pool-terms';
import { type Logger, silentLogger } from './logger';
import { openEnds } from './ends/open-ends';
import { openImports } from './imports/open-imports';
import { Machines } from './machines';
import { Metrics } from './metrics';
import { nativeBatch, nativeSendfile } from './native-parts';
import { ownAddresses, settingsAt } from './own-addresses';
import { Overheard } from './overheard';
import { PhoneHomeDesk } from './phone-home/phone-home-desk';
import { Advertising } from './ra/advertising';
import { advertisedLinks } from './ra/radvd-config';
import { FailedRequests } from './recorder/failed-requests';
import { Strangers } from './recorder/strangers';
import { ServedFiles } from './served-files';
import {
  asksForServers,
  type BoundPorts,
  cacheSettings,
  dhcp6Ports,
  dhcp6Settings,
  dhcpModes,
  dhcpPorts,
  dhcpSettings,
  httpLimits,
  modeOf,
  scriptSettings,
  subnets6,
} from './settings';
import type { MachineLog } from './syslog/machine-log';
import { openSyslog } from './syslog/open-syslog';
import { openTftp } from './tftp/open-tftp';
import type { NativeBatch } from './udp/native-batch';

export interface BootsPorts {
  readonly store: EventStore;
  readonly hardware: ReadModel<HardwareRow>;
  readonly workflows: ReadModel<WorkflowRow>;
  /** Where syslog of machines goes; without, none is taken. */
  readonly machineLog?: MachineLog;
  /** Several instances share a pool by it; without, this one is alone. */
  readonly leadership?: PoolPost['leadership'];
  /** Where it answers who asks which boots there are; without, nowhere. */
  readonly roll?: Pick<PoolRoll, 'answer'>;
  /** Where leases of other servers come from; without, nowhere. */
  readonly imports?: Pick<LeaseImports, 'answer'>;
  /** Where it is told which leases an operator ends; without, nowhere. */
  readonly ends?: Pick<LeaseEnds, 'answer'>;
  /** Where the leases lie for the next start; without, it reads them all from the log. */
  readonly leaseFolder?: string;
  readonly version?: string;
  readonly log?: Logger;
  readonly clock?: () => Date;
}

export interface RunningBoots {
  readonly address: string;
  /** Ports really bound; `dhcp` is undefined when another server does it. */
  readonly dhcp: { readonly port: number } | undefined;
  readonly dhcp6: { readonly port: number } | undefined;
  readonly tftp: { readonly port: number };
  readonly http: { readonly port: number };
  readonly https: { readonly port: number } | undefined;
  /** undefined: not taken, or another program has the port. */
  readonly syslog: { readonly port: number } | undefined;
  readonly metrics: Metrics;
  close(): Promise<void>;
}

/** Everything that boots consists of, without the sockets. */
interface Parts {
  readonly machines: Machines;
  readonly leases: LeasePool;
  readonly modes: LiveRules;
  /** As it was at the start; undefined: there is none. */
  readonly dhcpFile: DhcpFile | undefined;
  /** Known once DHCP is answered. */
  readonly fileWatch: { current: DhcpFileWatch | undefined };
  /** undefined: no DHCPv6 here. */
  readonly leases6: Lease6Pool | undefined;
  readonly subnets6: readonly Subnet6[];
  readonly classes: readonly ClientClass[];
  readonly boots: BootLog;
  readonly callers: Callers;
  readonly overheard: Overheard;
  readonly programs: BootPrograms;
  readonly files: SharedFiles;
  readonly cache: ImageCache;
  readonly strangers: Strangers;
  readonly served: ServedFiles;
  readonly failed: FailedRequests;
  readonly scripts: ScriptDesk;
  readonly loaders: LoaderFiles;
  /** Part of the scripts, and known only once bound. */
  readonly ports: { http: number; syslog: number | undefined };
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: () => Date;
}

/** Answers machines until closed. What is opened is closed again when a later step fails. */
export async function startBoots(config: BootsConfig, ports: BootsPorts): Promise<RunningBoots> {
  const parts = await assemble(config, ports);
  const closers: (() => Promise<void>)[] = [
    () => parts.leases.close(),
    async () => parts.leases6?.close(),
    () => parts.failed.close(),
    () => parts.cache.close(),
  ];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    for (const pool of [parts.leases, parts.leases6]) {
      const leave = pool && ports.roll?.answer(() => ({ ...pool.role, address: config.PUBLIC_IP }));
      closers.push(() => Promise.resolve(leave?.()));
    }
    const http = await openHttp(config, ports, parts);
    closers.push(http.close);
    const native = await nativeBatch(config, parts.log);
    const tftpPort = await openTftp(config, parts, native, closers);
    const advertising = await advertise(config, parts, closers);
    const syslogPort = await openSyslog(config, ports.machineLog, parts, closers);
    parts.ports.syslog = syslogPort;
    const bound = { tftp: tftpPort, http: http.port, https: http.httpsPort, syslog: syslogPort };
    // Last: what the replies promise is there by now.
    const dhcp = config.BOOTS_DHCP ? await openDhcp(config, parts, bound, native, closers) : undefined;
    const dhcp6 = await openDhcp6(config, parts, bound, closers);
    const watch = watchDhcpFile(config, parts, { dhcp, change6: dhcp6?.change, advertising });
    if (watch) closers.push(() => watch.close());
    parts.fileWatch.current = watch;
    if (ports.imports) closers.push(openImports(ports.imports, parts, dhcp?.pools, dhcp6?.subnets));
    if (ports.ends) closers.push(openEnds(ports.ends, parts, dhcp?.pools, dhcp6?.subnets));
    return {
      address: config.PUBLIC_IP,
      dhcp: dhcp && { port: dhcp.port },
      dhcp6: dhcp6 && { port: dhcp6.port },
      tftp: { port: tftpPort },
      http: { port: http.port },
      https: http.httpsPort === undefined ? undefined : { port: http.httpsPort },
      syslog: syslogPort === undefined ? undefined : { port: syslogPort },
      ...{ metrics: parts.metrics, close },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function assemble(config: BootsConfig, ports: BootsPorts): Promise<Parts> {
  const { store, log = silentLogger } = ports;
  const metrics = new Metrics();
  const logClock = new LogClock(ports.clock ?? (() => new Date()), { log, metrics });
  const clock = logClock.now;
  const machines = new Machines(ports.hardware, ports.workflows);
  const { leadership, leaseFolder } = ports;
  const [address = ''] = ownAddresses(config);
  const pool = config.BOOTS_POOL;
  const dhcpFile = config.BOOTS_DHCP_FILE === '' ? undefined : await readDhcpFile(config.BOOTS_DHCP_FILE);
  const { file } = dhcpFile ?? {};
  const networks6 = config.BOOTS_DHCP6 ? subnets6(config, file?.subnets6) : [];
  const post = leadership && { leadership, address, log, clock: logClock };
  const saved = leaseFolder === undefined ? undefined : { folder: leaseFolder, log };
  const leases = await LeasePool.open(store, pool, { post, saved });
  const pools = countedPools(networks6);
  const leases6 = config.BOOTS_DHCP6 ? await Lease6Pool.open(store, pool, { pools, post, saved }) : undefined;
  const boots = new BootLog(store, clock);
  const strangers = new Strangers(boots, clock);
  const modes = new LiveRules(dhcpModes(config, file));
  const byReservation = (address: string) => !['reservation', 'pool'].includes(modeOf(config, modes, address));
  const overheard = new Overheard(clock);
  const callers = new Callers(machines, leases, leases6, clock, byReservation, overheard);
  const failed = new FailedRequests({ machines, boots, metrics, log, clock });
  const own: Parts['ports'] = { http: config.BOOTS_HTTP_PORT, syslog: undefined };
  const roots = new NetRoots(config.BOOTS_OSIE_DIR);
  const scripts = new ScriptDesk({ machines, callers, overheard, boots, roots, failed, log, clock }, (address) =>
    scriptSettings(config, own, address, modes),
  );
  const folders = { osie: config.BOOTS_OSIE_DIR, raspberry: config.BOOTS_RASPBERRY_DIR };
  const programs = new BootPrograms(config.BOOTS_IPXE_DIR);
  return {
    ...{
      machines,
      leases,
      leases6,
      modes,
      boots,
      callers,
      overheard,
      failed,
      ports: own,
      scripts,
      metrics,
      log,
      clock,
    },
    ...{ subnets6: networks6, classes: file?.classes ?? [] },
    ...{ dhcpFile, fileWatch: { current: undefined } },
    loaders: new LoaderFiles(folders, programs, callers, scripts),
    programs,
    files: new SharedFiles(undefined, await nativeSendfile(config, log)),
    cache: await ImageCache.open(cacheSettings(config), metrics, log),
    strangers,
    served: new ServedFiles(boots, strangers, metrics, log),
  };
}

async function openHttp(config: BootsConfig, ports: BootsPorts, parts: Parts) {
  const { machines, callers, boots, programs, files, cache, metrics, log } = parts;
  const folders = { osie: config.BOOTS_OSIE_DIR, images: config.BOOTS_IMAGES_DIR };
  const { scripts } = parts;
  const tls = await readTls(config, parts.clock(), log);
  const iso = new IsoDesk(parts, (address) =>
    scriptSettings(config, parts.ports, address === '' ? config.PUBLIC_IP : address, parts.modes),
  );
  const limits = new ConnectionLimits(httpLimits(config), callers, metrics);
  const app = await NestFactory.create<NestExpressApplication>(
    BootsModule.with({
      ...{ scripts, iso },
      files: new FileDesk(folders, programs, { shared: files, cache }, callers, parts),
      phoneHome: new PhoneHomeDesk(callers, boots, parts.strangers, log),
      discovery: new DiscoveryDesk(machines, boots, log, parts.clock),
      status: new Status(ports.version ?? 'unknown', { ...parts, dhcpFile: parts.fileWatch }, metrics, () =>
        probe(ports.store),
      ),
      ...{ callers, failed: parts.failed, limits, metrics, log },
    }),
    { logger: ['error', 'warn'], abortOnError: false, bodyParser: false },
  );
  app.disable('x-powered-by');
  limits.watch(app.getHttpServer());
  const server = await app.listen(config.BOOTS_HTTP_PORT, config.BOOTS_HTTP_ADDRESS);
  const { port } = server.address() as AddressInfo;
  parts.ports.http = port;
  const doors = await openOtherDoors(config, server, port, { ...parts, limits }, tls).catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  return {
    port,
    httpsPort: doors.https?.port,
    close: async () => {
      doors.close();
      server.closeAllConnections();
      await app.close();
      await iso.close();
    },
  };
}

async function openDhcp(
  config: BootsConfig,
  parts: Parts,
  bound: BoundPorts,
  native: NativeBatch | undefined,
  closers: (() => Promise<void>)[],
) {
  const { modes, metrics, log } = parts;
  const own = ownAddresses(config);
  const pools = await openPools(parts, own, closers);
  const others = new OtherServers(parts, own);
  const listeners: DhcpListener[] = [];
  const opened: number[] = [];
  for (const address of own) {
    const at = settingsAt(config, address);
    const desk = new DhcpDesk({ ...parts, others }, dhcpSettings(at, bound, modes), pools);
    const ports = dhcpPorts(at, native, own.length === 1);
    const listener = new DhcpListener(deafToProbes(desk), ports, metrics, log);
    closers.push(() => listener.close());
    opened.push(await listener.open());
    if (mayProxy(modes)) await listener.openPxe();
    listeners.push(listener);
  }
  const wires = own.map((address) => {
    const isOurs = () => asksForServers(settingsAt(config, address), modes);
    return { probe: new ServerProbe(address, log), isOurs };
  });
  const inquiry = new ServerInquiry(wires, parts.leases, others);
  inquiry.open();
  closers.push(() => Promise.resolve(inquiry.close()));
  return { port: opened[0] ?? 0, pools, listeners, inquiry };
}

async function openPools(parts: Parts, own: readonly string[], closers: (() => Promise<void>)[]): Promise<PoolDesk> {
  const mayHavePools = parts.dhcpFile !== undefined;
  const probe = mayHavePools ? await openProbe(parts) : new NoProbe();
  closers.push(() => probe.close());
  const pools = new PoolDesk({ ...parts, probe, own }, parts.modes);
  closers.push(() => pools.close());
  await pools.open();
  return pools;
}

async function advertise(
  { BOOTS_RA_INTERFACE, BOOTS_RADVD }: BootsConfig,
  { subnets6, log }: Parts,
  closers: (() => Promise<void>)[],
): Promise<Advertising> {
  const find = (subnets: readonly Subnet6[]) => advertisedLinks(subnets, BOOTS_RA_INTERFACE, networkInterfaces());
  const advertising = new Advertising(subnets6, find, BOOTS_RADVD, log);
  closers.push(() => advertising.close());
  await advertising.open();
  return advertising;
}

async function openDhcp6(
  config: BootsConfig,
  { leases6, subnets6, ...parts }: Parts,
  bound: BoundPorts,
  closers: (() => Promise<void>)[],
) {
  if (!leases6) return undefined;
  const desk = new Dhcp6Desk({ ...parts, leases: leases6 }, dhcp6Settings(config, bound, subnets6, parts.classes));
  const listener = new Dhcp6Listener(desk, dhcp6Ports(config), parts.metrics, parts.log);
  closers.push(() => listener.close());
  const port = await listener.open();
  const upkeep = new Upkeep6({ ...parts, leases: leases6 }, subnets6);
  upkeep.open();
  closers.push(() => upkeep.close());
  return { port, change: liveRules6(leases6, desk, upkeep), subnets: () => desk.subnets };
}

async function probe(store: EventStore): Promise<string | undefined> {
  try {
    await store.lastPosition();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
