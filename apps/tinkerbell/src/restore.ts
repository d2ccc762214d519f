import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DamagedFileError,
  type FileReport,
  FileVerifier,
  type Finding,
  JetStreamEventStore,
  type Kept,
  keptOf,
  linesOf,
  LogVerifier,
  parseLine,
  publicKeysIn,
  readUnpacked,
  restoreCommits,
  type SealedLine,
  type TrustedKey,
} from '@tinkerbell/event-store';
import { addFormerAuditKeys, ensureNatsIdentity, type NatsIdentity } from '@tinkerbell/identity';
import { NatsBlobs, NatsBus, NatsSecretBucket, secretsBucket, webhookSecretsBucket } from '@tinkerbell/messaging';
import { ensureStreams, startNatsServer } from '@tinkerbell/nats';
import { openDataFolder, type DataFolder } from './data-folder';
import type { RestoreOptions } from './restore.options';
import type { Stack } from './stack';

export interface Restored {
  readonly data: string;
  readonly commits: number;
  /** Position up to which the old site's checkpoints cover the log. */
  readonly covered: number;
  readonly hash: string;
  readonly bodies: number;
  /** Sealed values of secrets. */
  readonly sealed: number;
  /** When the backup was written, ISO 8601. */
  readonly writtenAt: string;
  /** Keys of the old site that are believed from now on. */
  readonly formerKeys: number;
}

const mostShown = 20;
/** Where sealed values lie. */
const buckets: readonly string[] = [secretsBucket, webhookSecretsBucket];

/** Nothing was restored; the message says why. */
export class RestoreRefusedError extends Error {}

/** The backup is not what was written. */
export class DamagedBackupError extends RestoreRefusedError {
  constructor(
    file: string,
    readonly findings: readonly Finding[],
    broken?: string,
  ) {
    const shown = findings
      .slice(0, mostShown)
      .map(
        ({ position, kind, stream, fault }) => `  ${position} ${kind}: ${stream === '' ? '' : `${stream}: `}${fault}`,
      );
    const more = findings.length > mostShown ? ['  … "tink audit verify --file" shows all'] : [];
    const why = broken === undefined ? [] : [broken];
    super([`${file} is not what was written, nothing was restored:`, ...shown, ...more, ...why].join('\n'));
  }
}

interface Surroundings {
  readonly stack: Stack;
  readonly log: (line: string) => void;
}

/** What is restored stands under this name until all of it is there and has been read back. */
const unfinished = 'nats.restoring';

/** Makes a data folder with the log of a backup. Throws RestoreRefusedError, and what else may be wrong with folders and servers. */
export async function restore(options: RestoreOptions, { stack, log }: Surroundings): Promise<Restored> {
  const { file } = options;
  const report = await verifyBackup(options);
  const data = await openDataFolder(options.data);
  stack.push('data folder', () => data.release());
  await refuseLog(data);
  const identity = await ensureNatsIdentity(await data.folder('identity'));
  const folder = join(data.path, unfinished);
  await rm(folder, { recursive: true, force: true });
  stack.push('unfinished log', () => rm(folder, { recursive: true, force: true }));

  log(`${file}: ${report.commits} commits are stored`);
  // Nothing is acknowledged to anybody yet: all of it is written through at once, below.
  await withServer({ folder, identity, syncInterval: '2m', log }, async (bus) => {
    await ensureStreams(bus.connection);
    await restoreCommits(bus.connection, commitsOf(file));
    const blobs = new NatsBlobs(bus.connection);
    for await (const { sha256, content } of bodiesOf(file)) await blobs.put(sha256, content);
    for await (const { bucket, sealed, base64 } of sealedOf(file)) {
      await new NatsSecretBucket(bus.connection, bucket).put(sealed, Buffer.from(base64, 'base64'));
    }
  });
  await syncTree(folder);
  log('they are read back');
  await withServer({ folder, identity, syncInterval: 'always', log }, (bus, servers) =>
    readBack(bus, { servers, systemCreds: identity.systemCreds }, report, file),
  );
  const added = await addFormerAuditKeys(
    await data.folder('identity'),
    report.header.keys.map(({ publicKey }) => publicKey),
  );
  await rename(folder, join(data.path, 'nats'));
  await syncFolder(data.path);
  const { commits, covered, hash, bodies, sealed, header } = report;
  return {
    data: data.path,
    commits,
    covered,
    hash,
    bodies,
    sealed,
    writtenAt: header.createdAt,
    formerKeys: added.length,
  };
}

