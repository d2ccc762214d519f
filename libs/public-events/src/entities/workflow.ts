import { Type } from '@sinclair/typebox';
import type {
  ActionApprovalRequested,
  ActionApproved,
  ActionAttemptFailed,
  ActionCancelled,
  ActionFailed,
  ActionHandlerFinished,
  ActionInherited,
  ActionOutcomeResolved,
  ActionOutcomeUnknown,
  ActionRejected,
  ActionSkipped,
  ActionStarted,
  ActionSucceeded,
  ActionTimedOut,
  ReportRefused,
  WorkflowCancelRequested,
  WorkflowCreated,
  WorkflowDataUpdated,
  WorkflowDelayed,
  WorkflowEvent,
  WorkflowFinished,
  WorkflowPaused,
  WorkflowResumed,
  WorkflowTimedOut,
} from '@tinkerbell/events';
import { type Entries, nothing, nullable, oneOf, published, seconds, time, unpublished } from '../entry';

const attempt = {
  index: Type.Integer({ description: 'Place of the action in its workflow, from 0.' }),
  attempt: Type.Integer({ description: 'Counts the starts of this action, from 1.' }),
  workerId: Type.String({ description: 'Id of the hardware that runs it.' }),
};
const message = Type.String({ description: 'For people.' });
const exitCode = nullable(Type.Integer());
const reason = Type.String({ description: 'As the person or the rule that decided gave it.' });
const failureReasons = ['exit', 'pull', 'create', 'start', 'engine', 'refused', 'unknown-outcome'];

