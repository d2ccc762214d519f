import {
  dataBucket,
  leaseBucket,
  secretsBucket,
  streamNames,
  subjects,
  webhookSecretsBucket,
} from '@tinkerbell/messaging';
import {
  DiscardPolicy,
  type JetStreamManager,
  type NatsConnection,
  nanos,
  NatsError,
  RetentionPolicy,
  StorageType,
  StoreCompression,
  type StreamConfig,
} from 'nats';

const seconds = (n: number) => nanos(n * 1000);
const day = 86_400;
const kibibyte = 1024;
const gibibyte = 1024 ** 3;

const common = {
  storage: StorageType.File,
  max_msgs: -1,
  max_msgs_per_subject: -1,
  max_consumers: -1,
  allow_direct: true,
  allow_rollup_hdrs: false,
  deny_delete: false,
  deny_purge: false,
  discard_new_per_subject: false,
  no_ack: false,
  sealed: false,
};

type Declared = Partial<StreamConfig> & { readonly name: string };

/** Every stream and bucket of the product, with each setting that matters. docs/streams.md says why. */
export const declaredStreams: readonly Declared[] = [
  {
    ...common,
    name: streamNames.events,
    description: 'the log: one message per commit',
    subjects: [subjects.allEvents],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_age: 0,
    max_bytes: 64 * gibibyte,
    max_msg_size: 1024 * kibibyte,
    duplicate_window: seconds(120),
    deny_delete: true,
    deny_purge: true,
  },
  {
    ...common,
    name: streamNames.reports,
    description: 'what workers report, until tink-server has taken it into the log',
    subjects: [subjects.allReports],
    retention: RetentionPolicy.Workqueue,
    discard: DiscardPolicy.New,
    max_age: seconds(7 * day),
    max_bytes: gibibyte,
    max_msg_size: 64 * kibibyte,
    duplicate_window: seconds(3600),
  },
  {
    ...common,
    name: streamNames.published,
    description: 'public events for integrations',
    subjects: [subjects.allPublished],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: seconds(30 * day),
    max_bytes: 4 * gibibyte,
    max_msg_size: 1024 * kibibyte,
    duplicate_window: seconds(120),
  },
  {
    ...common,
    name: streamNames.logs,
    description: 'output of actions, one line a message',
    subjects: [subjects.allLogs],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: seconds(30 * day),
    max_bytes: 4 * gibibyte,
    max_msg_size: 64 * kibibyte,
    duplicate_window: seconds(120),
  },
  {
    // The layout that NATS clients expect of an object-store bucket: chunks on C, metadata on M, replaced by roll-up.
    ...common,
    name: `OBJ_${dataBucket}`,
    description: 'large bodies by their SHA-256',
    subjects: [`$O.${dataBucket}.C.>`, `$O.${dataBucket}.M.>`],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    allow_rollup_hdrs: true,
    max_age: 0,
    max_bytes: 16 * gibibyte,
    max_msg_size: 1024 * kibibyte,
    duplicate_window: seconds(120),
  },
  {
    // The layout that NATS clients expect of a key-value bucket with one value a key.
    ...common,
    name: `KV_${webhookSecretsBucket}`,
    description: 'secrets that sign webhooks, by subscription',
    subjects: [`$KV.${webhookSecretsBucket}.>`],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: 1,
    allow_rollup_hdrs: true,
    deny_delete: true,
    max_age: 0,
    max_bytes: 16 * 1024 * kibibyte,
    max_msg_size: kibibyte,
    duplicate_window: seconds(120),
  },
  {
    // The layout that NATS clients expect of a key-value bucket with one value a key; purged by roll-up.
    ...common,
    name: `KV_${secretsBucket}`,
    description: 'values of secrets, sealed',
    subjects: [`$KV.${secretsBucket}.>`],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: 1,
    allow_rollup_hdrs: true,
    deny_delete: true,
    max_age: 0,
    max_bytes: gibibyte,
    max_msg_size: 128 * kibibyte,
    duplicate_window: seconds(120),
  },
  {
    // The layout that NATS clients expect of a key-value bucket: one value a key, the last one.
    ...common,
    name: `KV_${leaseBucket}`,
    description: 'leases: who does what only one may do',
    subjects: [`$KV.${leaseBucket}.>`],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    allow_rollup_hdrs: true,
    deny_delete: true,
    max_msgs_per_subject: 1,
    max_age: 0,
    max_bytes: 16 * 1024 * kibibyte,
    max_msg_size: 4 * kibibyte,
    duplicate_window: seconds(120),
  },
];

