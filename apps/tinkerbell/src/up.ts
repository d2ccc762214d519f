import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ArchiveConfig, startArchiveProcess } from '@tinkerbell/archive';
import { BootsConfig, BusMachineLog, ownAddresses, startBoots, streamLogger } from '@tinkerbell/boots';
import { loadConfig } from '@tinkerbell/config';
import { BusLogs, DashboardConfig, startDashboard } from '@tinkerbell/dashboard';
import { HegelConfig, startHegel } from '@tinkerbell/hegel';
import { ensurePki } from '@tinkerbell/identity';
import { Leadership, LeaseEnds, LeaseImports, PoolRoll } from '@tinkerbell/messaging';
import { fillRegistry, startRegistry } from '@tinkerbell/registry';
import { pairOf, startTinkServer, TinkServerConfig } from '@tinkerbell/tink-server';
import { openDataFolder, type DataFolder, type Secrets } from './data-folder';
import { registryLineMatters } from './log-lines';
import { nameInOsie, startPlatform, type Platform } from './platform';
import { Renewal } from './renewal';
import { openSecondDoor } from './second-door';
import { bootsSource, checkSettings, dashboardSource, hegelSource, serverSource } from './settings';
import type { Stack } from './stack';
import type { TinkerbellConfig } from './tinkerbell.config';

/** Where everything answers. */
export interface Addresses {
  /** REST, for the CLI. */
  readonly server: string;
  readonly grpc: string;
  /** Boot scripts, OSIE, images. */
  readonly http: string;
  /** The same, with --https-boot. */
  readonly https?: string;
  readonly hegel: string;
  readonly dashboard: string;
  readonly nats: string;
  readonly registry: string;
  /** Settings that `tink` reads. */
  readonly cliConfig: string;
  readonly data: string;
}

export interface Up {
  readonly addresses: Addresses;
  /** Resolves with why the process cannot go on. */
  readonly fault: Promise<Error>;
}

