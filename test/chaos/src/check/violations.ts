import {
  fold,
  hardwareDecider,
  hardwareKeys,
  isTerminal,
  templateDecider,
  workflowDecider,
  type WorkflowState,
} from '@tinkerbell/domain';
import type { HardwareEvent, Recorded, TemplateEvent, WorkflowEvent } from '@tinkerbell/events';
import type { Commit } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import type { Entry } from '../ledger';
import { illegalSteps } from './legality';

/** What must never be. `rule` names it, `what` says where. */
export interface Violation {
  readonly rule:
    | 'lost'
    | 'doubled'
    | 'illegal'
    | 'unfinished'
    | 'not unique'
    | 'broken chain'
    | 'effect repeated'
    | 'replicas differ'
    | 'projection differs';
  readonly what: string;
}

/** Holds the whole log against what was promised. Pure: the same log and ledger give the same violations. */
export function violationsOf(commits: readonly Commit[], ledger: readonly Entry[]): readonly Violation[] {
  const streams = groupBy(commits);
  return [
    ...brokenChains(streams),
    ...doubledCommands(commits),
    ...lostPromises(commits, streams, ledger),
    ...[...streams].flatMap(([stream, own]) => (aggregateOf(stream) === 'workflow' ? workflowFaults(stream, own) : [])),
    ...sharedValues(streams),
    ...repeatedEffects(ledger),
  ];
}

type Streams = ReadonlyMap<string, readonly Commit[]>;

function groupBy(commits: readonly Commit[]): Streams {
  const streams = new Map<string, Commit[]>();
  for (const commit of commits) {
    const own = streams.get(commit.stream);
    if (own) own.push(commit);
    else streams.set(commit.stream, [commit]);
  }
  return streams;
}

const aggregateOf = (stream: string) => stream.split('.')[3] ?? '';
const eventsOf = (commits: readonly Commit[]) => commits.flatMap(({ events }) => events);

/** Every commit names its predecessor, and the versions have no gap. */
function brokenChains(streams: Streams): readonly Violation[] {
  return [...streams].flatMap(([stream, commits]) =>
    commits.flatMap((commit, i) => {
      const before = commits[i - 1];
      const good = commit.version === i + 1 && commit.prev === (before?.hash ?? '');
      return good ? [] : [fault('broken chain', `${stream}: commit ${commit.version} at ${commit.position}`)];
    }),
  );
}

/** What ends a try. A refused report names one too, and changes nothing. */
const resultTypes: readonly string[] = [
  'ActionSucceeded',
  'ActionFailed',
  'ActionTimedOut',
  'ActionAttemptFailed',
  'ActionCancelled',
];

/** A command is in the log once, however often it came. */
function doubledCommands(commits: readonly Commit[]): readonly Violation[] {
  const seen = new Map<string, number>();
  return commits.flatMap(({ metadata, position }) => {
    const earlier = seen.get(metadata.id);
    seen.set(metadata.id, position);
    return earlier === undefined ? [] : [fault('doubled', `command ${metadata.id} at ${earlier} and at ${position}`)];
  });
}

function lostPromises(commits: readonly Commit[], streams: Streams, ledger: readonly Entry[]): readonly Violation[] {
  const commands = new Set(commits.map(({ metadata }) => metadata.id));
  const opens = (aggregate: 'workflow' | 'hardware', id: string, position: number, type: string) =>
    streams
      .get(subjects.stream(aggregate, id))
      ?.some((commit) => commit.position <= position && typesOf(commit).includes(type)) ?? false;
  return ledger.flatMap((entry): readonly Violation[] => {
    switch (entry.t) {
      case 'created':
        if (opens('workflow', entry.workflowId, entry.position, 'WorkflowCreated')) return [];
        return [fault('lost', `workflow ${entry.workflowId}, acknowledged at ${entry.position}`)];
      case 'hardware':
        if (opens('hardware', entry.id, entry.position, 'HardwareRegistered')) return [];
        return [fault('lost', `hardware ${entry.id}, acknowledged at ${entry.position}`)];
      case 'report': {
        const own = streams.get(subjects.stream('workflow', entry.workflowId)) ?? [];
        if (commands.has(entry.id) || wasGivenUp(own, entry)) return [];
        return [fault('lost', `report ${entry.id} of worker ${entry.worker}`)];
      }
      default:
        return [];
    }
  });
}

