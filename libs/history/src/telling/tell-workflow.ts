import { formatMac } from '@tinkerbell/domain';
import type { FailureReason, WorkflowEvent } from '@tinkerbell/events';
import { originText } from '@tinkerbell/projections';
import { took } from '../duration-text';
import { active, bad, because, count, good, neutral, size, warn, type Sentences } from './told';

/** What people, rules and restarts of machines decide of a workflow and its actions. */
const decisions = {
  ActionSkipped: ({ data }, { action, by }) =>
    neutral(`${action} skipped ${data.by === 'condition' ? 'by its condition' : by}${because(data.reason)}`),
  ActionInherited: ({ data }, { action }) =>
    good(`${action} taken over from workflow ${data.workflowId}, where it succeeded`),
  ActionApprovalRequested: ({ data }, { action }) => warn(`${action} awaits approval${because(data.message)}`),
  ActionApproved: ({ data }, { action, by }) => good(`${action} approved ${by}${because(data.reason)}`),
  ActionRejected: ({ data }, { action, by }) =>
    bad(`${action} rejected ${by}, which counts as a failure${because(data.reason)}`),
  // The messages of these two say the same in other words.
  ActionOutcomeUnknown: ({ data }, { action }) =>
    warn(
      `outcome of ${action} unknown: its machine was started anew ${took(data.seconds)} into attempt ${data.attempt}`,
    ),
  ActionOutcomeResolved: ({ data }, { action, by }) => {
    const whose = data.by === 'policy' ? 'by its onReboot' : by;
    const why = data.by === 'policy' ? '' : because(data.reason);
    return neutral(`outcome of ${action} resolved ${whose}: ${resolutions[data.as]}${why}`);
  },
  ActionPermitGranted: ({ data: { attempt, disks, expiresAt } }, { action }) =>
    warn(
      `${action} permitted to destroy data once, in attempt ${attempt}, ${disksText(disks)}; to begin before ${expiresAt}`,
    ),
  ActionCancelled: ({ data }, { action }) => {
    const how = data.confirmed ? 'its worker has stopped it' : 'its worker did not confirm that it has stopped';
    return warn(`${action} cancelled after ${took(data.seconds)}: ${how}${because(data.message)}`);
  },
  WorkflowPaused: ({ data }, { by }) => warn(`workflow paused ${by}: no further action starts${because(data.reason)}`),
  WorkflowResumed: ({ data }, { by }) => neutral(`workflow resumed ${by}${because(data.reason)}`),
  WorkflowCancelRequested: ({ data }, { by }) =>
    warn(`cancellation of the workflow requested ${by}${because(data.reason)}`),
  WorkflowDeleted: (_, { by }) => neutral(`workflow deleted ${by}`),
} as const satisfies Partial<Sentences<WorkflowEvent>>;

