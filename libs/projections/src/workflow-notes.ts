import { isTerminal } from '@tinkerbell/domain';
import type { PlannedAction } from '@tinkerbell/events';
import type { ActionRow, ActionStatus, WorkflowRow } from './rows';
import type { QueuePlace } from './work-order';

/** What there is to know of a workflow beside the states of its actions. */
export interface WorkflowNote {
  /** Stays the same while the note is about the same thing. */
  readonly key: string;
  readonly text: string;
  /** `info`: good to know; `wait`: it does not go on by now; `ask`: a person has to decide; `bad`: something is wrong. */
  readonly tone: 'info' | 'wait' | 'ask' | 'bad';
  /** Since when or until when; null when time says nothing. */
  readonly at: string | null;
  /** What to type about it; null when there is nothing to do. */
  readonly command: string | null;
}

type Noted = Pick<
  WorkflowRow,
  'id' | 'status' | 'actions' | 'origin' | 'paused' | 'cancelling' | 'cancelRequestedAt' | 'delays' | 'refusedReports'
> & { readonly waiting: string | null; readonly queue: QueuePlace | null };

export function workflowNotes(item: Noted): readonly WorkflowNote[] {
  const { id, origin, actions, refusedReports, status } = item;
  const notes: WorkflowNote[] = [];
  if (origin) {
    const text = originText(origin.workflowId, shortNames(actions.map(({ spec }) => spec))[origin.from], origin.from);
    notes.push({ ...plainNote, key: 'origin', text });
  }
  if (!isTerminal(status)) notes.push(...openNotes(item));
  if (refusedReports > 0) {
    const text =
      refusedReports === 1
        ? '1 report of its workers was refused'
        : `${refusedReports} reports of its workers were refused`;
    const command = `tink events --id ${id} --type ReportRefused --from all`;
    notes.push({ ...plainNote, key: `refused ${refusedReports}`, text, tone: 'bad', command });
  }
  return notes;
}

const plainNote = { tone: 'info', at: null, command: null } as const;

function openNotes(item: Noted): readonly WorkflowNote[] {
  const { actions, delays, paused, cancelling } = item;
  const names = shortNames(actions.map(({ spec }) => spec));
  const holding = [
    ...(cancelling ? [cancelNote(item)] : []),
    ...(paused && !cancelling ? [pauseNote(item)] : []),
    ...actions.flatMap((action, index) => (cancelling ? [] : (actionNote(item, action, names[index] ?? '') ?? []))),
  ];
  const waits = holding.length > 0 || item.waiting === null ? [] : [waitingNote(item, item.waiting)];
  const late = delays.map(({ cause, workerId, message, at }): WorkflowNote => {
    return { ...plainNote, key: `late ${cause} ${workerId}`, text: `late: ${message}`, tone: 'bad', at };
  });
  return [...holding, ...waits, ...late];
}

function cancelNote({ actions, cancelRequestedAt }: Noted): WorkflowNote {
  const text = `cancelling: its worker is told to stop ${namesIn(actions, 'running').join(', ')}`;
  return { ...plainNote, key: 'cancelling', text, tone: 'wait', at: cancelRequestedAt };
}

function pauseNote({ id }: Noted): WorkflowNote {
  const text = 'paused: nothing further of it starts';
  return { ...plainNote, key: 'paused', text, tone: 'wait', command: `tink workflow resume ${id}` };
}

/** What an action needs of a person, or when it is tried again. */
function actionNote({ id }: Noted, action: ActionRow, name: string): WorkflowNote | undefined {
  const { status, attempt, message, retryAt } = action;
  if (status === 'awaiting-approval') {
    const command = `tink workflow approve ${id} ${quoted(name)}`;
    const text = `${name} awaits approval (or "tink workflow reject"): ${message}`;
    return { ...plainNote, key: `approval ${name}`, text, tone: 'ask', command };
  }
  if (status === 'unknown') {
    const command = `tink workflow resolve ${id} ${quoted(name)} --as restart`;
    const text = `nobody knows what became of ${name} (restart, resume, succeeded or failed?): ${message}`;
    return { ...plainNote, key: `unknown ${name} ${attempt}`, text, tone: 'ask', command };
  }
  if (status !== 'pending' || retryAt === null) return undefined;
  const text = `${name}: ${tryText(action, attempt + 1)} follows; the last one: ${failureOf(action)}`;
  return { ...plainNote, key: `retry ${name} ${attempt}`, text, tone: 'wait', at: retryAt };
}

function waitingNote({ queue, actions }: Noted, waiting: string): WorkflowNote {
  const machines = new Set(actions.map(({ spec }) => spec.workerId)).size;
  const where = machines === 1 ? 'this machine' : `machine ${queue?.workerId ?? ''}`;
  const text = queue ? ` for workflow ${queue.behind} on ${where}, position ${queue.position}` : `: ${waiting}`;
  return { ...plainNote, key: `waiting ${text}`, text: `waiting${text}`, tone: 'wait' };
}

/** What a workflow that repeats another one does of it. `from`: index of the action that it begins with. */
export function originText(workflowId: string, action: string | undefined, from: number): string {
  const whole = `repeats workflow ${workflowId}`;
  return from === 0 ? whole : `${whole} from ${action ?? `action ${from + 1}`} on`;
}

/** What each action is called, and may be called in a command: its name, or its id (`task/name`) when another one has that name too. */
export function shortNames(actions: readonly PlannedAction[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { name } of actions) counts.set(name, (counts.get(name) ?? 0) + 1);
  return actions.map(({ name, plan }) => ((counts.get(name) ?? 0) > 1 ? plan.id : name));
}

/** How the actions in this state are called. */
export function namesIn(actions: readonly ActionRow[], status: ActionStatus): readonly string[] {
  const names = shortNames(actions.map(({ spec }) => spec));
  return actions.flatMap((action, index) => (action.status === status ? [names[index] ?? ''] : []));
}

/** `try 2 of 4` when it may be tried again, else `attempt 2`. */
export function tryText({ spec }: Pick<ActionRow, 'spec'>, number: number): string {
  const { retry } = spec.plan;
  return retry === null ? `attempt ${number}` : `try ${number} of ${Math.max(number, retry.limit + 1)}`;
}

/** Why the last try, or the action, ended badly. */
export function failureOf({ message, exitCode, reason }: Pick<ActionRow, 'message' | 'exitCode' | 'reason'>): string {
  const code = exitCode === null ? (reason ?? '') : `exit code ${exitCode}`;
  return [code, message].filter((part) => part !== '').join(': ') || 'it timed out';
}

/** A word for a shell, in quotes when it needs them. */
function quoted(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
