import { outlooks, type Outlook } from '@tinkerbell/domain';
import { failureOf, tryText, type ActionRow, type ActionStatus } from '@tinkerbell/projections';
import type { WorkflowItem } from '../api-types';
import { showMac } from '../output/print';
import { colorOf, fit, harmless, paint, plain, widthOf, type Screen } from '../output/screen';
import { relative, took } from '../output/time';
import { count } from '@tinkerbell/history';
import { notesOf } from './workflow-notes';
import { actionTime, isDone, isEnded } from './workflow-facts';

const marks: Readonly<Record<ActionStatus | 'blocked', string>> = {
  pending: '·',
  running: '▸',
  success: '✔',
  failed: '✖',
  timeout: '✖',
  cancelled: '⊘',
  skipped: '↷',
  unknown: '?',
  'awaiting-approval': '‖',
  blocked: '∅',
};

interface Picture {
  readonly item: WorkflowItem;
  /** The newest line of output of each action that wrote one, by its index. */
  readonly lines: ReadonlyMap<number, string>;
  readonly note: string;
}

interface Row {
  readonly text: string;
  /** Wanted in sight when not all fit. */
  readonly keep: boolean;
  /** Of its action; -1 for the name of a task. */
  readonly index: number;
}

interface Paper {
  readonly columns: number;
  readonly now: number;
  readonly screen: Screen;
}

/** The whole picture of a workflow, no line longer and not more lines than the terminal has. */
export function frame({ item, lines, note }: Picture, now: number, screen: Screen): readonly string[] {
  const columns = screen.columns ?? 80;
  const paper: Paper = { columns, now, screen };
  const head = [paint(screen, 'bold', fit(workflowTitle(item), columns)), ''];
  const foot = ['', ...footer(item, paper), ...(note === '' ? [] : [paint(screen, 'yellow', fit(note, columns))])];
  const height = (screen.rows ?? Infinity) - head.length - foot.length - 1;
  return [...head, ...windowed(actionRows(item, lines, paper), height, item.current), ...foot];
}

/** Action by action, task by task: of two tasks at work at once each keeps its lines together. */
function actionRows(item: WorkflowItem, lines: ReadonlyMap<number, string>, paper: Paper): readonly Row[] {
  const { actions } = item;
  const nameWidth = Math.max(...actions.map(({ spec }) => widthOf(plain(spec.name))), 8);
  const found = outlooks(
    actions.map(({ spec }) => spec.plan),
    actions.map(({ status }) => status),
  );
  const tasks = [...new Set(actions.map(({ spec }) => spec.task))];
  return tasks.flatMap((task) => {
    const rows = actions.flatMap((action, index) =>
      action.spec.task === task
        ? rowsOf(item, index, { nameWidth, outlook: found[index] ?? 'waiting', output: lines.get(index) ?? '' }, paper)
        : [],
    );
    if (tasks.length === 1) return rows;
    return [{ text: paint(paper.screen, 'dim', fit(plain(task), paper.columns)), keep: false, index: -1 }, ...rows];
  });
}

interface Extra {
  readonly nameWidth: number;
  readonly outlook: Outlook;
  readonly output: string;
}

function rowsOf(
  item: WorkflowItem,
  index: number,
  { nameWidth, outlook, output }: Extra,
  paper: Paper,
): readonly Row[] {
  const { screen, columns, now } = paper;
  const action = item.actions[index];
  if (!action) return [];
  const { spec, status, attempt } = action;
  const state = outlook === 'blocked' ? 'blocked' : status;
  const name = plain(spec.name) + ' '.repeat(Math.max(0, nameWidth - widthOf(plain(spec.name))));
  const more = attempt > 1 ? ` (${tryText(action, attempt)})` : needsText(item, index, outlook);
  const text = `${marks[state]} ${name}  ${state.padEnd(8)} ${actionTime(action, now).padStart(7)}${more}`;
  const keep = !isDone(action) && (status !== 'pending' || action.retryAt !== null);
  const main = { text: paint(screen, state === 'blocked' ? 'dim' : colorOf(status), fit(text, columns)), keep, index };
  const detail = status === 'running' ? harmless(output, false) : detailOf(action, now);
  if (detail === '') return [main];
  return [main, { text: paint(screen, 'dim', fit(`      ${plain(detail)}`, columns)), keep, index }];
}