export const workflow = {
  WorkflowCreated: published({
    name: 'created',
    summary: 'A template was applied to machines.',
    schema: Type.Object(
      {
        templateId: Type.String(),
        templateName: Type.String(),
        templateVersion: Type.Integer(),
        devices: Type.Record(Type.String(), Type.String(), { description: 'Device name → MAC or IP address.' }),
        globalTimeoutSeconds: Type.Integer({ description: '0 = no limit.' }),
        actions: Type.Array(
          Type.Object({
            task: Type.String(),
            name: Type.String(),
            image: Type.String(),
            timeoutSeconds: Type.Integer(),
            workerId: Type.String(),
          }),
        ),
      },
      { description: 'What runs where; not the commands, volumes and environments of the actions.' },
    ),
    map: ({ actions, ...data }: WorkflowCreated['data']) => ({
      ...data,
      actions: actions.map(({ task, name, image, timeoutSeconds, workerId }) => ({
        ...{ task, name, image, timeoutSeconds, workerId },
      })),
    }),
  }),
  ActionStarted: published({
    name: 'action-started',
    summary: 'A worker began to run an action.',
    schema: Type.Object({ ...attempt, bootId: Type.String(), startedAt: time('The clock of the worker.') }),
    map: (data: ActionStarted['data']) => data,
  }),
  ActionSucceeded: published({
    name: 'action-succeeded',
    summary: 'An action ended with exit code 0.',
    schema: Type.Object({ ...attempt, seconds: seconds(), finishedAt: time('The clock of the worker.'), message }),
    map: (data: ActionSucceeded['data']) => data,
  }),
  ActionFailed: published({
    name: 'action-failed',
    summary: 'An action ended badly.',
    schema: Type.Object({
      ...attempt,
      seconds: seconds(),
      finishedAt: time('The clock of the worker.'),
      reason: oneOf(failureReasons),
      exitCode,
      message,
    }),
    map: (data: ActionFailed['data']) => data,
  }),
  ActionTimedOut: published({
    name: 'action-timed-out',
    summary: 'An action did not end within its timeout.',
    schema: Type.Object({ ...attempt, seconds: seconds(), firedBy: oneOf(['worker', 'server']), message }),
    map: (data: ActionTimedOut['data']) => data,
  }),
  ActionHandlerFinished: published({
    name: 'action-handler-finished',
    summary: "An action's on-failure or on-timeout command ended.",
    schema: Type.Object({
      ...attempt,
      handler: oneOf(['on-failure', 'on-timeout']),
      exitCode,
      seconds: seconds(),
      message,
    }),
    map: (data: ActionHandlerFinished['data']) => data,
  }),
  WorkflowTimedOut: published({
    name: 'timed-out',
    summary: 'The global timeout of a workflow passed.',
    schema: Type.Object({
      globalTimeoutSeconds: Type.Integer(),
      index: nullable(Type.Integer({ description: 'The action that was running.' })),
    }),
    map: (data: WorkflowTimedOut['data']) => data,
  }),
  WorkflowDataUpdated: published({
    name: 'data-updated',
    summary: 'A worker stored a new version of the ephemeral data.',
    schema: Type.Object({
      version: Type.Integer(),
      size: Type.Integer({ description: 'Bytes.' }),
      workerId: Type.String(),
      task: Type.String(),
      action: Type.String(),
    }),
    // The hash stays inside: short data could be guessed from it.
    map: (data: WorkflowDataUpdated['data']) => data,
  }),
  WorkflowDeleted: published({
    name: 'deleted',
    summary: 'A workflow was deleted.',
    schema: nothing,
    map: () => ({}),
  }),
  ActionAttemptFailed: published({
    name: 'action-attempt-failed',
    summary: 'A try of an action ended badly and another one follows.',
    schema: Type.Object({
      ...attempt,
      seconds: seconds(),
      outcome: oneOf(['failed', 'timed-out']),
      reason: nullable(oneOf(failureReasons)),
      exitCode,
      message,
      retryAt: time('Not before.'),
    }),
    map: (data: ActionAttemptFailed['data']) => data,
  }),
  ActionSkipped: published({
    name: 'action-skipped',
    summary: 'An action is not run; later ones take it for done.',
    schema: Type.Object({ index: attempt.index, by: oneOf(['condition', 'operator']), reason }),
    map: (data: ActionSkipped['data']) => data,
  }),
  ActionInherited: published({
    name: 'action-inherited',
    summary: 'An action succeeded in the workflow that this one repeats.',
    schema: Type.Object({ index: attempt.index, workflowId: Type.String(), seconds: seconds() }),
    // Outputs stay inside, here and of succeeded actions: they are whatever an action writes.
    map: (data: ActionInherited['data']) => data,
  }),
  ActionApprovalRequested: published({
    name: 'action-approval-requested',
    summary: 'An action waits for the consent of a person.',
    schema: Type.Object({ index: attempt.index, message }),
    map: (data: ActionApprovalRequested['data']) => data,
  }),
  ActionApproved: published({
    name: 'action-approved',
    summary: 'A person let an action run.',
    schema: Type.Object({ index: attempt.index, reason }),
    map: (data: ActionApproved['data']) => data,
  }),
  ActionRejected: published({
    name: 'action-rejected',
    summary: 'A person refused to let an action run.',
    schema: Type.Object({ index: attempt.index, reason }),
    map: (data: ActionRejected['data']) => data,
  }),
  ActionOutcomeUnknown: published({
    name: 'action-outcome-unknown',
    summary: 'The machine was started anew while an action ran: nobody knows what it has done.',
    schema: Type.Object({ ...attempt, bootId: Type.String(), seconds: seconds(), message }),
    map: (data: ActionOutcomeUnknown['data']) => data,
  }),
  ActionOutcomeResolved: published({
    name: 'action-outcome-resolved',
    summary: 'It was decided what to make of an unknown outcome.',
    schema: Type.Object({
      index: attempt.index,
      attempt: attempt.attempt,
      as: oneOf(['succeeded', 'failed', 'restart', 'resume']),
      by: oneOf(['policy', 'operator']),
      reason,
    }),
    map: (data: ActionOutcomeResolved['data']) => data,
  }),
  ActionPermitGranted: unpublished('a permit is between the server and one worker'),
  ActionCancelled: published({
    name: 'action-cancelled',
    summary: 'An action was stopped because its workflow is cancelled.',
    schema: Type.Object({
      ...attempt,
      seconds: seconds(),
      confirmed: Type.Boolean({ description: 'By its worker; else the server gave up waiting for it.' }),
      message,
    }),
    map: (data: ActionCancelled['data']) => data,
  }),
  WorkflowPaused: published({
    name: 'paused',
    summary: 'No further action starts; what runs goes on.',
    schema: Type.Object({ reason }),
    map: (data: WorkflowPaused['data']) => data,
  }),
  WorkflowResumed: published({
    name: 'resumed',
    summary: 'Actions start again.',
    schema: Type.Object({ reason }),
    map: (data: WorkflowResumed['data']) => data,
  }),
  WorkflowCancelRequested: published({
    name: 'cancel-requested',
    summary: 'No further action starts and what runs is stopped.',
    schema: Type.Object({ reason }),
    map: (data: WorkflowCancelRequested['data']) => data,
  }),
  WorkflowFinished: published({
    name: 'finished',
    summary: 'A workflow ended, for ever.',
    schema: Type.Object({
      status: oneOf(['success', 'failed', 'timeout', 'cancelled']),
      index: nullable(Type.Integer({ description: 'The action that it ended with, when one is to blame.' })),
      reason,
    }),
    map: (data: WorkflowFinished['data']) => data,
  }),
  MachinesTaken: unpublished('how the engine keeps workflows from waiting for each other'),
  WorkflowDelayed: published({
    name: 'delayed',
    summary: 'A workflow waits longer than it should for a machine.',
    schema: Type.Object({
      cause: oneOf(['machine-never-booted', 'worker-never-showed-up', 'worker-silent']),
      workerId: attempt.workerId,
      afterSeconds: seconds(),
      message,
    }),
    map: (data: WorkflowDelayed['data']) => data,
  }),
  ReportRefused: published({
    name: 'report-refused',
    summary: 'A worker reported what a rule refuses; it changed nothing.',
    schema: Type.Object({
      ...attempt,
      kind: Type.String(),
      outcome: nullable(Type.String()),
      code: Type.String(),
      message,
    }),
    map: (data: ReportRefused['data']) => data,
  }),
} satisfies Entries<WorkflowEvent>;
