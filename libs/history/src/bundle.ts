import { decodeEvent, type AnyEvent, type Metadata, type Recorded } from '@tinkerbell/events';
import type { DelaySeconds, DurationRow } from '@tinkerbell/projections';
import { redactor } from './redact';

/** A line that an action wrote. */
export interface OutputLine {
  readonly workflowId: string;
  readonly index: number;
  readonly action: string;
  readonly task: string;
  readonly at: string;
  readonly stream: string;
  readonly line: string;
}

export interface BundleHeader {
  /** Version of the format. */
  readonly bundle: 1;
  readonly kind: 'machine' | 'workflow';
  readonly id: string;
  /** When it was made, ISO 8601, and the position that the log had then. */
  readonly at: string;
  readonly position: number;
  /** As `Evidence.graceSeconds`. */
  readonly graceSeconds: number;
  /** As `Evidence.cancelGraceSeconds`. */
  readonly cancelGraceSeconds: number;
  /** As `Evidence.delaySeconds`. */
  readonly delaySeconds?: DelaySeconds;
}

/** The slice of a log that one machine or workflow is about: enough to replay it elsewhere. */
export interface Bundle {
  readonly header: BundleHeader;
  /** In log order, with the places that they have in the log. */
  readonly events: readonly Recorded<AnyEvent>[];
  readonly lines: readonly OutputLine[];
  readonly durations: ReadonlyMap<string, DurationRow>;
}

/** The bundle without secrets; what redacts it redacts anything made of its events to the same text. */
export function redactBundle(bundle: Bundle): { readonly bundle: Bundle; readonly redact: <T>(value: T) => T } {
  const { events, lines } = bundle;
  const ids = new Set(events.flatMap(({ aggregateId, metadata }) => [aggregateId, metadata.actor, metadata.id]));
  const redact = redactor([events.map(({ event }) => event.data), lines.map(({ line }) => line)], ids);
  return {
    redact,
    bundle: {
      ...bundle,
      events: events.map(
        (recorded) =>
          ({ ...recorded, event: { ...recorded.event, data: redact(recorded.event.data) } }) as typeof recorded,
      ),
      lines: lines.map((output) => ({ ...output, line: redact(output.line) })),
    },
  };
}

interface StoredCommit {
  readonly stream: string;
  readonly position: number;
  readonly version: number;
  readonly at: string;
  readonly metadata: Metadata;
  /** `index`: of the event in its commit, of which the bundle may have a part only. */
  readonly events: readonly {
    readonly index: number;
    readonly type: string;
    readonly v: number;
    readonly data: unknown;
  }[];
}

/** The lines of the file: header, commits in log order, output in the order in which it was written, durations, and how many that were. */
export function* bundleLines({ header, events, lines, durations }: Bundle): Generator<object> {
  yield header;
  const commits = commitsOf(events);
  for (const commit of commits) yield { commit };
  for (const line of lines) yield { line };
  for (const [key, row] of durations) yield { duration: { key, row } };
  yield { end: { commits: commits.length, lines: lines.length, durations: durations.size } };
}

function commitsOf(events: readonly Recorded<AnyEvent>[]): readonly StoredCommit[] {
  const commits = new Map<number, StoredCommit & { readonly events: StoredCommit['events'][number][] }>();
  for (const { stream, position, version, at, metadata, index, event } of events) {
    const commit = commits.get(position) ?? { stream, position, version, at, metadata, events: [] };
    commit.events.push({ index, type: event.type, v: event.v, data: event.data });
    commits.set(position, commit);
  }
  return [...commits.values()];
}

/** The file is no bundle, or not all of one. `line` from 1. */
export class MalformedBundleError extends Error {
  constructor(
    readonly line: number,
    readonly fault: string,
  ) {
    super(`line ${line}: ${fault}`);
  }
}

/** Reads NDJSON. Throws MalformedBundleError, UnknownEventError for an event of a newer release. */
export function readBundle(text: string): Bundle {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const [head, ...rest] = lines.map((line, i) => parseLine(line, i + 1));
  if (head?.['bundle'] !== 1)
    throw new MalformedBundleError(1, 'this is not a bundle of tink, or one of a newer release');
  const events: Recorded<AnyEvent>[] = [];
  const output: OutputLine[] = [];
  const durations = new Map<string, DurationRow>();
  let end: unknown;
  rest.forEach((line, i) => {
    // The shapes are bundleLines'; what is decoded is checked by decodeEvent.
    if ('commit' in line) events.push(...recordedOf(line['commit'] as StoredCommit, i + 2));
    else if ('line' in line) output.push(line['line'] as OutputLine);
    else if ('duration' in line) {
      const { key, row } = line['duration'] as { readonly key: string; readonly row: DurationRow };
      durations.set(key, row);
    } else if ('end' in line) end = line['end'];
  });
  const counts = { commits: commitsOf(events).length, lines: output.length, durations: durations.size };
  if (JSON.stringify(end) !== JSON.stringify(counts)) {
    throw new MalformedBundleError(lines.length, 'the bundle is not complete: it was cut off or changed');
  }
  return { header: head as unknown as BundleHeader, events, lines: output, durations };
}

function parseLine(text: string, line: number): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new MalformedBundleError(line, 'this is not JSON');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new MalformedBundleError(line, 'this is not a JSON object');
}

function recordedOf(commit: StoredCommit, line: number): readonly Recorded<AnyEvent>[] {
  const { stream, position, version, at, metadata, events } = commit;
  const [tink, ev, , aggregate = '', aggregateId = '', ...more] = String(stream).split('.');
  if (tink !== 'tink' || ev !== 'ev' || aggregateId === '' || more.length > 0 || !Array.isArray(events)) {
    throw new MalformedBundleError(line, 'this is not a commit');
  }
  const place = { stream, aggregate, aggregateId, position, version, at, metadata };
  return events.map(
    ({ index, ...event }) => ({ ...place, index, event: decodeEvent(aggregate, event) }) as Recorded<AnyEvent>,
  );
}
