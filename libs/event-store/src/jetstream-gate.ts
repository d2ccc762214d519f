import { connectNats, streamNames } from '@tinkerbell/messaging';
import { type JetStreamManager, type NatsConnection, NatsError, RequestStrategy, type StreamConfig } from 'nats';

/** What an acknowledged commit survives. */
export type Durability = 'fsync-each' | 'replicated' | 'lazy' | 'unknown';

export interface GateOptions {
  /** Credentials of the system account, with which the server can be asked how it writes. */
  readonly systemCreds?: string;
  readonly servers?: string | readonly string[];
  readonly ca?: string;
  /** Where the server cannot be asked: what whoever configured it says. */
  readonly durability?: 'fsync-each';
  /** How long to wait for a JetStream that cannot answer yet: a cluster elects its leaders after a start. Default 60 s. */
  readonly startPatienceMs?: number;
  readonly log?: (line: string) => void;
  /** Laboratories: go on although a power loss may take acknowledged commits. */
  readonly allowLazySync?: boolean;
}

/** What the log runs on, read back from the server. */
export interface StoreFacts {
  readonly serverVersion: string;
  readonly apiLevel: number;
  readonly replicas: number;
  readonly durability: Durability;
  /** How many servers said how they write; 0: nobody was asked. */
  readonly serversAsked: number;
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
  const { api, config } = await patiently(options, async () => ({
    api: (await manager.getAccountInfo()).api,
    config: await eventStreamConfig(manager),
  }));
  const faults = streamFaults(config);
  if (faults.length > 0) {
    throw new StoreUnsuitableError(
      `stream ${streamNames.events} cannot hold the log (${faults.join('; ')}): repair it, or let the provisioner create it`,
    );
  }
  const { durability, serversAsked } = await durabilityOf(config, options);
  if ((durability === 'lazy' || durability === 'unknown') && !options.allowLazySync) throw refusal(durability);
  return { serverVersion, apiLevel: apiLevelOf(api), replicas: config.num_replicas, durability, serversAsked };
}

async function patiently<T>({ startPatienceMs = 60_000, log }: GateOptions, ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + startPatienceMs;
  for (let told = false; ; told = true) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error) || Date.now() > deadline) throw error;
      if (!told) log?.(`waiting for JetStream: ${error instanceof Error ? error.message : String(error)}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** No answer, or no leader. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof NatsError)) return false;
  if (error.api_error) return error.api_error.code >= 500;
  return error.code === 'TIMEOUT' || error.code === '503';
}

export function hasVersion(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b = 0] = version.split('.').map(Number);
  return a !== major ? a > major : b >= minor;
}

export function describeFacts({ serverVersion, apiLevel, replicas, durability, serversAsked }: StoreFacts): string {
  const asked = serversAsked > 1 ? ` on ${serversAsked} servers` : '';
  return `event log on nats-server ${serverVersion}, api level ${apiLevel}, R${replicas}, durability ${durability}${asked}`;
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
  // Two copies are worse than one: the loss of either stops both.
  const even = config.num_replicas % 2 === 0 ? [`num_replicas is ${config.num_replicas}, not 1, 3 or 5`] : [];
  const others = wanted
    .filter(([, found, expected]) => found !== expected)
    .map(([field, found, expected]) => `${field} is ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
  return [...even, ...others];
}

async function durabilityOf(
  config: StreamConfig,
  options: GateOptions,
): Promise<Pick<StoreFacts, 'durability' | 'serversAsked'>> {
  const replicated = config.num_replicas > 1;
  if (options.systemCreds && options.servers) {
    const answers = await askServers(options.servers, options.systemCreds, replicated, options.ca);
    const always = answers.length > 0 && answers.every(Boolean);
    return { durability: always ? 'fsync-each' : replicated ? 'replicated' : 'lazy', serversAsked: answers.length };
  }
  return { durability: options.durability ?? (replicated ? 'replicated' : 'unknown'), serversAsked: 0 };
}

/** Of each server of the cluster that answers: does it write every message through? One that keeps it from memory makes the log no safer. */
async function askServers(
  servers: string | readonly string[],
  creds: string,
  all: boolean,
  ca?: string,
): Promise<readonly boolean[]> {
  const system = await connectNats({ servers, creds, name: 'gate', firstConnectTimeoutMs: 5000, ...(ca && { ca }) });
  try {
    const answers: boolean[] = [];
    const replies = await system.requestMany('$SYS.REQ.SERVER.PING.JSZ', '{"config":true}', {
      strategy: all ? RequestStrategy.JitterTimer : RequestStrategy.Count,
      maxWait: 5000,
      jitter: 500,
      maxMessages: all ? -1 : 1,
    });
    for await (const reply of replies) {
      const { data } = reply.json<{ data?: { config?: { sync_always?: boolean } } }>();
      answers.push(data?.config?.sync_always === true);
    }
    return answers;
  } finally {
    await system.close();
  }
}

function apiLevelOf(api: object): number {
  return 'level' in api && typeof api.level === 'number' ? api.level : 0;
}
