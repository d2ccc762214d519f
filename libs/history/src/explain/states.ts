import { formatMac } from '@tinkerbell/domain';
import { isHome, type MachineRow, type WorkflowRow } from '@tinkerbell/projections';
import { took } from '../duration-text';
import { howItFailed } from '../telling/tell-workflow';

/** Of a machine that boots its own disk: who made its system may not have had it phone home. */
export const notHeard = 'whether that came up is not known, as its system has not phoned home';

/** How a machine is, in a sentence. `leased`: the addresses that it leases; `now`: ISO 8601. */
export function machineState(
  id: string,
  machine: MachineRow | undefined,
  leased: readonly string[],
  now: string,
): string {
  const { hostname = '', mac = '', ip = '' } = machine ?? {};
  const names = [hostname, mac === '' ? '' : formatMac(mac), ip].filter((text) => text !== '');
  const title = `Machine ${id}${names.length === 0 ? '' : ` (${names.join(', ')})`}`;
  const last = machine?.steps.at(-1);
  if (!machine || !last) {
    return leased.length === 0
      ? `${title} is registered; nothing was heard of it yet.`
      : `${title} leases ${leased.join(' and ')}; it was not seen to boot from the network.`;
  }
  const gone = machine.registered ? '' : ' It is no longer registered.';
  if (machine.step === 'disk' && !isHome(machine))
    return `${title} was ${last.detail} ${between(last.at, now)} ago; ${notHeard}.${gone}`;
  return `${title} is at the step "${machine.step}", of which it was last heard ${between(last.at, now)} ago: ${last.detail}.${gone}`;
}

/** How a workflow is, in a sentence or two. `now`: ISO 8601. */
export function workflowState(row: WorkflowRow, now: string): string {
  const refused = row.refusedReports;
  if (refused === 0) return stateOf(row, now);
  return `${stateOf(row, now)} ${refused === 1 ? 'One report of its workers was' : `${refused} reports of its workers were`} refused.`;
}

function stateOf(row: WorkflowRow, now: string): string {
  const { id, status, actions, startedAt, finishedAt, deletedAt } = row;
  const title = `Workflow ${id} ("${row.templateName}")`;
  if (deletedAt !== null) return `${title} was deleted ${between(deletedAt, now)} ago.`;
  const index = row.blame ?? row.current;
  const action = actions[index];
  const place = `action ${index + 1} of ${actions.length}${action ? `, "${action.spec.name}"` : ''}`;
  const length = startedAt === null || finishedAt === null ? '' : ` after ${between(startedAt, finishedAt)}`;
  const ended = `${length}, ${between(finishedAt ?? now, now)} ago`;
  switch (status) {
    case 'pending':
      return `${title} has not begun; it was created ${between(row.createdAt, now)} ago.${heldBack(row, now)}`;
    case 'running':
      return `${title} ${progress(row, place, now)}.${heldBack(row, now)}`;
    case 'success':
      return `${title} succeeded${ended}: ${successes(actions)}.`;
    case 'failed':
      return `${title} failed${ended}, in ${place}${action ? `: ${failure(action)}` : ''}.`;
    case 'timeout':
      return `${title} ran out of time${ended}, in ${place}.`;
    case 'cancelled':
      return `${title} was cancelled${ended}${row.blame === null ? '' : `, in ${place}`}.`;
    default:
      return `${title} is ${String(status)}, at ${place}.`;
  }
}

function progress({ actions, current }: WorkflowRow, place: string, now: string): string {
  const action = actions[current];
  const running = actions.filter(({ status }) => status === 'running');
  if (action?.status === 'running' && action.startedAt !== null) {
    const beside = running.length > 1 ? `, and ${running.length - 1} beside it` : '';
    return `has run ${place} (${action.spec.image}), for ${between(action.startedAt, now)}${beside}`;
  }
  if (action?.status === 'awaiting-approval') return `needs a person's approval of ${place}`;
  if (action?.status === 'unknown') return `does not know what became of ${place}, whose machine was started anew`;
  if (action && action.attempt > 0 && action.retryAt !== null) return `is about to try ${place} again`;
  return `is about to run ${place}`;
}

function heldBack({ paused, cancelling, cancelRequestedAt }: WorkflowRow, now: string): string {
  if (cancelling) return ` It is being cancelled, since ${between(cancelRequestedAt ?? now, now)}.`;
  return paused ? ' It is paused.' : '';
}

function successes(actions: WorkflowRow['actions']): string {
  const skipped = actions.filter(({ status }) => status === 'skipped').length;
  const done = actions.filter(({ status }) => status === 'success').length;
  return `${done} of ${actions.length} actions${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

function failure({ exitCode, reason, message }: WorkflowRow['actions'][number]): string {
  // A person who rejects an action gives no other reason.
  if (exitCode === null && reason === null && message !== '') return message;
  const how = howItFailed(exitCode, reason);
  return `${how}${message === '' ? '' : ` (${message})`}`;
}

function between(from: string, to: string): string {
  return took(Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000));
}
