import type { AnyEvent, Recorded } from '@tinkerbell/events';
import type { Bundle, OutputLine } from './bundle';
import { machineIdOf } from './explain/causes';

/** One thing that happened: an event of the log, or a line of output. `at`: milliseconds since 1970. */
export type Happening =
  | { readonly at: number; readonly kind: 'event'; readonly recorded: Recorded<AnyEvent> }
  | { readonly at: number; readonly kind: 'line'; readonly line: OutputLine };

/**
 * The story of one workflow in the order in which it happened: from its creation to its last event, or until its machines have called
 * home afterwards; what its machines did, and what its actions wrote.
 */
export function storyOf({ events, lines }: Pick<Bundle, 'events' | 'lines'>, workflowId: string): readonly Happening[] {
  const own = events.filter(({ aggregate, aggregateId }) => aggregate === 'workflow' && aggregateId === workflowId);
  const [first, last] = [own[0], own.at(-1)];
  if (!first || !last) return [];
  const machines = new Set(
    first.event.type === 'WorkflowCreated' ? first.event.data.actions.map(({ workerId }) => workerId) : [],
  );
  const ofMachines = events.filter((recorded) => machines.has(machineIdOf(recorded) ?? ''));
  const next = events.find(({ event, position }) => event.type === 'WorkflowCreated' && position > last.position);
  const homes = ofMachines.filter(
    ({ event, position }) =>
      event.type === 'MachinePhonedHome' && position > last.position && position < (next?.position ?? Infinity),
  );
  const end = homes[0]?.position ?? last.position;
  const told = ofMachines.filter(({ position }) => position >= first.position && position <= end);
  const happenings: readonly Happening[] = [
    ...[...own, ...told].map((recorded) => ({ at: Date.parse(recorded.at), kind: 'event' as const, recorded })),
    ...lines
      .filter((line) => line.workflowId === workflowId)
      .map((line) => ({ at: Date.parse(line.at), kind: 'line' as const, line })),
  ];
  return happenings.toSorted((a, b) => a.at - b.at || placeOf(a) - placeOf(b));
}

/** Everything in a bundle, in the order in which it happened. */
export function everythingIn({ events, lines }: Pick<Bundle, 'events' | 'lines'>): readonly Happening[] {
  const happenings: readonly Happening[] = [
    ...events.map((recorded) => ({ at: Date.parse(recorded.at), kind: 'event' as const, recorded })),
    ...lines.map((line) => ({ at: Date.parse(line.at), kind: 'line' as const, line })),
  ];
  return happenings.toSorted((a, b) => a.at - b.at || placeOf(a) - placeOf(b));
}

/** At the same time: events as in the log, output after the start that it belongs to. */
function placeOf(happening: Happening): number {
  if (happening.kind === 'line') return Number.MAX_SAFE_INTEGER;
  const { position, index } = happening.recorded;
  return position + index / 1000;
}