/** The server has a stream or bucket of ours with other settings. Nothing was changed. */
export class StreamMismatchError extends Error {
  constructor(
    readonly stream: string,
    readonly differences: readonly { readonly field: string; readonly expected: unknown; readonly found: unknown }[],
  ) {
    const list = differences.map(
      ({ field, expected, found }) => `${field}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`,
    );
    super(
      `${stream} exists with other settings (${list.join('; ')}); nothing was changed. ` +
        'Change it with your NATS tools, or use the release that made it',
    );
  }
}

export interface EnsureStreamsOptions {
  /** Copies in a cluster; default 1. */
  readonly replicas?: number;
  /** How long to wait for a JetStream that cannot answer yet: a cluster elects its leaders after a start. Default 60 s. */
  readonly patienceMs?: number;
  readonly log?: (line: string) => void;
}

const retryMs = 500;

/**
 * Creates what is missing and reads all of it back. Throws StreamMismatchError for a setting that is not as declared, whether it was so
 * before or the server did not take it.
 */
export async function ensureStreams(connection: NatsConnection, options: EnsureStreamsOptions = {}): Promise<void> {
  const { replicas = 1, patienceMs = 60_000, log } = options;
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const deadline = Date.now() + patienceMs;
  for (const stream of declaredStreams) {
    const declared = { ...stream, num_replicas: replicas, compression: compressionFor(replicas) };
    for (let told = false; ; told = true) {
      try {
        await ensureStream(manager, declared);
        break;
      } catch (error) {
        if (!isPassing(error) || Date.now() > deadline) throw error;
        if (!told) log?.(`waiting for JetStream: ${messageOf(error)}`);
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }
}

/**
 * None in a cluster: nats-server 2.15.1 compresses the block that it still writes when a copy has to drop what its leader does not know,
 * and then appends to it uncompressed. That copy can neither be read nor written any more; it took a majority of them within two minutes
 * of test/chaos. A single server never drops anything.
 */
function compressionFor(replicas: number): StoreCompression {
  return replicas > 1 ? StoreCompression.None : StoreCompression.S2;
}

/** No answer, or no leader (503, 10008): a cluster is on its way, or too few of its servers are. */
function isPassing(error: unknown): boolean {
  const cause = error instanceof Error && error.cause instanceof NatsError ? error.cause : error;
  if (!(cause instanceof NatsError)) return false;
  if (cause.api_error)
    return cause.api_error.code >= 500 && !/insufficient resources/.test(cause.api_error.description);
  return cause.code === 'TIMEOUT' || cause.code === '503';
}

async function ensureStream(manager: JetStreamManager, declared: Declared): Promise<void> {
  const { name } = declared;
  if (!(await exists(() => manager.streams.info(name)))) {
    try {
      await manager.streams.add({ ...declared }); // the client fills in what is missing
    } catch (error) {
      throw new Error(`cannot create stream ${name}: ${messageOf(error)}`, { cause: error });
    }
  }
  const { config } = await manager.streams.info(name);
  compare(name, { ...declared }, { ...config });
}

function compare(
  what: string,
  expected: Readonly<Record<string, unknown>>,
  found: Readonly<Record<string, unknown>>,
): void {
  const differences = Object.keys(expected)
    .filter((field) => field !== 'description') // for people; may change with a release
    .filter((field) => !sameSetting(expected[field], found[field]))
    .map((field) => ({ field, expected: expected[field], found: found[field] }));
  if (differences.length > 0) throw new StreamMismatchError(what, differences);
}

/** The server leaves out what is false, 0 or empty. */
function sameSetting(expected: unknown, found: unknown): boolean {
  if (found === undefined) return expected === false || expected === 0;
  return JSON.stringify(expected) === JSON.stringify(found);
}

async function exists(look: () => Promise<unknown>): Promise<boolean> {
  try {
    await look();
    return true;
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) return false;
    throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
