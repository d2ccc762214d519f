import type { Commit } from '@tinkerbell/event-store';
import type { Recorded } from '@tinkerbell/events';
import { defaultTenant, parseStream } from '@tinkerbell/messaging';
import type { TargetEvent } from './archive-target';
import { eventId } from './event-id';

/** Where an event stands in the log; every mirrored event carries it. */
export interface Place {
  /** Of its commit, in the whole log. */
  readonly position: number;
  /** Of its commit, in its stream: from 1, without gaps. */
  readonly version: number;
  /** Among the events of its commit, from 0. */
  readonly index: number;
  /** Events of its commit. */
  readonly count: number;
}

export interface ArchiveEvent extends TargetEvent {
  readonly place: Place;
}

export interface ArchiveCommit {
  /** Name in the target. */
  readonly stream: string;
  readonly position: number;
  readonly hash: string;
  readonly events: readonly ArchiveEvent[];
  /** Of its events as JSON, in bytes. */
  readonly bytes: number;
}

/** `<aggregate>-<id>`: what the target groups by is what stands before the first dash. Other tenants' names begin with the tenant. */
export function streamName(subject: string): string {
  const parsed = parseStream(subject);
  if (!parsed) throw new Error(`${subject} is no subject of an aggregate`);
  const { tenant, aggregate, id } = parsed;
  return `${tenant === defaultTenant ? '' : `${tenant}.`}${aggregate}-${id}`;
}

export function archiveCommit(commit: Commit): ArchiveCommit {
  const events = commit.events.map((recorded) => archiveEvent(recorded, commit));
  const bytes = events.reduce((sum, event) => sum + event.bytes, 0);
  return { stream: streamName(commit.stream), position: commit.position, hash: commit.hash, events, bytes };
}

function archiveEvent({ index, event }: Recorded, commit: Commit): ArchiveEvent {
  const { position, version, at, metadata, prev, hash, stream } = commit;
  const place = { position, version, index, count: commit.events.length };
  const { id: command, actor, correlationId, causationId } = metadata;
  const content = {
    id: eventId(position, index),
    type: event.type,
    data: event.data,
    metadata: {
      position,
      ...{ version, index, count: place.count, schema: event.v, subject: stream, at, command, actor, prev, hash },
      // The names by which KurrentDB links events.
      ...(correlationId === undefined ? {} : { $correlationId: correlationId }),
      ...(causationId === undefined ? {} : { $causationId: causationId }),
    },
  };
  return { place, bytes: Buffer.byteLength(JSON.stringify(content)), ...content };
}

/** The place that an event of the target names; undefined when the mirror did not write it. */
export function placeOf({ id, metadata }: { readonly id: string; readonly metadata: unknown }): Place | undefined {
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  const { position, version, index, count } = metadata as Readonly<Record<string, unknown>>;
  const numbers = [position, version, index, count];
  if (!numbers.every((value): value is number => Number.isSafeInteger(value))) return undefined;
  const [p = 0, v = 0, i = 0, c = 0] = numbers;
  return eventId(p, i) === id ? { position: p, version: v, index: i, count: c } : undefined;
}
