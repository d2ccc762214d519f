import type { FailureReason, WorkflowEvent } from '@tinkerbell/events';
import { originText } from '@tinkerbell/projections';
import { showMac } from '../output/print';
import { took } from '../output/time';
import { bad, because, busy, count, fine, good, size, type Tales } from './tales';

/** Workflows and their actions. */
export const workflowTales = {
  WorkflowCreated: ({ data: { templateName, devices, actions, origin } }) => {
    const machines = Object.entries(devices).map(([name, address]) => `${name}=${showMac(address)}`);
    const repeats =
      origin === null ? '' : `, ${originText(origin.workflowId, actions[origin.from]?.name, origin.from)}`;
    return fine(
      `workflow created from ${templateName} for ${machines.join(', ')}: ${count(actions.length, 'action')}${repeats}`,
    );
  },
  ActionStarted: ({ data }, action) => busy(`${action} started${data.attempt > 1 ? `, attempt ${data.attempt}` : ''}`),
  ActionSucceeded: ({ data: { seconds, outputs } }, action) => {
    const keys = Object.keys(outputs);
    return good(`${action} succeeded in ${took(seconds)}${keys.length === 0 ? '' : `, outputs: ${keys.join(', ')}`}`);
  },
  ActionFailed: ({ data }, action) => bad(`${action} FAILED after ${took(data.seconds)}: ${howItFailed(data)}`),
  ActionTimedOut: ({ data }, action) =>
    bad(`${action} TIMED OUT after ${took(data.seconds)}, stopped by the ${data.firedBy}${because(data.message)}`),
  ActionAttemptFailed: ({ data }, action) => {
    const how =
      data.outcome === 'timed-out' ? `ran out of time${because(data.message)}` : `failed: ${howItFailed(data)}`;
    return busy(`attempt ${data.attempt} of ${action} ${how}; next try not before ${data.retryAt}`);
  },
  ActionSkipped: ({ data: { by, reason } }, action) =>
    fine(
      by === 'condition'
        ? `${action} skipped by its condition${because(reason)}`
        : `${action} skipped by a person${because(reason)}`,
    ),
  ActionInherited: ({ data }, action) =>
    good(`${action} taken over from workflow ${data.workflowId}, where it succeeded`),
  ActionApprovalRequested: ({ data }, action) => busy(`${action} awaits approval${because(data.message)}`),
  ActionApproved: ({ data }, action) => good(`${action} approved${because(data.reason)}`),
  ActionRejected: ({ data }, action) => bad(`${action} REJECTED${because(data.reason)}`),
  ActionOutcomeUnknown: ({ data }, action) =>
    bad(
      `outcome of ${action} UNKNOWN: its machine was started anew ${took(data.seconds)} into attempt ${data.attempt}` +
        because(data.message),
    ),
  ActionOutcomeResolved: ({ data }, action) => {
    const whose = data.by === 'policy' ? 'by its onReboot' : 'by a person';
    return fine(`outcome of ${action} resolved ${whose}: ${resolutions[data.as]}${because(data.reason)}`);
  },
  ActionPermitGranted: ({ data: { attempt, disks, expiresAt } }, action) =>
    fine(`${action} permitted to destroy data, attempt ${attempt}, ${disksText(disks)}; good until ${expiresAt}`),
  ActionCancelled: ({ data }, action) => {
    const who = data.confirmed ? 'its worker has stopped it' : 'its worker did NOT confirm that it stopped';
    return bad(`${action} cancelled after ${took(data.seconds)}: ${who}${because(data.message)}`);
  },
  ActionHandlerFinished: ({ data: { handler, exitCode, seconds } }, action) => {
    const result = exitCode === null ? 'did not run' : `ended with exit code ${exitCode}`;
    return fine(`${handler} command of ${action} ${result} after ${took(seconds)}`);
  },
  WorkflowTimedOut: ({ data }, action) =>
    bad(
      `workflow TIMED OUT: its limit is ${took(data.globalTimeoutSeconds)}${action === '' ? '' : `, during ${action}`}`,
    ),
  WorkflowDataUpdated: ({ data: { version, size: bytes, action: by } }) =>
    fine(`workflow data version ${version}, ${size(bytes)}${by === '' ? '' : `, from ${by}`}`),
  WorkflowDeleted: () => fine('workflow deleted'),
  WorkflowPaused: ({ data }) => busy(`workflow paused: nothing further starts${because(data.reason)}`),
  WorkflowResumed: ({ data }) => fine(`workflow resumed${because(data.reason)}`),
  WorkflowCancelRequested: ({ data }) => busy(`workflow is to be cancelled${because(data.reason)}`),
  WorkflowFinished: ({ data: { status, reason } }, action) => {
    const why = reason !== '' ? `: ${reason}` : action === '' ? '' : ` at ${action}`;
    return (status === 'success' ? good : bad)(`workflow ${endings[status]}${why}`);
  },
  MachinesTaken: ({ data: { workerIds } }) =>
    fine(
      workerIds.length === 0
        ? 'no machine taken: a server stopped in the middle of taking them'
        : `machines taken: ${workerIds.join(', ')}`,
    ),
  WorkflowDelayed: ({ data }) => busy(`workflow is late: ${data.message === '' ? delays[data.cause] : data.message}`),
  ReportRefused: ({ data }, action) => {
    const what = [data.outcome ?? '', data.kind].filter((part) => part !== '').join(' ');
    return bad(`report "${what}" of ${action}, attempt ${data.attempt}, refused: ${data.code}${because(data.message)}`);
  },
} as const satisfies Tales<WorkflowEvent>;

interface Failure {
  readonly exitCode: number | null;
  readonly reason: FailureReason | null;
  readonly message: string;
}

function howItFailed({ exitCode, reason, message }: Failure): string {
  const how = exitCode === null ? failures[reason ?? 'exit'] : `exit code ${exitCode}`;
  return `${how}${because(message)}`;
}

function disksText(disks: readonly string[]): string {
  return disks.length === 0 ? 'no disk has a serial number' : `disk ${disks.join(', ')}`;
}

const resolutions = {
  succeeded: 'it has succeeded',
  failed: 'it has failed',
  restart: 'it runs once more',
  resume: 'it goes on, and is told so',
} as const;

const endings = { success: 'succeeded', failed: 'FAILED', timeout: 'TIMED OUT', cancelled: 'CANCELLED' } as const;

const delays = {
  'machine-never-booted': 'its machine has not booted',
  'worker-never-showed-up': 'its worker has not shown up',
  'worker-silent': 'its worker is silent',
} as const;

const failures = {
  exit: 'it exited',
  pull: 'its image could not be pulled',
  create: 'its container could not be made',
  start: 'its container could not be started',
  engine: 'the container engine failed',
  refused: 'the worker refused it',
  'unknown-outcome': 'the machine restarted meanwhile, so nobody knows whether it took effect',
} as const satisfies Readonly<Record<FailureReason, string>>;
