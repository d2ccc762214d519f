import type {
  ActionAttemptFailed,
  ActionCancelled,
  ActionFailed,
  ActionHandlerFinished,
  ActionPlan,
  ActionSpec,
  ActionStarted,
  ActionSucceeded,
  ActionTimedOut,
  PlannedAction,
  WorkflowCreated,
  WorkflowDataUpdated,
  WorkflowDeleted,
  WorkflowFinished,
  WorkflowTimedOut,
} from '@tinkerbell/events';
import { hardwareId } from './hardware';

const at = '2026-01-01T00:00:00.000Z';
export const templateId = '5f0e8bd0-6f5f-4f5a-9b7f-1a1f6b0d7a11';

export function actionSpec(over: Partial<ActionSpec> = {}): ActionSpec {
  return {
    task: 'hello world',
    name: 'hello_world',
    image: 'hello-world',
    timeoutSeconds: 60,
    command: [],
    onTimeout: [],
    onFailure: [],
    workerId: hardwareId,
    volumes: [],
    environment: [],
    pid: '',
    ...over,
  };
}

/** One after the other, as template 0.1 has it. */
export function planned(spec: ActionSpec, index: number, plan: Partial<ActionPlan> = {}): PlannedAction {
  return {
    ...spec,
    plan: {
      id: `${spec.task}/${spec.name}`,
      needs: index === 0 ? [] : [index - 1],
      runs: 'success',
      condition: '',
      retry: null,
      approval: null,
      destructive: false,
      onReboot: 'fail',
      secrets: {},
      ...plan,
    },
  };
}

/** A graph: each action by its name, with what differs from the plan of a first action. */
export function graph(
  actions: Readonly<Record<string, Partial<ActionPlan> & { readonly spec?: Partial<ActionSpec> }>>,
): WorkflowCreated {
  return workflowCreated(
    Object.entries(actions).map(([name, { spec, ...plan }]) =>
      planned(actionSpec({ name, task: 't', ...spec }), 0, plan),
    ),
  );
}

/** `actions`: the specs, or how many like actionSpec(), named action-0, action-1 … */
export function workflowCreated(
  actions: number | readonly (ActionSpec | PlannedAction)[] = 2,
  over: Partial<WorkflowCreated['data']> = {},
): WorkflowCreated {
  const specs =
    typeof actions === 'number'
      ? Array.from({ length: actions }, (_, index) => actionSpec({ name: `action-${index}` }))
      : actions;
  const data: WorkflowCreated['data'] = {
    templateId,
    templateName: 'hello',
    templateVersion: 1,
    devices: { device_1: '08:00:27:00:00:01' },
    globalTimeoutSeconds: 0,
    actions: specs.map((spec, index) => ('plan' in spec ? spec : planned(spec, index))),
    origin: null,
    ...over,
  };
  return { type: 'WorkflowCreated', v: 2, data };
}

export function actionStarted(index: number, over: Partial<ActionStarted['data']> = {}): ActionStarted {
  const data = { index, attempt: 1, workerId: hardwareId, bootId: 'boot-1', startedAt: at, ...over };
  return { type: 'ActionStarted', v: 1, data };
}

export function actionSucceeded(index: number, over: Partial<ActionSucceeded['data']> = {}): ActionSucceeded {
  const data = {
    index,
    attempt: 1,
    workerId: hardwareId,
    seconds: 3,
    finishedAt: at,
    message: 'ok',
    outputs: {},
    ...over,
  };
  return { type: 'ActionSucceeded', v: 2, data };
}

export function actionFailed(index: number, over: Partial<ActionFailed['data']> = {}): ActionFailed {
  const data = {
    index,
    attempt: 1,
    workerId: hardwareId,
    seconds: 3,
    finishedAt: at,
    reason: 'exit' as const,
    exitCode: 17,
    message: 'no',
    ...over,
  };
  return { type: 'ActionFailed', v: 1, data };
}

export function actionTimedOut(index: number, over: Partial<ActionTimedOut['data']> = {}): ActionTimedOut {
  const data = {
    index,
    attempt: 1,
    workerId: hardwareId,
    seconds: 60,
    firedBy: 'worker' as const,
    message: 'late',
    ...over,
  };
  return { type: 'ActionTimedOut', v: 1, data };
}

export function actionHandlerFinished(
  index: number,
  over: Partial<ActionHandlerFinished['data']> = {},
): ActionHandlerFinished {
  const data = {
    index,
    attempt: 1,
    workerId: hardwareId,
    handler: 'on-failure' as const,
    exitCode: 0,
    seconds: 1,
    message: '',
    ...over,
  };
  return { type: 'ActionHandlerFinished', v: 1, data };
}

export function workflowTimedOut(index: number | null = null, globalTimeoutSeconds = 600): WorkflowTimedOut {
  return { type: 'WorkflowTimedOut', v: 1, data: { globalTimeoutSeconds, index } };
}

export function workflowDataUpdated(
  version: number,
  over: Partial<WorkflowDataUpdated['data']> = {},
): WorkflowDataUpdated {
  const data = {
    version,
    sha256: String(version).repeat(64).slice(0, 64),
    size: 2,
    workerId: hardwareId,
    task: 'hello world',
    action: 'action-0',
    ...over,
  };
  return { type: 'WorkflowDataUpdated', v: 1, data };
}

export function workflowDeleted(): WorkflowDeleted {
  return { type: 'WorkflowDeleted', v: 1, data: {} };
}

export function workflowFinished(
  status: WorkflowFinished['data']['status'],
  index: number | null = null,
  reason = index === null
    ? `the workflow ${finishedWords[status]}`
    : `hello world/action-${index} ${finishedWords[status]}`,
): WorkflowFinished {
  return { type: 'WorkflowFinished', v: 1, data: { status, index, reason } };
}
const finishedWords = {
  success: 'succeeded',
  failed: 'failed',
  timeout: 'timed out',
  cancelled: 'was cancelled',
} as const;

export function actionAttemptFailed(
  index: number,
  over: Partial<ActionAttemptFailed['data']> = {},
): ActionAttemptFailed {
  const data = {
    index,
    attempt: 1,
    workerId: hardwareId,
    seconds: 3,
    outcome: 'failed' as const,
    reason: 'exit' as const,
    exitCode: 17,
    message: 'no',
    retryAt: at,
    ...over,
  };
  return { type: 'ActionAttemptFailed', v: 1, data };
}

export function actionCancelled(index: number, over: Partial<ActionCancelled['data']> = {}): ActionCancelled {
  const data = { index, attempt: 1, workerId: hardwareId, seconds: 3, confirmed: true, message: 'stopped', ...over };
  return { type: 'ActionCancelled', v: 1, data };
}