/** What the process around it gives. */
export interface Surroundings {
  readonly version: string;
  /** Settings of the single services by their own names, e.g. TRUSTED_PROXIES; what `tinkerbell up` decides itself goes before them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stack: Stack;
  readonly log: (line: string) => void;
}

interface Context extends Surroundings {
  readonly config: Readonly<TinkerbellConfig>;
  readonly address: string;
  readonly data: DataFolder;
  readonly secrets: Secrets;
  readonly platform: Platform;
}

/** Starts the whole provisioner; everything that was started is on the stack, also when a later part fails. */
export async function up(config: Readonly<TinkerbellConfig>, address: string, around: Surroundings): Promise<Up> {
  const { stack, log } = around;
  await checkSettings({ ...around, config, address });
  const data = await openDataFolder(config.DATA);
  stack.push('data folder', () => data.release());
  const secrets = await data.secrets();
  const platform = await startPlatform(config, address, data, stack, log);
  const context: Context = { ...around, config, address, data, secrets, platform };
  await runArchive(context);

  const registry = await runRegistry(context);
  platform.renewal.watch();
  stack.push('certificates', () => platform.renewal.close());
  const server = await runServer(context, registry);
  const boots = await runBoots(context, server);
  const { hardware, leases } = platform.rows.models;
  const health = { fault: () => platform.nats.problem() };
  const hegel = await startHegel(loadConfig(HegelConfig, hegelSource(context)), { hardware, leases, health });
  stack.push('hegel', () => hegel.close());
  const dashboard = await runDashboard(context);

  const url = (scheme: string, port: number) => `${scheme}://${address}:${port}`;
  const cliConfig = await data.write(
    'cli.json',
    `${JSON.stringify(
      {
        server: url('https', server.https.port),
        ca: platform.pki.files.ca,
        caSha256: platform.pki.caSha256,
        ...secrets.admin,
      },
      null,
      2,
    )}\n`,
  );
  return {
    fault: platform.rows.fault,
    addresses: {
      server: url('https', server.https.port),
      grpc: `${config.GRPC_HOST}:${server.grpc.port}`,
      http: boots.http.port === 80 ? `http://${address}` : url('http', boots.http.port),
      ...(boots.https && { https: url('https', boots.https.port) }),
      hegel: url('http', hegel.port),
      dashboard: dashboard.url,
      nats: platform.nats.url,
      registry,
      cliConfig,
      data: data.path,
    },
  };
}

/** Returns the address that workers pull from. */
async function runRegistry({ config, address, data, secrets, platform, stack, log }: Context): Promise<string> {
  const registry = await startRegistry({
    dataDir: await data.folder('registry'),
    host: address,
    port: config.REGISTRY_PORT,
    tls: platform.pki.files,
    account: secrets.registry,
    onLog: (line) => {
      if (config.DEBUG || registryLineMatters(line)) log(`registry: ${line}`);
    },
    onExit: (reason) => log(`registry ended, it is started again: ${reason}`),
  });
  stack.push('registry', () => registry.stop());
  if (config.IP6 !== '') {
    const door = { host: config.IP6, port: registry.port };
    stack.push('registry by IPv6', await openSecondDoor('the image registry', door, { ...door, host: address }));
  }
  if (!existsSync(join(config.ACTIONS_DIR, 'index.json'))) {
    log(`registry: no action images at ${config.ACTIONS_DIR}; node infra/actions/build.mjs makes them`);
  }
  const filled = await fillRegistry(registry.access, config.ACTIONS_DIR);
  for (const { name, digest, pushed } of filled) {
    if (pushed) log(`registry: ${name} ${digest.slice(0, 19)}`);
  }
  // Workers of an earlier run have the account too: from here on nobody writes.
  await registry.seal(filled);
  platform.renewal.add({ name: 'registry', showAgain: () => registry.restart() });
  return registry.address;
}

async function runServer(context: Context, registry: string) {
  const { config, data, secrets, platform, stack, version } = context;
  const { store, bus, pki, identity, secretsKey, auditKey, rows, nats } = platform;
  const found = {
    TINK_AUTH_USERNAME: secrets.admin.username,
    TINK_AUTH_PASSWORD: secrets.admin.password,
    TINK_REGISTRY_ADDRESS: registry,
    TINK_REGISTRY_USERNAME: secrets.registry.username,
    TINK_REGISTRY_PASSWORD: secrets.registry.password,
    TINK_WORKER_NATS_URL: nats.url,
    ...(config.IP6 === ''
      ? {}
      : {
          TINK_WORKER_NATS_URL6: `tls://[${config.IP6}]:${nats.port}`,
          TINK_REGISTRY_ADDRESS6: `${nameInOsie}${registry.slice(registry.lastIndexOf(':'))}`,
        }),
    TINK_DATA_DIR: join(data.path, 'rows'),
  };
  const server = await startTinkServer(loadConfig(TinkServerConfig, serverSource(context, found)), {
    store,
    bus,
    pki,
    certificateFiles: { read: pairOf(pki.files) },
    credentials: identity,
    secretsKey,
    auditKey,
    readModels: rows,
    version,
  });
  stack.push('tink-server', () => server.close());
  return server;
}

/** A process of its own, so that nothing that happens there is felt here. */
async function runArchive({ env, platform, stack, log }: Context): Promise<void> {
  const { TINK_ARCHIVE_KURRENTDB_URL: url } = loadConfig(ArchiveConfig, env);
  if (url === '') return;
  const { nats, pki, identity } = platform;
  const login = { NATS_URL: nats.url, NATS_CA_FILE: pki.files.ca, NATS_CREDS_FILE: identity.engineCredsFile };
  const archive = await startArchiveProcess({
    file: join(__dirname, 'archive-child.js'),
    env: { ...env, ...login },
    log,
  });
  stack.push('archive', () => archive.stop());
}

async function runBoots(context: Context, server: Awaited<ReturnType<typeof runServer>>) {
  const { config, address, data, platform, stack, version } = context;
  const plain = bootsSource(context, {
    TINK_SERVER_URL: `https://${address}:${server.https.port}`,
    TINK_CERT_URL: `http://${address}:${server.http.port}/cert`,
    ...(config.IP6 === ''
      ? {}
      : {
          TINK_SERVER_URL6: `https://[${config.IP6}]:${server.https.port}`,
          TINK_CERT_URL6: `http://[${config.IP6}]:${server.http.port}/cert`,
        }),
    TINK_CA_SHA256: platform.pki.caSha256,
  });
  const own = ownAddresses(loadConfig(BootsConfig, plain));
  const https = config.HTTPS_BOOT ? await httpsSettings(context, own) : {};
  const settings = loadConfig(BootsConfig, { ...plain, ...https });
  tellOfMissing(config, context.log);
  const { hardware, workflows } = platform.rows.models;
  const log = streamLogger(process.stderr, config.DEBUG ? 'debug' : 'info');
  const boots = await startBoots(settings, {
    store: platform.store,
    hardware,
    workflows,
    machineLog: new BusMachineLog(platform.bus),
    leadership: new Leadership(platform.bus.connection, { log: (line) => log.debug(line) }),
    roll: new PoolRoll(platform.bus.connection),
    imports: new LeaseImports(platform.bus.connection),
    ends: new LeaseEnds(platform.bus.connection),
    leaseFolder: await data.folder('rows'),
    version,
    log,
  });
  stack.push('boots', () => boots.close());
  return boots;
}

/** Nothing of it is needed to start; machines that ask for it get nothing. */
function tellOfMissing({ OSIE_DIR, IPXE_DIR }: TinkerbellConfig, log: (line: string) => void): void {
  if (!existsSync(OSIE_DIR)) log(`boots: no in-memory OS at ${OSIE_DIR}; node infra/osie/build.mjs makes it`);
  if (!IPXE_DIR.split(':').some((folder) => existsSync(folder))) {
    log(`boots: no network boot programs at ${IPXE_DIR}; npm run setup fetches them`);
  }
}

/** The site's own certificate, else one of an authority that is for firmware alone: RSA, which is what firmware knows. */
async function httpsSettings({ config, data, env, stack, log }: Context, ips: readonly string[]) {
  const on = { BOOTS_HTTPS: true, BOOTS_HTTPS_PORT: config.HTTPS_PORT };
  if (env['BOOTS_HTTPS_CERT_FILE'] || env['BOOTS_HTTPS_KEY_FILE']) return on;
  const folder = await data.folder('pki/boot');
  const ensure = () => ensurePki(folder, { ips, names: [] }, new Date(), 'rsa');
  const pki = await ensure();
  const renewal = new Renewal(pki, ensure, log);
  renewal.watch();
  stack.push('certificate for firmware', () => renewal.close());
  return { ...on, BOOTS_HTTPS_CERT_FILE: pki.files.cert, BOOTS_HTTPS_KEY_FILE: pki.files.key };
}

async function runDashboard(context: Context) {
  const { platform, stack } = context;
  const { machines, workflows, hardware, leases, pools, dhcpServers } = platform.rows.models;
  const dashboard = await startDashboard(loadConfig(DashboardConfig, dashboardSource(context)), {
    ...{ machines, workflows, hardware, leases, pools, dhcpServers },
    ...{ logs: new BusLogs(platform.bus), events: platform.store },
  });
  stack.push('dashboard', () => dashboard.close());
  return dashboard;
}
