import 'reflect-metadata';
import { readFile } from 'node:fs/promises';
import { ServerLogger } from './log';
import { loadConfig } from '@tinkerbell/config';
import { JetStreamEventStore } from '@tinkerbell/event-store';
import { ensureAuditKey, ensureNatsIdentity, ensureSecretsKey } from '@tinkerbell/identity';
import { NatsBus } from '@tinkerbell/messaging';
import { ensureStreams } from '@tinkerbell/nats';
import { startTinkServer } from './start-tink-server';
import { StandaloneConfig } from './standalone.config';
import { pairOf } from './tls/served-certificate';

/** tink-server as a process of its own, against a NATS server that somebody else runs. */
async function main(): Promise<void> {
  const config = loadConfig(StandaloneConfig, process.env);
  const logger = new ServerLogger('tink-server');
  const [ca, cert, key] = await Promise.all([
    readFile(config.TINK_CA_FILE, 'utf8'),
    readFile(config.TINK_CERT_FILE, 'utf8'),
    readFile(config.TINK_KEY_FILE, 'utf8'),
  ]);
  const identity = await ensureNatsIdentity(config.TINK_IDENTITY_DIR);
  const secretsKey = await ensureSecretsKey(config.TINK_IDENTITY_DIR);
  const nats = { servers: config.NATS_URL, ca };
  const onStatus = ({ type, detail }: { type: string; detail: string }) => {
    if (type !== 'pingTimer') logger.log(`NATS ${type}: ${detail}`);
  };
  const bus = await NatsBus.connect({ ...nats, creds: identity.engineCreds, name: 'tink-server', onStatus });
  await ensureStreams(bus.connection, { replicas: config.TINK_NATS_REPLICAS, log: (line) => logger.log(line) });
  const store = await JetStreamEventStore.fromConnection(bus.connection, {
    ...nats,
    systemCreds: identity.systemCreds,
    allowLazySync: config.TINK_ALLOW_LAZY_SYNC === 'on',
    log: (line) => logger.log(line),
  });
  const version = process.env['TINK_VERSION'] ?? '0.1.0';
  const auditKey = await ensureAuditKey(config.TINK_IDENTITY_DIR);
  const certificateFiles = { read: pairOf({ cert: config.TINK_CERT_FILE, key: config.TINK_KEY_FILE }) };
  const pki = { ca, cert, key };
  const ports = { store, bus, pki, certificateFiles, credentials: identity, auditKey, secretsKey, version };
  const running = await startTinkServer(config, ports);
  const stop = (): void => {
    void running
      .close()
      .then(() => store.close())
      .then(() => bus.close())
      .then(() => process.exit(0));
  };
  // A hole in the log, or an event that a newer release wrote: going on would show what is not true.
  void running.fault.then((fault) => {
    logger.error(fault.message);
    process.exit(1);
  });
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(`tink-server: ${error instanceof Error ? error.message : String(error)}\n`);
  // At once: an open connection to NATS would keep a process alive that serves nobody.
  process.exit(1);
});
