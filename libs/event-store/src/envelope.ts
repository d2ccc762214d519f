import { hash } from 'node:crypto';
import { decodeEvent, type Event, MalformedEventError, type Metadata, type Recorded } from '@tinkerbell/events';
import { isStream, parseStream } from '@tinkerbell/messaging/subjects';
import {
  type Commit,
  CommitTooLargeError,
  emptyHead,
  type History,
  IntegrityError,
  type StreamHead,
} from './event-store';

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
  readonly corr?: string | undefined;
  readonly caus?: string | undefined;
  readonly prev: string;
  readonly events: readonly object[];
}

export function hashOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** The bytes of the commit that follows `head`. Throws CommitTooLargeError. */
export function encodeCommit(
  stream: string,
  head: StreamHead,
  events: readonly Event[],
  metadata: Metadata,
  now: Date,
): Uint8Array {
  if (!isStream(stream)) throw new TypeError(`${JSON.stringify(stream)} is not a stream: use subjects.stream()`);
  const envelope: Envelope = {
    v: 1,
    cid: metadata.id,
    ver: head.version + 1,
    ts: now.toISOString(),
    actor: metadata.actor,
    // JSON leaves out what is undefined.
    corr: metadata.correlationId,
    caus: metadata.causationId,
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
  const events: Recorded[] = [];
  for (const [index, event] of envelope.events.entries()) {
    events.push({
      stream,
      aggregate: parsed.aggregate,
      aggregateId: parsed.id,
      position,
      version: envelope.ver,
      index,
      at,
      event: decodeOne(parsed.aggregate, event, stream, position),
      metadata,
    });
  }
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

function metadataOf({ cid: id, actor, corr, caus }: Envelope): Metadata {
  if (corr === undefined && caus === undefined) return { id, actor };
  return {
    id,
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
  let parsed: Partial<Record<keyof Envelope, unknown>>;
  try {
    const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    parsed = JSON.parse(buffer.toString('utf8')) as typeof parsed;
  } catch {
    throw new IntegrityError(stream, position, 'the commit is not JSON');
  }
  const fault = faultOf(parsed);
  if (fault !== undefined) throw new IntegrityError(stream, position, fault);
  return parsed as Envelope;
}

function faultOf(parsed: Partial<Record<keyof Envelope, unknown>> | null): string | undefined {
  if (typeof parsed !== 'object' || parsed === null) return 'the commit is not an object';
  if (parsed.v !== 1) return `the commit has envelope version ${JSON.stringify(parsed.v)}, expected 1`;
  for (const name of texts) if (typeof parsed[name] !== 'string') return `${name} of the commit is not text`;
  const { ver, events } = parsed;
  if (typeof ver !== 'number' || !Number.isSafeInteger(ver) || ver < 1) return 'ver of the commit is not a number';
  return Array.isArray(events) && events.length > 0 ? undefined : 'the commit holds no events';
}

const texts = ['cid', 'ts', 'actor', 'prev'] as const;

/**
 * The head after `commit`, or IntegrityError when it is not the one that follows `head`: a hole shows as a jump of the version, a
 * changed commit as a hash that its successor does not know, a forged one as both.
 */
export function followsHead(head: StreamHead, commit: Commit, expected?: number): StreamHead {
  const fault = misfit(head, commit, expected);
  if (fault !== undefined) throw new IntegrityError(commit.stream, commit.position, fault);
  return { position: commit.position, version: commit.version, hash: commit.hash };
}

function misfit(head: StreamHead, commit: Commit, expected: number | undefined): string | undefined {
  const { position, version, prev } = commit;
  if (version !== head.version + 1) {
    const missing = version > head.version + 1 ? `: ${version - head.version - 1} missing` : ': repeated';
    return `commit ${version} follows commit ${head.version}${missing}`;
  }
  if (position <= head.position) return `commit ${version} lies before commit ${head.version}`;
  if (prev !== head.hash) {
    return `commit ${version} was made after ${short(prev)}, but commit ${head.version} is ${short(head.hash)}: changed`;
  }
  if (expected !== undefined && expected !== head.position) {
    return `commit ${version} was stored after position ${expected}, but its predecessor lies at ${head.position}`;
  }
  return undefined;
}

const short = (hash: string) => (hash === '' ? 'nothing' : hash.slice(0, 12));

/** Of one commit alone. */
export function historyOf<E extends Event>(message: StoredMessage | undefined): History<E> {
  if (!message) return { events: [], head: emptyHead };
  const { position, version, hash, events } = decodeCommit(message);
  return { events: events as readonly Recorded<E>[], head: { position, version, hash } };
}
