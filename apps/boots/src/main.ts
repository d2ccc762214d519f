import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '@tinkerbell/config';
import { JetStreamEventStore, openReadModels } from '@tinkerbell/event-store';
import { hardwareList, workflowList } from '@tinkerbell/projections';
import { BootsConfig } from './boots.config';
import { streamLogger } from './logger';
import { StandaloneConfig } from './standalone.config';
import { startBoots } from './start-boots';

const text = async (file: string) => (file === '' ? undefined : readFile(file, 'utf8'));

/** boots as a process of its own, against a NATS server that somebody else runs. */
async function main(): Promise<void> {
  const alone = loadConfig(StandaloneConfig, process.env);
  const [ca, creds, systemCreds] = await Promise.all(
    [alone.TINK_CA_FILE, alone.NATS_CREDS_FILE, alone.NATS_SYSTEM_CREDS_FILE].map(text),
  );
  const config = loadConfig(BootsConfig, {
    ...(ca && { TINK_CA_SHA256: createHash('sha256').update(new X509Certificate(ca).raw).digest('hex') }),
    ...process.env,
  });
  const log = streamLogger(process.stderr, alone.BOOTS_LOG_LEVEL === 'debug');
  const store = await JetStreamEventStore.connect({
    servers: alone.NATS_URL,
    name: 'boots',
    ...(ca && { ca }),
    ...(creds && { creds }),
    ...(systemCreds && { systemCreds }),
    allowLazySync: alone.TINK_ALLOW_LAZY_SYNC === 'on',
    onStatus: ({ type, detail }) => log.info(`NATS ${type}: ${detail}`),
    log: (line) => log.info(line),
  });
  const file = join(alone.BOOTS_DATA_DIR, 'boots.sqlite');
  const rows = await openReadModels({ store, file, projections: { hardware: hardwareList, workflows: workflowList } });
  const { hardware, workflows } = rows.models;
  const version = process.env['TINK_VERSION'] ?? '0.1.0';
  const boots = await startBoots(config, { store, hardware, workflows, version, log });
  const { address, dhcp, tftp, http } = boots;
  log.info(`ready on ${address}: DHCP ${dhcp?.port ?? 'off'}, TFTP ${tftp.port}, HTTP ${http.port}`);

  const stop = async (code: number) => {
    await boots.close();
    await rows.close();
    await store.close();
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

main().catch((error: unknown) => {
  process.stderr.write(`boots: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
