import { hostname } from 'node:os';
import { join } from 'node:path';
import { JetStreamEventStore, openReadModels } from '@tinkerbell/event-store';
import {
  type AuditKey,
  ensureAuditKey,
  ensureNatsIdentity,
  ensurePki,
  ensureSecretsKey,
  type NatsIdentity,
  type Pki,
} from '@tinkerbell/identity';
import { NatsBus } from '@tinkerbell/messaging';
import { ensureStreams, startNatsServer, type NatsServer } from '@tinkerbell/nats';
import {
  hardwareList,
  dhcpServerList,
  leaseList,
  machineList,
  machineMeasures,
  secretList,
  poolList,
  subscriptionList,
  templateList,
  workflowList,
  workflowMeasures,
} from '@tinkerbell/projections';
import type { DataFolder } from './data-folder';
import { natsLineMatters } from './log-lines';
import { Renewal } from './renewal';
import { openSecondDoor } from './second-door';
import type { Stack } from './stack';
import type { TinkerbellConfig } from './tinkerbell.config';

/** What OSIE calls the provisioner (`infra/osie/files/osie-init`). */
export const nameInOsie = 'tinkerbell.internal';

/** What all services of the process share: identity, the log and the rows that are projected from it. */
export interface Platform {
  readonly pki: Pki;
  readonly renewal: Renewal;
  readonly identity: NatsIdentity;
  /** What the values of secrets are sealed with. */
  readonly secretsKey: Uint8Array;
  readonly auditKey: AuditKey;
  readonly nats: NatsServer;
  readonly bus: NatsBus;
  readonly store: JetStreamEventStore;
  readonly rows: Awaited<ReturnType<typeof openRows>>;
}

const projections = {
  hardware: hardwareList,
  templates: templateList,
  workflows: workflowList,
  machines: machineList,
  leases: leaseList,
  pools: poolList,
  dhcpServers: dhcpServerList,
  secrets: secretList,
  subscriptions: subscriptionList,
};

// tink-server reads the past of the rows too.
const history = { workflows: workflowMeasures, machines: machineMeasures };

const openRows = (store: JetStreamEventStore, file: string) => openReadModels({ store, file, projections, history });

export async function startPlatform(
  config: TinkerbellConfig,
  address: string,
  data: DataFolder,
  stack: Stack,
  log: (line: string) => void,
): Promise<Platform> {
  const { IP6 } = config;
  const ips = [...new Set([address, '127.0.0.1', ...(IP6 === '' ? [] : [IP6])])];
  const names = ['localhost', hostname(), ...(IP6 === '' ? [] : [nameInOsie])];
  const folder = await data.folder('pki');
  const pki = await ensurePki(folder, { ips, names });
  const renewal = new Renewal(pki, () => ensurePki(folder, { ips, names }), log);
  const identity = await ensureNatsIdentity(await data.folder('identity'));
  const secretsKey = await ensureSecretsKey(await data.folder('identity'));
  const auditKey = await ensureAuditKey(await data.folder('identity'));
  const nats = await startNatsServer({
    dataDir: await data.folder('nats'),
    host: address,
    port: config.NATS_PORT,
    tls: pki.files,
    identity,
    log: (line) => {
      if (config.DEBUG || natsLineMatters(line)) log(`nats-server: ${line}`);
    },
    onExit: ({ code, signal, lastLines }) =>
      log(`nats-server ended (${signal ?? code}), starting it again: ${lastLines.at(-1) ?? 'it said nothing'}`),
  });
  stack.push('nats-server', () => nats.stop());
  renewal.add({ name: 'nats-server', showAgain: () => nats.reload() });
  if (IP6 !== '') {
    const door = { host: IP6, port: nats.port };
    stack.push('nats-server by IPv6', await openSecondDoor('NATS', door, { ...door, host: address }));
  }
  const login = { servers: nats.url, ca: pki.ca, creds: identity.engineCreds };
  const bus = await NatsBus.connect({ ...login, name: 'tinkerbell', firstConnectTimeoutMs: 30_000 });
  stack.push('bus', () => bus.close());
  await ensureStreams(bus.connection);
  const store = await JetStreamEventStore.fromConnection(bus.connection, {
    servers: nats.url,
    ca: pki.ca,
    systemCreds: identity.systemCreds,
    allowLazySync: config.ALLOW_LAZY_SYNC,
    problem: () => nats.problem(),
    log,
  });
  stack.push('event store', () => store.close());
  const rows = await openRows(store, join(await data.folder('rows'), 'tinkerbell.db'));
  stack.push('read models', () => rows.close());
  return { pki, renewal, identity, secretsKey, auditKey, nats, bus, store, rows };
}