const typesOf = (commit: Commit) => commit.events.map(({ event }) => event.type);

/** Another boot of the machine asked for work first: the attempt has an unknown outcome, and what the older boot says is too late. */
function wasGivenUp(
  commits: readonly Commit[],
  { index, attempt }: { readonly index: number; readonly attempt: number },
): boolean {
  return eventsOf(commits).some(({ event }) => {
    if (event.type !== 'ActionFailed') return false;
    const data = event.data as { readonly index: number; readonly attempt: number; readonly reason: string };
    return data.index === index && data.attempt === attempt && data.reason === 'unknown-outcome';
  });
}

function workflowFaults(stream: string, commits: readonly Commit[]): readonly Violation[] {
  const events = eventsOf(commits) as readonly Recorded<WorkflowEvent>[];
  const state: WorkflowState = fold(
    workflowDecider,
    events.map(({ event }) => event),
  );
  const results = new Map<string, number>();
  for (const { event } of events) {
    const kind = event.type === 'ActionStarted' ? 'start' : 'result';
    if (!('attempt' in event.data) || (kind === 'result' && !resultTypes.includes(event.type))) continue;
    const key = `${kind} of action ${event.data.index}, attempt ${event.data.attempt}`;
    results.set(key, (results.get(key) ?? 0) + 1);
  }
  const doubled = [...results].filter(([, count]) => count > 1);
  const unfinished = state.status !== 'none' && !isTerminal(state.status) && !state.deleted;
  return [
    ...doubled.map(([key, count]) => fault('doubled', `${stream}: ${count} times ${key}`)),
    ...illegalSteps(events).map((text) => fault('illegal', `${stream}: ${text}`)),
    ...(unfinished ? [fault('unfinished', `${stream} is ${state.status}`)] : []),
  ];
}

/** MAC, IP and template names have one owner at a time. */
function sharedValues(streams: Streams): readonly Violation[] {
  const owners = new Map<string, Set<string>>();
  for (const [stream, commits] of streams) {
    for (const value of valuesOf(stream, commits)) owners.set(value, (owners.get(value) ?? new Set()).add(stream));
  }
  return [...owners]
    .filter(([, streamsOfIt]) => streamsOfIt.size > 1)
    .map(([value, streamsOfIt]) => fault('not unique', `${value}: ${[...streamsOfIt].join(', ')}`));
}

function valuesOf(stream: string, commits: readonly Commit[]): readonly string[] {
  const events = eventsOf(commits).map(({ event }) => event);
  if (aggregateOf(stream) === 'hardware') {
    const state = fold(hardwareDecider, events as readonly HardwareEvent[]);
    return state.status === 'registered'
      ? hardwareKeys(state.hardware).map(({ kind, value }) => `${kind} ${value}`)
      : [];
  }
  if (aggregateOf(stream) === 'template') {
    const state = fold(templateDecider, events as readonly TemplateEvent[]);
    return state.status === 'active' ? [`template name ${state.name}`] : [];
  }
  return [];
}

/** What a machine did, it did once; two machines with one identity are told apart only by the log, so theirs do not count. */
function repeatedEffects(ledger: readonly Entry[]): readonly Violation[] {
  const counts = new Map<string, number>();
  for (const entry of ledger) {
    if (entry.t !== 'effect' || entry.twin) continue;
    const key = `${entry.workflowId}:${entry.index}:${entry.attempt} by worker ${entry.worker}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([key, count]) => fault('effect repeated', `${key}: ${count} times`));
}

export function fault(rule: Violation['rule'], what: string): Violation {
  return { rule, what };
}
