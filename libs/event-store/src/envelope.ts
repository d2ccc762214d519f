import { createHash } from 'node:crypto';
import { decodeEvent, type Event, MalformedEventError, type Metadata, type Recorded } from '@tinkerbell/events';
import { parseStream } from '@tinkerbell/messaging/subjects';
import { type Commit, CommitTooLargeError, IntegrityError, type StreamHead } from './event-store';

/** Largest commit, in bytes; `TINK_EV` takes messages of 1 MiB, of which its headers need a little. */
export const maxCommitBytes = 1024 * 1024 - 4096;

/** What is stored of one commit, whatever stores it. */
export interface StoredMessage {
  readonly position: number;
  readonly stream: string;
  /** When the store took it, ISO 8601. */
  readonly at: string;
  /** The envelope, UTF-8 JSON. */
  readonly bytes: Uint8Array;
  /** Position of the stream's previous commit as the store checked it (`Nats-Expected-Last-Subject-Sequence`). */
  readonly expected?: number;
}

/** A message with the id that it was stored under (`Nats-Msg-Id`), empty when it had none. */
export interface Kept extends StoredMessage {
  readonly id: string;
}

/** Version 1 of the envelope. `ts` is the writer's clock; `Recorded.at` is the store's. */
export interface Envelope {
  readonly v: 1;
  readonly cid: string;
  readonly ver: number;
  readonly ts: string;
  readonly actor: string;
  readonly corr?: string;
  readonly caus?: string;
  readonly prev: string;
  readonly events: readonly object[];
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The bytes of the commit that follows `head`. Throws CommitTooLargeError. */
export function encodeCommit(
  stream: string,
  head: StreamHead,
  events: readonly Event[],
  metadata: Metadata,
  now: Date,
): Uint8Array {
  if (!parseStream(stream)) throw new TypeError(`${JSON.stringify(stream)} is not a stream: use subjects.stream()`);
  const envelope: Envelope = {
    v: 1,
    cid: metadata.id,
    ver: head.version + 1,
    ts: now.toISOString(),
    actor: metadata.actor,
    ...(metadata.correlationId === undefined ? {} : { corr: metadata.correlationId }),
    ...(metadata.causationId === undefined ? {} : { caus: metadata.causationId }),
    prev: head.hash,
    events: events.map(({ type, v, data }) => ({ type, v, data })),
  };
  const bytes = Buffer.from(JSON.stringify(envelope));
  if (bytes.length > maxCommitBytes) throw new CommitTooLargeError(stream, bytes.length, maxCommitBytes);
  return bytes;
}

/** Throws IntegrityError for bytes that are no envelope, UnknownEventError for an event of a newer release. */
export function decodeCommit({ position, stream, at, bytes }: StoredMessage): Commit {
  const parsed = parseStream(stream);
  if (!parsed) throw new IntegrityError(stream, position, 'the subject is not a stream of events');
  const envelope = parseEnvelope(stream, position, bytes);
  const metadata = metadataOf(envelope);
  const events = envelope.events.map((event, index): Recorded => ({
    stream,
    aggregate: parsed.aggregate,
    aggregateId: parsed.id,
    position,
    version: envelope.ver,
    index,
    at,
    event: decodeOne(parsed.aggregate, event, stream, position),
    metadata,
  }));
  return { stream, position, version: envelope.ver, at, metadata, events, prev: envelope.prev, hash: hashOf(bytes) };
}

/** A commit whose events are as they were stored, also those of a newer release. Throws IntegrityError for bytes that are no envelope. */
export function parseCommit({ position, stream, bytes }: StoredMessage): {
  readonly position: number;
  readonly version: number;
  readonly hash: string;
  readonly metadata: Metadata;
  readonly events: readonly Event[];
} {
  const envelope = parseEnvelope(stream, position, bytes);
  // What an event has beside its type is for the catalogue to say.
  const events = envelope.events.filter((event): event is Event => 'type' in event && typeof event.type === 'string');
  return { position, version: envelope.ver, hash: hashOf(bytes), metadata: metadataOf(envelope), events };
}

function metadataOf({ cid, actor, corr, caus }: Envelope): Metadata {
  return {
    id: cid,
    actor,
    ...(corr === undefined ? {} : { correlationId: corr }),
    ...(caus === undefined ? {} : { causationId: caus }),
  };
}

function decodeOne(aggregate: string, event: object, stream: string, position: number): Event {
  try {
    return decodeEvent(aggregate, event);
  } catch (error) {
    if (error instanceof MalformedEventError) throw new IntegrityError(stream, position, error.message);
    throw error;
  }
}

/** Throws IntegrityError. The events themselves are not looked at. */
export function parseEnvelope(stream: string, position: number, bytes: Uint8Array): Envelope {
  const fault = (what: string) => new IntegrityError(stream, position, what);
  let parsed: Partial<Record<keyof Envelope, unknown>>;
  try {
    parsed = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')) as typeof parsed;
  } catch {
    throw fault('the commit is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null) throw fault('the commit is not an object');
  if (parsed.v !== 1) throw fault(`the commit has envelope version ${JSON.stringify(parsed.v)}, expected 1`);
  const { cid, ver, ts, actor, prev, events } = parsed;
  for (const [name, text] of Object.entries({ cid, ts, actor, prev })) {
    if (typeof text !== 'string') throw fault(`${name} of the commit is not text`);
  }
  if (typeof ver !== 'number' || !Number.isSafeInteger(ver) || ver < 1)
    throw fault('ver of the commit is not a number');
  if (!Array.isArray(events) || events.length === 0) throw fault('the commit holds no events');
  return parsed as Envelope;
}

/**
 * The head after `commit`, or IntegrityError when it is not the one that follows `head`: a hole shows as a jump of the version, a
 * changed commit as a hash that its successor does not know, a forged one as both.
 */
export function followsHead(head: StreamHead, commit: Commit, expected?: number): StreamHead {
  const { stream, position, version, prev, hash } = commit;
  const fault = (what: string) => new IntegrityError(stream, position, what);
  if (version !== head.version + 1) {
    const missing = version > head.version + 1 ? `: ${version - head.version - 1} missing` : ': repeated';
    throw fault(`commit ${version} follows commit ${head.version}${missing}`);
  }
  if (position <= head.position) throw fault(`commit ${version} lies before commit ${head.version}`);
  if (prev !== head.hash) {
    throw fault(
      `commit ${version} was made after ${short(prev)}, but commit ${head.version} is ${short(head.hash)}: changed`,
    );
  }
  if (expected !== undefined && expected !== head.position) {
    throw fault(
      `commit ${version} was stored after position ${expected}, but its predecessor lies at ${head.position}`,
    );
  }
  return { position, version, hash };
}

const short = (hash: string) => (hash === '' ? 'nothing' : hash.slice(0, 12));
