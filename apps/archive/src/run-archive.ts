import { readFileSync } from 'node:fs';
import { ConfigError, loadConfig } from '@tinkerbell/config';
import { JetStreamEventStore } from '@tinkerbell/event-store';
import { ArchiveConfig } from './archive.config';
import { ArchiveConfigError } from './archive-target';
import { StandaloneConfig } from './standalone.config';
import { startArchive } from './start-archive';
import { serveStatus } from './status-server';

const text = (file: string) => (file === '' ? undefined : readFileSync(file, 'utf8'));
const log = (line: string) => console.error(line);

/** The process: mirrors until SIGTERM, SIGINT or the end of whoever started it, and sets the exit code; 2 is a setting that is wrong. */
export function runArchive(env: NodeJS.ProcessEnv = process.env): void {
  main(env).catch((error: unknown) => {
    log(`archive: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(error instanceof ConfigError || error instanceof ArchiveConfigError ? 2 : 1);
  });
}

async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig(ArchiveConfig, env);
  const own = loadConfig(StandaloneConfig, env);
  const [ca, creds] = [text(own.NATS_CA_FILE), text(own.NATS_CREDS_FILE)];
  const store = await JetStreamEventStore.connect({
    servers: own.NATS_URL,
    name: 'archive',
    ...(ca && { ca }),
    ...(creds && { creds }),
    // Only writers have to insist on it.
    allowLazySync: true,
  });
  const archive = await startArchive(config, { store, log });
  const status = await serveStatus(archive, own.ARCHIVE_HTTP_ADDRESS, own.ARCHIVE_HTTP_PORT);
  log(`archive: /metrics and /healthz on ${own.ARCHIVE_HTTP_ADDRESS}:${status.port}`);

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await status.close();
    await archive.close();
    await store.close();
    process.exit(0);
  };
  for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(event, () => void stop());
  process.send?.({ ready: true, port: status.port });
}
