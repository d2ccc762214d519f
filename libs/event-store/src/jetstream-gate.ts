import { connectNats, streamNames } from '@tinkerbell/messaging';
import { type JetStreamManager, type NatsConnection, NatsError, type StreamConfig } from 'nats';

/** What an acknowledged commit survives. */
export type Durability = 'fsync-each' | 'replicated' | 'lazy' | 'unknown';

export interface GateOptions {
  /** Credentials of the system account, with which the server can be asked how it writes. */
  readonly systemCreds?: string;
  readonly servers?: string | readonly string[];
  readonly ca?: string;
  /** Where the server cannot be asked: what whoever configured it says. */
  readonly durability?: 'fsync-each';
  /** Laboratories: go on although a power loss may take acknowledged commits. */
  readonly allowLazySync?: boolean;
}

/** What the log runs on, read back from the server. */
export interface StoreFacts {
  readonly serverVersion: string;
  readonly apiLevel: number;
  readonly replicas: number;
  readonly durability: Durability;
}

/** The server or its stream cannot carry the log. The message says what to do. */
export class StoreUnsuitableError extends Error {}

const minimum = [2, 10] as const;

/** The start-up gate: server version, api level, the stream's real configuration, and whether an acknowledgement means "on disk". */
export async function checkServer(connection: NatsConnection, options: GateOptions): Promise<StoreFacts> {
  const serverVersion = connection.info?.version ?? '0';
  if (!hasVersion(serverVersion, minimum) && !options.allowLazySync) {
    throw new StoreUnsuitableError(
      `nats-server ${serverVersion} cannot write every commit through to the disk: use ${minimum.join('.')} or newer ` +
        '(`npm run setup` gets one), or allow lazy sync in a laboratory (--allow-lazy-sync)',
    );
  }
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const { api } = await manager.getAccountInfo();
  const config = await eventStreamConfig(manager);
  const faults = streamFaults(config);
  if (faults.length > 0) {
    throw new StoreUnsuitableError(
      `stream ${streamNames.events} cannot hold the log (${faults.join('; ')}): repair it, or let the provisioner create it`,
    );
  }
  const durability = await durabilityOf(config, options);
  if ((durability === 'lazy' || durability === 'unknown') && !options.allowLazySync) throw refusal(durability);
  return { serverVersion, apiLevel: apiLevelOf(api), replicas: config.num_replicas, durability };
}

export function hasVersion(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b = 0] = version.split('.').map(Number);
  return a !== major ? a > major : b >= minor;
}

export function describeFacts({ serverVersion, apiLevel, replicas, durability }: StoreFacts): string {
  return `event log on nats-server ${serverVersion}, api level ${apiLevel}, R${replicas}, durability ${durability}`;
}

function refusal(durability: Durability): StoreUnsuitableError {
  const lazy = durability === 'lazy';
  const fault = lazy
    ? 'nats-server acknowledges commits that are not on disk yet'
    : 'nobody knows whether nats-server writes each commit through to the disk';
  const remedy = lazy
    ? 'set `sync_interval: always` in its jetstream block'
    : 'give the credentials of its system account';
  return new StoreUnsuitableError(`${fault}: ${remedy}, or allow lazy sync in a laboratory (--allow-lazy-sync)`);
}

async function eventStreamConfig(manager: JetStreamManager): Promise<StreamConfig> {
  try {
    return (await manager.streams.info(streamNames.events)).config;
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) {
      throw new StoreUnsuitableError(
        `stream ${streamNames.events} does not exist: start the provisioner once, it creates it`,
      );
    }
    throw error;
  }
}

/** What the log relies on; the whole declaration is infra/nats/src/streams.ts. */
function streamFaults(config: StreamConfig): readonly string[] {
  const extra = config as StreamConfig & { readonly allow_msg_ttl?: boolean };
  const wanted: readonly (readonly [string, unknown, unknown])[] = [
    ['storage', config.storage, 'file'],
    ['retention', config.retention, 'limits'],
    ['discard', config.discard, 'new'],
    ['max_age', config.max_age, 0],
    ['max_msgs', config.max_msgs, -1],
    ['max_msgs_per_subject', config.max_msgs_per_subject, -1],
    ['deny_delete', config.deny_delete, true],
    ['deny_purge', config.deny_purge, true],
    ['allow_rollup_hdrs', config.allow_rollup_hdrs, false],
    ['allow_msg_ttl', extra.allow_msg_ttl ?? false, false],
    ['no_ack', config.no_ack ?? false, false],
  ];
  return wanted
    .filter(([, found, expected]) => found !== expected)
    .map(([field, found, expected]) => `${field} is ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
}

async function durabilityOf(config: StreamConfig, options: GateOptions): Promise<Durability> {
  if (options.systemCreds && options.servers) {
    const always = await asksServer(options.servers, options.systemCreds, options.ca);
    if (always) return 'fsync-each';
    return config.num_replicas > 1 ? 'replicated' : 'lazy';
  }
  if (options.durability) return options.durability;
  return config.num_replicas > 1 ? 'replicated' : 'unknown';
}

async function asksServer(servers: string | readonly string[], creds: string, ca?: string): Promise<boolean> {
  const system = await connectNats({ servers, creds, name: 'gate', firstConnectTimeoutMs: 5000, ...(ca && { ca }) });
  try {
    const reply = await system.request('$SYS.REQ.SERVER.PING.JSZ', '{"config":true}', { timeout: 5000 });
    const { data } = reply.json<{ data?: { config?: { sync_always?: boolean } } }>();
    return data?.config?.sync_always === true;
  } finally {
    await system.close();
  }
}

function apiLevelOf(api: object): number {
  return 'level' in api && typeof api.level === 'number' ? api.level : 0;
}
