import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@tinkerbell/config';
import { JetStreamEventStore, openReadModels } from '@tinkerbell/event-store';
import { hardwareList, leaseList } from '@tinkerbell/projections';
import { HegelConfig } from './hegel.config';
import { StandaloneConfig } from './standalone.config';
import { startHegel } from './start-hegel';

const text = (file: string) => (file === '' ? undefined : readFileSync(file, 'utf8'));

async function main(): Promise<void> {
  const config = loadConfig(HegelConfig, process.env);
  const { NATS_URL, NATS_CA_FILE, NATS_CREDS_FILE, HEGEL_DATA_DIR } = loadConfig(StandaloneConfig, process.env);
  const [ca, creds] = [text(NATS_CA_FILE), text(NATS_CREDS_FILE)];
  let fault: string | undefined;
  const store = await JetStreamEventStore.connect({
    servers: NATS_URL,
    name: 'hegel',
    ...(ca && { ca }),
    ...(creds && { creds }),
    // Only writers have to insist on it.
    allowLazySync: true,
    onStatus: ({ type, detail }) => {
      if (type === 'disconnect') fault = `NATS is away: ${detail}`;
      if (type === 'reconnect') fault = undefined;
    },
  });
  const file = join(HEGEL_DATA_DIR, 'hegel.sqlite');
  const read = await openReadModels({ store, file, projections: { hardware: hardwareList, leases: leaseList } });
  const hegel = await startHegel(config, { ...read.models, health: { fault: () => fault } });
  console.log(`hegel: metadata on ${hegel.address}:${hegel.port}`);

  const stop = async (code: number) => {
    await hegel.close();
    await read.close();
    await store.close();
    process.exit(code);
  };
  // Rows that are no longer kept up to date are worse than none: the supervisor starts us anew.
  void read.fault.then((error) => {
    console.error(`hegel: ${error.message}`);
    return stop(1);
  });
  process.once('SIGTERM', () => void stop(0));
  process.once('SIGINT', () => void stop(0));
}

main().catch((error: unknown) => {
  console.error(`hegel: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