/** What an action of a graph waits for; in a plain list that is the line above. */
function needsText({ actions }: WorkflowItem, index: number, outlook: Outlook): string {
  const action = actions[index];
  if (action?.status !== 'pending' || outlook !== 'waiting') return '';
  const { needs, runs } = action.spec.plan;
  if (runs === 'success' && needs.length === 1 && needs[0] === index - 1) return '';
  const names = needs.map((need) => plain(actions[need]?.spec.name ?? '')).join(', ');
  if (runs === 'failure' || runs === 'timeout') return ` if ${names} ${runs === 'failure' ? 'fails' : 'times out'}`;
  return names === '' ? '' : ` after ${names}`;
}

/** What to know of an action that does not run. */
function detailOf(action: ActionRow, now: number): string {
  const { status, message, retryAt, attempt } = action;
  if (status === 'failed' || status === 'timeout') return failureText(action);
  if (status === 'pending' && retryAt !== null) {
    return `${tryText(action, attempt + 1)} follows (${relative(retryAt, now)}); the last one: ${failureOf(action)}`;
  }
  return status === 'pending' || status === 'success' ? '' : message;
}

export function failureText({ status, message, exitCode }: ActionRow): string {
  if (status !== 'failed' && status !== 'timeout') return '';
  const code = exitCode === null ? '' : `exit code ${exitCode}`;
  return [code, plain(message)].filter((part) => part !== '').join(': ');
}

export function workflowTitle({ id, templateName, devices, actions }: WorkflowItem): string {
  const machines = Object.values(devices).map(showMac).join(', ');
  return plain(`workflow ${id}: ${templateName} on ${machines}, ${count(actions.length, 'action')}`);
}

function footer(item: WorkflowItem, { now, columns, screen }: Paper): readonly string[] {
  const notes = notesOf(item, now).flatMap(({ text, color, command }) => [
    paint(screen, color, fit(text, columns)),
    // Never cut: it is there to be copied.
    ...(command === null ? [] : folded(`  ${command}`, columns)),
  ]);
  if (isEnded(item.status)) return [paint(screen, colorOf(item.status), outcomeText(item)), ...notes];
  // What it waits for says more than that it is running.
  if (item.waiting !== null) return notes;
  const since = item.startedAt === null ? '' : ` for ${took(Math.max(0, (now - Date.parse(item.startedAt)) / 1000))}`;
  const running = item.actions.filter(({ status }) => status === 'running').length;
  return [`${item.status}${since}${running > 1 ? `, ${running} actions at once` : ''}`, ...notes];
}

export function outcomeText({ status, startedAt, finishedAt }: WorkflowItem): string {
  const words = {
    success: 'succeeded',
    failed: 'FAILED',
    timeout: 'TIMED OUT',
    cancelled: 'CANCELLED',
    pending: 'pending',
    running: 'running',
  };
  const seconds =
    startedAt === null || finishedAt === null ? undefined : (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
  return `workflow ${words[status]}${seconds === undefined ? '' : ` after ${took(Math.max(0, seconds))}`}`;
}

function folded(text: string, columns: number): readonly string[] {
  const characters = [...text];
  const lines: string[] = [];
  for (let i = 0; i < characters.length; i += columns) lines.push(characters.slice(i, i + columns).join(''));
  return lines;
}

/** So many lines: those to keep, then those around the first of them, or around the current action. */
function windowed(rows: readonly Row[], height: number, current: number): readonly string[] {
  const all = rows.map(({ text }) => text);
  if (rows.length <= height || height < 1) return all;
  const kept = rows.findIndex(({ keep }) => keep);
  const next = rows.findIndex(({ index }) => index === current);
  const first = kept >= 0 ? kept : Math.max(0, next);
  const order = all
    .map((_, index) => index)
    .sort((a, b) => rank(rows, a, first) - rank(rows, b, first))
    .slice(0, height);
  return order.sort((a, b) => a - b).map((index) => all[index] ?? '');
}

function rank(rows: readonly Row[], index: number, first: number): number {
  return rows[index]?.keep ? index - rows.length : Math.abs(index - first);
}
