import type { ActionRow } from '@tinkerbell/projections';
import type { WorkflowItem } from '../api-types';
import { plain, type Color } from '../output/screen';
import { relative } from '../output/time';
import { shortNames } from '../story/action-names';
import { count } from '../story/tales';
import { originText } from '../story/tell-workflow';
import { isEnded, namesIn } from './workflow-facts';

/** What there is to know of a workflow beside the states of its actions. */
export interface Note {
  /** Stays the same while the note is about the same thing. */
  readonly key: string;
  /** One line of plain text. */
  readonly text: string;
  readonly color?: Color;
  /** What to type about it. */
  readonly command?: string;
}

export function notesOf(item: WorkflowItem, now: number): readonly Note[] {
  const { id, origin, actions, refusedReports, status } = item;
  const names = shortNames(actions.map(({ spec }) => spec));
  const notes: Note[] = [];
  if (origin) notes.push({ key: 'origin', text: originText(origin.workflowId, names[origin.from], origin.from) });
  if (!isEnded(status)) notes.push(...openNotes(item, names, now));
  if (refusedReports > 0) {
    const text = `${count(refusedReports, 'report')} of its workers ${refusedReports === 1 ? 'was' : 'were'} refused`;
    const command = `tink events --id ${id} --type ReportRefused --from all`;
    notes.push({ key: `refused ${refusedReports}`, text, color: 'red', command });
  }
  return notes;
}

function openNotes(item: WorkflowItem, names: readonly string[], now: number): readonly Note[] {
  const { actions, delays, paused, cancelling } = item;
  const holding = [
    ...(cancelling ? [cancelNote(item, now)] : []),
    ...(paused && !cancelling ? [pauseNote(item)] : []),
    ...actions.flatMap((action, index) => actionNote(item, action, names[index] ?? '', now) ?? []),
  ];
  const waits = holding.length > 0 || item.waiting === null ? [] : [waitingNote(item, item.waiting)];
  const late = delays.map(({ cause, workerId, message, at }): Note => {
    return {
      key: `late ${cause} ${workerId}`,
      text: plain(`late (${relative(at, now)}): ${message}`),
      color: 'yellow',
    };
  });
  return [...holding, ...waits, ...late];
}

function cancelNote(item: WorkflowItem, now: number): Note {
  const running = namesIn(item, 'running');
  const since = item.cancelRequestedAt === null ? '' : ` (asked ${relative(item.cancelRequestedAt, now)})`;
  const text = plain(`cancelling${since}: its worker is told to stop ${running.join(', ')}`);
  return { key: 'cancelling', text, color: 'yellow' };
}

function pauseNote({ id }: WorkflowItem): Note {
  const text = 'paused: nothing further of it starts';
  return { key: 'paused', text, color: 'yellow', command: `tink workflow resume ${id}` };
}

/** What an action needs of a person, or when it is tried again. */
function actionNote({ id }: WorkflowItem, action: ActionRow, name: string, now: number): Note | undefined {
  const { status, attempt, message, retryAt } = action;
  if (status === 'awaiting-approval') {
    const command = `tink workflow approve ${id} ${quoted(name)}`;
    const text = plain(`${name} awaits approval (or "tink workflow reject"): ${message}`);
    return { key: `approval ${name}`, text, color: 'yellow', command };
  }
  if (status === 'unknown') {
    const command = `tink workflow resolve ${id} ${quoted(name)} --as restart`;
    const text = plain(`nobody knows what became of ${name} (restart, resume, succeeded or failed?): ${message}`);
    return { key: `unknown ${name} ${attempt}`, text, color: 'red', command };
  }
  if (status !== 'pending' || retryAt === null) return undefined;
  const text = plain(
    `${name}: ${tryText(action, attempt + 1)} ${dueText(retryAt, now)}; the last one: ${failureOf(action)}`,
  );
  return { key: `retry ${name} ${attempt}`, text, color: 'yellow' };
}

function waitingNote({ queue, actions }: WorkflowItem, waiting: string): Note {
  const machines = new Set(actions.map(({ spec }) => spec.workerId)).size;
  const where = machines === 1 ? 'this machine' : `machine ${queue?.workerId ?? ''}`;
  const text = queue ? ` for workflow ${queue.behind} on ${where}, position ${queue.position}` : `: ${waiting}`;
  return { key: `waiting ${text}`, text: plain(`waiting${text}`), color: 'yellow' };
}

/** `try 2 of 4` when it may be tried again, else `attempt 2`. */
export function tryText({ spec }: ActionRow, number: number): string {
  const { retry } = spec.plan;
  return retry === null ? `attempt ${number}` : `try ${number} of ${Math.max(number, retry.limit + 1)}`;
}

/** Why the last try, or the action, ended badly. */
export function failureOf({ message, exitCode, reason }: ActionRow): string {
  const code = exitCode === null ? (reason ?? '') : `exit code ${exitCode}`;
  return [code, plain(message)].filter((part) => part !== '').join(': ') || 'it timed out';
}

/** `in 5s`, `now` when that is over. */
export function dueText(iso: string, now: number): string {
  return Date.parse(iso) <= now ? 'is due' : relative(iso, now);
}

/** A word for a shell, in quotes when it needs them. */
function quoted(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
