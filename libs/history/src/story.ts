import type { AnyEvent, Recorded } from '@tinkerbell/events';
import type { Bundle, OutputLine } from './bundle';
import { machineIdOf } from './explain/causes';

/** One thing that happened: an event of the log, or a line of output. `at`: milliseconds since 1970, by the clock of the log. */
export type Happening =
  | { readonly at: number; readonly kind: 'event'; readonly recorded: Recorded<AnyEvent> }
  | { readonly at: number; readonly kind: 'line'; readonly line: OutputLine };

type Told = Pick<Bundle, 'events' | 'lines'>;

/**
 * The story of one workflow in the order in which it happened: from its creation to its last event, or until one of its machines has
 * called home afterwards; what its machines did, and what its actions wrote.
 */
export function storyOf({ events, lines }: Told, workflowId: string): readonly Happening[] {
  const own = events.filter(({ aggregate, aggregateId }) => aggregate === 'workflow' && aggregateId === workflowId);
  const [first, last] = [own[0], own.at(-1)];
  if (first?.event.type !== 'WorkflowCreated' || !last) return [];
  const machines = new Set(first.event.data.actions.map(({ workerId }) => workerId));
  const theirs = events.filter((recorded) => machines.has(machineIdOf(recorded) ?? ''));
  const isAfter = ({ position }: Recorded) => position > last.position;
  const next = events.find((recorded) => recorded.event.type === 'WorkflowCreated' && isAfter(recorded));
  const home = theirs.find((recorded) => recorded.event.type === 'MachinePhonedHome' && isAfter(recorded));
  const end = home && home.position < (next?.position ?? Infinity) ? home.position : last.position;
  const meanwhile = theirs.filter(({ position }) => position >= first.position && position <= end);
  return everythingIn({
    events: [...own, ...meanwhile],
    lines: lines.filter((line) => line.workflowId === workflowId),
  });
}

/** Everything in a bundle, in the order in which it happened. */
export function everythingIn({ events, lines }: Told): readonly Happening[] {
  const attempts = attemptsIn(events);
  const placed: readonly (Happening & { readonly place: number })[] = [
    ...events.map((recorded) => ({
      at: Date.parse(recorded.at),
      place: recorded.position + recorded.index / 1000,
      kind: 'event' as const,
      recorded,
    })),
    ...lines.map((line) => ({ ...placeOf(line, attempts), kind: 'line' as const, line })),
  ];
  return placed.toSorted((a, b) => a.at - b.at || a.place - b.place).map(({ place: _, ...happening }) => happening);
}

/** One run of an action: by the clock of the log, and by its worker's when it began. Milliseconds since 1970. */
interface Attempt {
  readonly position: number;
  readonly at: number;
  readonly startedAt: number;
  /** Of its last event: its own end, or that of its on-failure command. */
  end: number;
}

/** What is about an attempt, but comes before it, or when it is over. */
const notOfARun: ReadonlySet<string> = new Set(['ActionPermitGranted', 'ActionOutcomeResolved', 'ReportRefused']);

function attemptsIn(events: readonly Recorded<AnyEvent>[]): ReadonlyMap<string, readonly Attempt[]> {
  const attempts = new Map<string, Attempt[]>();
  for (const { aggregateId, position, event, at: stored } of events) {
    if (!('attempt' in event.data) || notOfARun.has(event.type)) continue;
    const at = Date.parse(stored);
    const key = `${aggregateId} ${event.data.index}`;
    const known = attempts.get(key) ?? [];
    const last = known.at(-1);
    if (event.type === 'ActionStarted') {
      known.push({ position, at, startedAt: Date.parse(event.data.startedAt), end: Infinity });
    } else if (last) last.end = at;
    attempts.set(key, known);
  }
  return attempts;
}

/**
 * Lines have their worker's time, and are often stored sooner than the report that their action began: they are told as long after it as
 * their worker wrote them, and before it ended.
 */
function placeOf({ workflowId, index, at: written }: OutputLine, attempts: ReadonlyMap<string, readonly Attempt[]>) {
  const at = Date.parse(written);
  const known = attempts.get(`${workflowId} ${index}`) ?? [];
  const attempt = known.findLast(({ startedAt }) => startedAt <= at) ?? known[0];
  if (!attempt) return { at, place: Number.MAX_SAFE_INTEGER };
  const told = attempt.at + Math.max(0, at - attempt.startedAt);
  return { at: Math.min(told, Math.max(attempt.end, attempt.at)), place: attempt.position + 0.5 };
}
