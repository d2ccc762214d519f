import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '@tinkerbell/config';
import { JetStreamEventStore, openReadModels } from '@tinkerbell/event-store';
import { Leadership, LeaseEnds, LeaseImports, NatsBus, PoolRoll } from '@tinkerbell/messaging';
import { hardwareList, workflowList } from '@tinkerbell/projections';
import { BootsConfig } from './boots.config';
import { describeDhcpFile, readDhcpFile } from './dhcp/dhcp-file';
import { streamLogger } from './logger';
import { StandaloneConfig } from './standalone.config';
import { startBoots } from './start-boots';
import { BusMachineLog } from './syslog/bus-machine-log';

const text = async (file: string) => (file === '' ? undefined : readFile(file, 'utf8'));

async function settings() {
  const alone = loadConfig(StandaloneConfig, process.env);
  const ca = await text(alone.TINK_CA_FILE);
  const config = loadConfig(BootsConfig, {
    ...(ca && { TINK_CA_SHA256: createHash('sha256').update(new X509Certificate(ca).raw).digest('hex') }),
    ...process.env,
  });
  return { alone, ca, config };
}

/** boots as a process of its own, against a NATS server that somebody else runs. */
async function main(): Promise<void> {
  const { alone, ca, config } = await settings();
  const [creds, systemCreds] = await Promise.all([alone.NATS_CREDS_FILE, alone.NATS_SYSTEM_CREDS_FILE].map(text));
  const log = streamLogger(process.stderr, alone.BOOTS_LOG_LEVEL);
  const server = { servers: alone.NATS_URL, ...(ca && { ca }) };
  const bus = await NatsBus.connect({
    ...server,
    name: 'boots',
    ...(creds && { creds }),
    onStatus: ({ type, detail }) => log.info(`NATS ${type}: ${detail}`),
  });
  const store = await JetStreamEventStore.fromConnection(bus.connection, {
    ...server,
    ...(systemCreds && { systemCreds }),
    allowLazySync: alone.TINK_ALLOW_LAZY_SYNC === 'on',
    log: (line) => log.info(line),
  });
  const file = join(alone.BOOTS_DATA_DIR, 'boots.sqlite');
  const rows = await openReadModels({ store, file, projections: { hardware: hardwareList, workflows: workflowList } });
  const { hardware, workflows } = rows.models;
  const version = process.env['TINK_VERSION'] ?? '0.1.0';
  const machineLog = new BusMachineLog(bus);
  const leadership = new Leadership(bus.connection, { log: (line) => log.debug(line) });
  const roll = new PoolRoll(bus.connection);
  const imports = new LeaseImports(bus.connection);
  const ends = new LeaseEnds(bus.connection);
  const leaseFolder = alone.BOOTS_DATA_DIR;
  const ports = { store, hardware, workflows, machineLog, leadership, roll, imports, ends, leaseFolder, version, log };
  const boots = await startBoots(config, ports);
  const { address, dhcp, tftp, http, syslog } = boots;
  const bound = `DHCP ${dhcp?.port ?? 'off'}, TFTP ${tftp.port}, HTTP ${http.port}, syslog ${syslog?.port ?? 'off'}`;
  log.info(`ready on ${address}: ${bound}`);

  const stop = async (code: number) => {
    await boots.close();
    await rows.close();
    await store.close();
    await bus.close();
    process.exit(code);
  };
  // With rows that are no longer kept up to date we would boot machines by yesterday's records: the supervisor starts us anew.
  void rows.fault.then((error) => {
    log.error(error.message);
    return stop(1);
  });
  process.once('SIGTERM', () => void stop(0));
  process.once('SIGINT', () => void stop(0));
}

/** `--check`: are the settings and the DHCP file right? Starts nothing, and asks nobody. */
async function check(): Promise<void> {
  const { BOOTS_DHCP_FILE } = (await settings()).config;
  const lines = BOOTS_DHCP_FILE === '' ? [] : describeDhcpFile(await readDhcpFile(BOOTS_DHCP_FILE));
  process.stdout.write(['the settings are right', ...lines, ''].join('\n'));
}

const asked = process.argv.slice(2);
if (asked.length > 0 && asked.join(' ') !== '--check') {
  process.stderr.write('usage: boots [--check]\nSettings come from the environment: docs/settings.md.\n');
  process.exit(2);
}
(asked.length > 0 ? check() : main()).catch((error: unknown) => {
  process.stderr.write(`boots: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