/** Workflows and their actions. */
export const workflowSentences = {
  ...decisions,
  WorkflowCreated: ({ data: { templateName, templateVersion, devices, actions, origin } }, { by }) => {
    const machines = Object.entries(devices).map(([name, address]) => `${name}=${formatMac(address)}`);
    const repeats =
      origin === null ? '' : `, ${originText(origin.workflowId, actions[origin.from]?.name, origin.from)}`;
    return neutral(
      `workflow created ${by} from template ${templateName}, version ${templateVersion}, for ${machines.join(', ')}: ` +
        `${count(actions.length, 'action')}${repeats}`,
    );
  },
  ActionStarted: ({ data }, { action }) =>
    active(`${action} started${data.attempt > 1 ? `, attempt ${data.attempt}` : ''}`),
  ActionSucceeded: ({ data: { seconds, outputs } }, { action }) => {
    const keys = Object.keys(outputs);
    return good(`${action} succeeded in ${took(seconds)}${keys.length === 0 ? '' : `, outputs: ${keys.join(', ')}`}`);
  },
  ActionFailed: ({ data }, { action }) =>
    bad(
      `${action} failed after ${took(data.seconds)}: ${howItFailed(data.exitCode, data.reason)}${because(data.message)}`,
    ),
  ActionTimedOut: ({ data }, { action }) => {
    const how = data.firedBy === 'worker' ? 'stopped by its worker' : 'given up by the server';
    return bad(`${action} timed out after ${took(data.seconds)}, ${how}${because(data.message)}`);
  },
  ActionAttemptFailed: ({ data }, { action }) => {
    const after = `after ${took(data.seconds)}`;
    const how =
      data.outcome === 'timed-out'
        ? `timed out ${after}`
        : `failed ${after}: ${howItFailed(data.exitCode, data.reason)}`;
    return warn(
      `attempt ${data.attempt} of ${action} ${how}${because(data.message)}; next try not before ${data.retryAt}`,
    );
  },
  ActionHandlerFinished: ({ data: { handler, exitCode, seconds, message } }, { action }) => {
    const result = exitCode === null ? 'did not run' : `ended with exit code ${exitCode} after ${took(seconds)}`;
    return neutral(`${handler} command of ${action} ${result}${because(message)}`);
  },
  MachinesTaken: ({ data: { workerIds } }) =>
    neutral(
      workerIds.length === 0
        ? 'no machine taken: a server stopped in the middle of taking them'
        : `machines taken, all at once: ${workerIds.join(', ')}`,
    ),
  WorkflowTimedOut: ({ data }, { action }) =>
    bad(
      `workflow timed out: its limit is ${took(data.globalTimeoutSeconds)}${action === '' ? '' : `, during ${action}`}`,
    ),
  WorkflowDataUpdated: ({ data: { version, size: bytes, action: by } }) =>
    neutral(`workflow data version ${version}, ${size(bytes)}${by === '' ? '' : `, from ${by}`}`),
  WorkflowFinished: ({ data: { status, reason } }, { action }) => {
    if (status === 'success') return good('workflow succeeded');
    const why = reason !== '' ? `: ${reason}` : action === '' ? '' : ` at ${action}`;
    return (status === 'cancelled' ? warn : bad)(`workflow ${endings[status]}${why}`);
  },
  WorkflowDelayed: ({ data }) =>
    warn(`workflow is late: ${delays[data.cause]} for ${took(data.afterSeconds)}${because(data.message)}`),
  ReportRefused: ({ data: { kind, outcome, attempt, code, message } }, { action }) =>
    bad(
      `report of ${action}, attempt ${attempt}, refused and without effect: ${kind}${because(outcome ?? '')}, ${code}${because(message)}`,
    ),
} as const satisfies Sentences<WorkflowEvent>;

/** In a clause, after a colon. */
export function howItFailed(exitCode: number | null, reason: FailureReason | null): string {
  return exitCode === null ? failures[reason ?? 'exit'] : `exit code ${exitCode}`;
}

function disksText(disks: readonly string[]): string {
  return disks.length === 0 ? 'no disk has a serial number' : `on disk ${disks.join(', ')}`;
}

const resolutions = {
  succeeded: 'it has succeeded',
  failed: 'it has failed',
  restart: 'it runs once more',
  resume: 'it goes on, and is told so',
} as const;

const endings = { failed: 'failed', timeout: 'timed out', cancelled: 'cancelled' } as const;

const delays = {
  'machine-never-booted': 'its machine has not booted',
  'worker-never-showed-up': 'its worker has not shown up',
  'worker-silent': 'its worker has said nothing',
} as const;

const failures = {
  exit: 'it exited',
  pull: 'its image could not be pulled',
  create: 'its container could not be made',
  start: 'its container could not be started',
  engine: 'the container engine failed',
  refused: 'its worker refused it',
  'unknown-outcome': 'the machine restarted meanwhile, so nobody knows whether it took effect',
} as const satisfies Readonly<Record<FailureReason, string>>;
