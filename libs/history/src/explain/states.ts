import { formatMac } from '@tinkerbell/domain';
import type { MachineRow, WorkflowRow } from '@tinkerbell/projections';
import { took } from '../duration-text';
import { failureTexts } from './sentences';

/** How a machine is, in a sentence. `now`: ISO 8601. */
export function machineState(id: string, machine: MachineRow | undefined, now: string): string {
  const { hostname = '', mac = '', ip = '' } = machine ?? {};
  const names = [hostname, mac === '' ? '' : formatMac(mac), ip].filter((text) => text !== '');
  const title = `Machine ${id}${names.length === 0 ? '' : ` (${names.join(', ')})`}`;
  const last = machine?.steps.at(-1);
  if (!machine || !last) return `${title} is registered; nothing was heard of it yet.`;
  const gone = machine.registered ? '' : ' It is no longer registered.';
  return `${title} is at the step "${machine.step}", of which it was last heard ${between(last.at, now)} ago: ${last.detail}.${gone}`;
}

/** How a workflow is, in a sentence. `now`: ISO 8601. */
export function workflowState(row: WorkflowRow, now: string): string {
  const { id, status, actions, current, startedAt, finishedAt, deletedAt } = row;
  const title = `Workflow ${id} ("${row.templateName}")`;
  if (deletedAt !== null) return `${title} was deleted ${between(deletedAt, now)} ago.`;
  const action = actions[current];
  const place = `action ${current + 1} of ${actions.length}${action ? `, "${action.spec.name}"` : ''}`;
  const length = startedAt === null || finishedAt === null ? '' : ` after ${between(startedAt, finishedAt)}`;
  const ended = `${length}, ${between(finishedAt ?? now, now)} ago`;
  switch (status) {
    case 'pending':
      return `${title} has not begun; it was created ${between(row.createdAt, now)} ago.`;
    case 'running':
      if (action?.status !== 'running' || action.startedAt === null) return `${title} is about to run ${place}.`;
      return `${title} has run ${place} (${action.spec.image}), for ${between(action.startedAt, now)}.`;
    case 'success':
      return `${title} succeeded${ended}: ${actions.length} of ${actions.length} actions.`;
    case 'failed':
      return `${title} failed${ended}, in ${place}${action ? `: ${failure(action)}` : ''}.`;
    case 'timeout':
      return `${title} ran out of time${ended}, in ${place}.`;
    default:
      return `${title} is ${String(status)}, at ${place}.`;
  }
}

function failure({ exitCode, reason, message }: WorkflowRow['actions'][number]): string {
  const how = exitCode === null ? failureTexts[reason ?? 'exit'] : `exit code ${exitCode}`;
  return `${how}${message === '' ? '' : ` (${message})`}`;
}

function between(from: string, to: string): string {
  return took(Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000));
}
