import type { AnyEvent, Recorded } from '@tinkerbell/events';
import type { MachineRow, WorkflowRow } from '@tinkerbell/projections';
import type { Cause } from './explanation';
import { tell, type ActionName } from '../telling/tell';

export interface Focus {
  readonly machineId: string | undefined;
  readonly machine: MachineRow | undefined;
  readonly workflow: WorkflowRow | undefined;
}

/** A run of successes that is longer is told in one sentence. */
const longestRun = 4;

/**
 * The events that led to the present state, told: the record as it is, what the workflow was made from and what became of each action,
 * and the machine's way since its last power-on. What a later event of its kind overtook is left out.
 */
export function causesOf(events: readonly Recorded<AnyEvent>[], focus: Focus, nameOf: ActionName): readonly Cause[] {
  const machine = newestOfTheirKind(events.filter((recorded) => isOfMachine(recorded, focus)));
  const workflow = events.filter((recorded) => isOfWorkflow(recorded, focus));
  const told = [...machine, ...withoutFinishedStarts(workflow)].sort(
    (a, b) => a.position - b.position || a.index - b.index,
  );
  return shortened(told, nameOf);
}

/** The machine that an event is about, unless it is one of a workflow or a template. */
export function machineIdOf({ aggregate, aggregateId, event }: Recorded<AnyEvent>): string | undefined {
  if (aggregate === 'hardware' || aggregate === 'enrolment') return aggregateId;
  return aggregate !== 'workflow' && 'hardwareId' in event.data ? (event.data.hardwareId ?? undefined) : undefined;
}

function isOfMachine(recorded: Recorded<AnyEvent>, { machineId, machine }: Focus): boolean {
  if (machineId === undefined || machineIdOf(recorded) !== machineId) return false;
  if (recorded.aggregate !== 'boot' && recorded.aggregate !== 'enrolment') return true;
  const powerOn = machine?.steps[0]?.at;
  return powerOn === undefined || recorded.at >= powerOn;
}

function isOfWorkflow({ aggregate, aggregateId, version }: Recorded<AnyEvent>, { workflow }: Focus): boolean {
  if (!workflow) return false;
  if (aggregate === 'workflow') return aggregateId === workflow.id;
  return aggregate === 'template' && aggregateId === workflow.templateId && version === workflow.templateVersion;
}

/** Of hardware, leases and readiness only the newest event of a type says what is. */
function newestOfTheirKind(events: readonly Recorded<AnyEvent>[]): readonly Recorded<AnyEvent>[] {
  const replaces = ({ aggregate, event }: Recorded<AnyEvent>) =>
    aggregate === 'hardware' || aggregate === 'lease' || event.type === 'WorkerReady';
  const newest = new Map(events.map((recorded) => [recorded.event.type, recorded]));
  return events.filter((recorded) => !replaces(recorded) || newest.get(recorded.event.type) === recorded);
}

/** That an action started goes without saying when it is told how it ended; its data is not a cause. */
function withoutFinishedStarts(events: readonly Recorded<AnyEvent>[]): readonly Recorded<AnyEvent>[] {
  const attempt = ({ data }: { readonly data: { readonly index: number; readonly attempt: number } }) =>
    `${data.index} ${data.attempt}`;
  const finished = new Set(
    events.flatMap(({ event }) =>
      event.type === 'ActionSucceeded' ||
      event.type === 'ActionFailed' ||
      event.type === 'ActionTimedOut' ||
      event.type === 'ActionAttemptFailed' ||
      event.type === 'ActionCancelled' ||
      event.type === 'ActionOutcomeUnknown'
        ? [attempt(event)]
        : [],
    ),
  );
  const begins = ({ event }: Recorded<AnyEvent>) =>
    (event.type === 'ActionStarted' || event.type === 'ActionPermitGranted') && finished.has(attempt(event));
  return withoutRepeatedRefusals(events).filter(
    (recorded) => recorded.event.type !== 'WorkflowDataUpdated' && !begins(recorded),
  );
}

/** A worker repeats a report that is refused: the newest of the same kind tells it. */
function withoutRepeatedRefusals(events: readonly Recorded<AnyEvent>[]): readonly Recorded<AnyEvent>[] {
  const kindOf = ({ event }: Recorded<AnyEvent>) =>
    event.type === 'ReportRefused' ? `${event.data.index} ${event.data.kind} ${event.data.code}` : undefined;
  const newest = new Map(events.map((recorded) => [kindOf(recorded), recorded]));
  return events.filter((recorded) => {
    const kind = kindOf(recorded);
    return kind === undefined || newest.get(kind) === recorded;
  });
}

/** Many successes in a row become one sentence; the last of them keeps its own. */
function shortened(events: readonly Recorded<AnyEvent>[], nameOf: ActionName): readonly Cause[] {
  const causes: Cause[] = [];
  for (let i = 0; i < events.length;) {
    const end = events.findIndex(({ event }, at) => at >= i && event.type !== 'ActionSucceeded');
    const run = events.slice(i, end < 0 ? events.length : end);
    const [first, last] = [run[0], run.at(-2)];
    if (run.length > longestRun && first && last) {
      const text = `${run.length - 1} actions succeeded, from ${actionOf(first, nameOf)} to ${actionOf(last, nameOf)}`;
      causes.push({ ...causeOf(last, nameOf), text });
      i += run.length - 1;
    }
    const told = run.length > longestRun ? run.slice(-1) : run.length > 0 ? run : events.slice(i, i + 1);
    causes.push(...told.map((recorded) => causeOf(recorded, nameOf)));
    i += told.length;
  }
  return causes;
}

function actionOf({ event, aggregateId }: Recorded<AnyEvent>, nameOf: ActionName): string {
  return event.type === 'ActionSucceeded' ? (nameOf(aggregateId, event.data.index) ?? '') : event.type;
}

function causeOf(recorded: Recorded<AnyEvent>, nameOf: ActionName): Cause {
  const { at, position, aggregate, aggregateId, event } = recorded;
  return { at, position, aggregate, aggregateId, type: event.type, text: tell(recorded, nameOf).text };
}
