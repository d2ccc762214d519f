import { failureOf, tryText, type ActionRow } from '@tinkerbell/projections';
import type { WorkflowItem } from '../api-types';
import { colorOf, paint, plain, type Screen } from '../output/screen';
import { clock, took } from '../output/time';
import { failureText, outcomeText, workflowTitle } from './workflow-frame';
import { notesOf } from './workflow-notes';
import { isEnded } from './workflow-facts';

/** Lines for a log file: what changed since the workflow was last shown. */
export function plainChanges(screen: Screen): (item: WorkflowItem, now: number) => readonly string[] {
  let before: WorkflowItem | undefined;
  return (item, now) => {
    const at = (iso: string | null) => clock(iso ?? new Date(now).toISOString(), now);
    const lines: string[] = [];
    if (!before) lines.push(`${at(item.createdAt)}  ${workflowTitle(item)}`);
    const known = new Set(before ? notesOf(before, now).map(({ key }) => key) : []);
    item.actions.forEach((action, index) => {
      const old = before?.actions[index];
      if (action.status === (old?.status ?? 'pending') && action.attempt === (old?.attempt ?? action.attempt)) return;
      lines.push(`${at(action.finishedAt ?? action.startedAt)}  ${changeText(action, screen)}`);
    });
    for (const { key, text, command } of notesOf(item, now)) {
      if (!known.has(key)) lines.push(`${at(null)}  ${text}${command === null ? '' : `: ${command}`}`);
    }
    if (before?.paused && !item.paused && !isEnded(item.status)) lines.push(`${at(null)}  resumed`);
    if (isEnded(item.status)) lines.push(`${at(item.finishedAt)}  ${outcomeText(item)}`);
    before = item;
    return lines;
  };
}

function changeText(action: ActionRow, screen: Screen): string {
  const { spec, status, seconds, attempt, message, retryAt } = action;
  const again = attempt > 1 ? ` (${tryText(action, attempt)})` : '';
  const time = seconds === null ? '' : `  ${took(seconds)}`;
  const name = `${plain(spec.task)}/${plain(spec.name)}`;
  if (status === 'pending' && retryAt !== null) {
    return `${name}  ${paint(screen, 'yellow', tryText(action, attempt))} ended badly${time}  ${plain(failureOf(action))}`;
  }
  const told = status === 'skipped' || status === 'cancelled' ? plain(message) : failureText(action);
  return `${name}  ${paint(screen, colorOf(status), status)}${again}${time}${told === '' ? '' : `  ${told}`}`;
}
