import type { ActionRow, ActionStatus } from '@tinkerbell/projections';
import type { WorkflowItem } from '../api-types';
import { showMac } from '../output/print';
import { colorOf, fit, harmless, paint, plain, widthOf, type Screen } from '../output/screen';
import { clock, took } from '../output/time';
import { count } from '../story/tell';
import { actionTime, isEnded } from './workflow-views';

const marks: Readonly<Record<ActionStatus, string>> = {
  pending: '·',
  running: '▸',
  success: '✔',
  failed: '✖',
  timeout: '✖',
  cancelled: '⊘',
  skipped: '↷',
  unknown: '?',
  'awaiting-approval': '‖',
};

interface Picture {
  readonly item: WorkflowItem;
  readonly line: { readonly index: number; readonly text: string };
  readonly note: string;
}

/** The whole picture of a workflow, no line longer and not more lines than the terminal has. */
export function frame({ item, line, note }: Picture, now: number, screen: Screen): readonly string[] {
  const columns = screen.columns ?? 80;
  const nameWidth = Math.max(...item.actions.map(({ spec }) => widthOf(spec.name)), 8);
  const rows = item.actions.flatMap((action, index) => {
    const main = actionLine(action, nameWidth, now, columns, screen);
    const output = line.index === index ? line.text : '';
    const detail = action.status === 'running' ? harmless(output, false) : failureText(action);
    return detail === '' ? [main] : [main, paint(screen, 'dim', fit(`      ${plain(detail)}`, columns))];
  });
  const head = [paint(screen, 'bold', fit(title(item), columns)), ''];
  const foot = [
    '',
    ...footer(item, now, columns, screen),
    ...(note === '' ? [] : [paint(screen, 'yellow', fit(note, columns))]),
  ];
  return [...head, ...windowed(rows, (screen.rows ?? Infinity) - head.length - foot.length - 1, item.current), ...foot];
}

/** Lines for a log file: what changed since the workflow was last shown. */
export function plainChanges(screen: Screen): (item: WorkflowItem, now: number) => readonly string[] {
  let before: WorkflowItem | undefined;
  return (item, now) => {
    const at = (iso: string | null) => clock(iso ?? new Date(now).toISOString(), now);
    const lines: string[] = [];
    if (!before) lines.push(`${at(item.createdAt)}  ${title(item)}`);
    if (item.waiting && item.waiting !== before?.waiting) lines.push(`${at(null)}  waiting: ${plain(item.waiting)}`);
    item.actions.forEach((action, index) => {
      const old = before?.actions[index];
      if (action.status === (old?.status ?? 'pending') && action.attempt === (old?.attempt ?? action.attempt)) return;
      const { spec, status, startedAt, finishedAt } = action;
      const time = action.seconds === null ? '' : `  ${took(action.seconds)}`;
      const failure = failureText(action);
      const state = paint(screen, colorOf(status), status);
      lines.push(
        `${at(finishedAt ?? startedAt)}  ${spec.task}/${spec.name}  ${state}${time}${failure === '' ? '' : `  ${failure}`}`,
      );
    });
    if (isEnded(item.status)) lines.push(`${at(item.finishedAt)}  ${outcome(item)}`);
    before = item;
    return lines;
  };
}

function title({ id, templateName, devices, actions }: WorkflowItem): string {
  const machines = Object.values(devices).map(showMac).join(', ');
  return plain(`workflow ${id}: ${templateName} on ${machines}, ${count(actions.length, 'action')}`);
}

function actionLine(action: ActionRow, nameWidth: number, now: number, columns: number, screen: Screen): string {
  const { spec, status, attempt } = action;
  const again = attempt > 1 ? ` (attempt ${attempt})` : '';
  const name = plain(spec.name) + ' '.repeat(Math.max(0, nameWidth - widthOf(plain(spec.name))));
  const text = `${marks[status]} ${name}  ${status.padEnd(8)} ${actionTime(action, now).padStart(7)}${again}`;
  return paint(screen, colorOf(status), fit(text, columns));
}

function failureText({ status, message, exitCode }: ActionRow): string {
  if (status !== 'failed' && status !== 'timeout') return '';
  const code = exitCode === null ? '' : `exit code ${exitCode}`;
  return [code, plain(message)].filter((part) => part !== '').join(': ');
}

function footer(item: WorkflowItem, now: number, columns: number, screen: Screen): readonly string[] {
  if (isEnded(item.status)) return [paint(screen, colorOf(item.status), outcome(item))];
  if (item.waiting) return [paint(screen, 'yellow', fit(`waiting: ${plain(item.waiting)}`, columns))];
  const since = item.startedAt === null ? '' : ` for ${took(Math.max(0, (now - Date.parse(item.startedAt)) / 1000))}`;
  return [`${item.status}${since}`];
}

function outcome({ status, startedAt, finishedAt }: WorkflowItem): string {
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

/** So many lines, those around the current one. */
function windowed(rows: readonly string[], height: number, current: number): readonly string[] {
  if (rows.length <= height || height < 1) return rows;
  const start = Math.max(0, Math.min(current - Math.floor(height / 2), rows.length - height));
  return rows.slice(start, start + height);
}
