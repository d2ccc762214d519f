import { Type } from '@sinclair/typebox';
import type {
  ActionFailed,
  ActionHandlerFinished,
  ActionStarted,
  ActionSucceeded,
  ActionTimedOut,
  WorkflowCreated,
  WorkflowDataUpdated,
  WorkflowEvent,
  WorkflowTimedOut,
} from '@tinkerbell/events';
import { type Entries, nothing, nullable, oneOf, published, seconds, time } from '../entry';

const attempt = {
  index: Type.Integer({ description: 'Place of the action in its workflow, from 0.' }),
  attempt: Type.Integer({ description: 'Counts the starts of this action, from 1.' }),
  workerId: Type.String({ description: 'Id of the hardware that runs it.' }),
};
const message = Type.String({ description: 'For people.' });
const exitCode = nullable(Type.Integer());

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
      reason: oneOf(['exit', 'pull', 'create', 'start', 'engine', 'refused', 'unknown-outcome']),
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
} satisfies Entries<WorkflowEvent>;