async function verifyBackup({ file, key }: RestoreOptions): Promise<FileReport> {
  const keys: readonly TrustedKey[] | undefined =
    key === undefined ? undefined : publicKeysIn(await readFile(key, 'utf8')).map((publicKey) => ({ publicKey }));
  const verifier = new FileVerifier(keys);
  let broken: string | undefined;
  try {
    for await (const line of linesOf(readUnpacked(file))) verifier.take(line);
  } catch (error) {
    if (!(error instanceof DamagedFileError)) throw error;
    broken = error.message;
  }
  const report = verifier.end();
  if (!report.ok || broken !== undefined) throw new DamagedBackupError(file, report.findings, broken);
  if (report.since > 0) {
    throw new RestoreRefusedError(`${file} holds only what came after position ${report.since}, not the whole log`);
  }
  if (!report.header.bodies) {
    throw new RestoreRefusedError(
      `${file} is an export without the data of workflows; "tink backup" writes what can be restored`,
    );
  }
  return report;
}

async function refuseLog(data: DataFolder): Promise<void> {
  const found = await readdir(await data.folder('nats'));
  if (found.length > 0) {
    throw new RestoreRefusedError(
      `${data.path} has a log already (${join(data.path, 'nats')}). Give another folder with --data.`,
    );
  }
  await rm(join(data.path, 'nats'), { recursive: true });
}

interface ServerSettings {
  readonly folder: string;
  readonly identity: NatsIdentity;
  readonly syncInterval: string;
  readonly log: (line: string) => void;
}

/** A server on loopback for as long as `work` takes. */
async function withServer(
  { folder, identity, syncInterval, log }: ServerSettings,
  work: (bus: NatsBus, servers: string) => Promise<void>,
): Promise<void> {
  const nats = await startNatsServer({
    dataDir: folder,
    host: '127.0.0.1',
    port: 0,
    identity,
    syncInterval,
    restart: false,
    log: (line) => {
      if (/^\[(?:ERR|FTL)\]/.test(line)) log(`nats-server: ${line}`);
    },
  });
  try {
    const login = { servers: nats.url, creds: identity.engineCreds, name: 'restore', firstConnectTimeoutMs: 30_000 };
    const bus = await NatsBus.connect(login);
    try {
      await work(bus, nats.url);
    } finally {
      await bus.close();
    }
  } finally {
    await nats.stop();
  }
}

async function readBack(
  bus: NatsBus,
  access: { readonly servers: string; readonly systemCreds: string },
  { header, last, hash }: FileReport,
  file: string,
): Promise<void> {
  const store = await JetStreamEventStore.fromConnection(bus.connection, access);
  const verifier = new LogVerifier({ keys: header.keys });
  if ((await store.lastPosition()) !== last) throw new RestoreRefusedError('not all of the log was stored');
  if (last > 0) {
    for await (const message of store.messages({ after: 0 })) {
      verifier.take(message);
      if (message.position >= last) break;
    }
  }
  const stored = verifier.end();
  if (!stored.ok || stored.hash !== hash) throw new DamagedBackupError('what was stored', stored.findings);
  const blobs = new NatsBlobs(bus.connection);
  for await (const { sha256 } of bodiesOf(file)) {
    if (!(await blobs.get(sha256))) throw new RestoreRefusedError(`the body ${sha256} was not stored`);
  }
  for await (const { bucket, sealed, base64 } of sealedOf(file)) {
    const stored = await new NatsSecretBucket(bus.connection, bucket).get(sealed);
    const isSame = stored && Buffer.from(stored).toString('base64') === base64;
    if (!isSame) throw new RestoreRefusedError(`the secret ${sealed} was not stored`);
  }
}

async function* commitsOf(file: string): AsyncGenerator<Kept> {
  for await (const text of linesOf(readUnpacked(file))) {
    const line = parseLine(text);
    if ('position' in line && 'stream' in line) yield keptOf(line);
    if ('body' in line || 'sealed' in line) return;
  }
}

async function* bodiesOf(file: string): AsyncGenerator<{ readonly sha256: string; readonly content: Uint8Array }> {
  for await (const text of linesOf(readUnpacked(file))) {
    // Cheaper than parsing a commit only to pass it by.
    if (!text.startsWith('{"body":')) continue;
    const line = parseLine(text);
    if ('body' in line && line.base64 !== null) {
      yield { sha256: line.body, content: Buffer.from(line.base64, 'base64') };
    }
  }
}

async function* sealedOf(file: string): AsyncGenerator<SealedLine> {
  for await (const text of linesOf(readUnpacked(file))) {
    if (!text.startsWith('{"sealed":')) continue;
    const line = parseLine(text);
    if (!('sealed' in line)) continue;
    if (!buckets.includes(line.bucket)) throw new RestoreRefusedError(`${file}: there is no bucket ${line.bucket}`);
    yield line;
  }
}

/** Everything below a folder is on the disk when this returns. */
async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() || entry.isDirectory()) await syncFolder(join(entry.parentPath ?? entry.path, entry.name));
  }
  await syncFolder(folder);
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
