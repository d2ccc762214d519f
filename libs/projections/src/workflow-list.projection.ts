import type { Recorded, WorkflowCreated, WorkflowEvent } from '@tinkerbell/events';
import { isStale, type Projection } from './projection';
import type { ActionRow, ActionStatus, WorkflowEventRow, WorkflowRow } from './rows';

export const workflowList: Projection<WorkflowEvent, WorkflowRow> = {
  name: 'workflow-list',
  version: 1,
  aggregates: ['workflow'],
  key: ({ aggregate, aggregateId }) => (aggregate === 'workflow' ? aggregateId : undefined),
  evolve(row, recorded) {
    if (isStale(row, recorded)) return row;
    const { event, at, position } = recorded;
    if (event.type === 'WorkflowCreated') return opened(recorded, event.data);
    return row && { ...step(row, recorded), updatedAt: at, position };
  },
  lookups: ({ actions, status, templateId, deletedAt }) => [
    ...new Set(actions.map(({ spec }) => `worker:${spec.workerId}`)),
    ...(deletedAt === null ? [`status:${status}`, `template:${templateId}`] : []),
  ],
};

function opened({ aggregateId, at, position }: Recorded, data: WorkflowCreated['data']): WorkflowRow {
  const actions = data.actions.map((spec): ActionRow => ({ ...untouched, spec }));
  const none = actions.length === 0;
  return {
    id: aggregateId,
    templateId: data.templateId,
    templateName: data.templateName,
    templateVersion: data.templateVersion,
    devices: data.devices,
    status: none ? 'success' : 'pending',
    globalTimeoutSeconds: data.globalTimeoutSeconds,
    startedAt: null,
    finishedAt: none ? at : null,
    deletedAt: null,
    current: 0,
    actions,
    events: [],
    data: [],
    createdAt: at,
    createdPosition: position,
    updatedAt: at,
    position,
  };
}

const untouched = {
  status: 'pending',
  attempt: 0,
  startedAt: null,
  finishedAt: null,
  seconds: null,
  exitCode: null,
  reason: null,
  message: '',
  handler: null,
} as const;

/** Times are the store's; how long an action took is what its worker measured. */
function step(row: WorkflowRow, recorded: Recorded<WorkflowEvent>): WorkflowRow {
  const { event, at } = recorded;
  switch (event.type) {
    case 'ActionStarted': {
      const { index, attempt } = event.data;
      const action = { ...untouched, status: 'running', attempt, startedAt: at } as const;
      const begun: WorkflowRow = { ...row, status: 'running', startedAt: row.startedAt ?? at, current: index };
      return reported(withAction(begun, index, action), recorded, {
        index,
        status: 'running',
        message: 'Started execution',
      });
    }
    case 'ActionSucceeded': {
      const { index, seconds, message } = event.data;
      const action = { status: 'success', finishedAt: at, seconds, exitCode: 0, message } as const;
      const current = index + 1;
      const all = current === row.actions.length;
      const done: WorkflowRow = all
        ? { ...row, status: 'success', finishedAt: at, current }
        : { ...row, status: 'running', current };
      const text = message === '' ? 'finished execution successfully' : message;
      return reported(withAction(done, index, action), recorded, { index, status: 'success', message: text, seconds });
    }
    case 'ActionFailed': {
      const { index, seconds, exitCode, reason, message } = event.data;
      const action = { status: 'failed', finishedAt: at, seconds, exitCode, reason, message } as const;
      const failed: WorkflowRow = { ...row, status: 'failed', finishedAt: at, current: index };
      return reported(withAction(failed, index, action), recorded, { index, status: 'failed', message, seconds });
    }
    case 'ActionTimedOut': {
      const { index, seconds, message } = event.data;
      const action = { status: 'timeout', finishedAt: at, seconds, message } as const;
      const late: WorkflowRow = { ...row, status: 'timeout', finishedAt: at, current: index };
      return reported(withAction(late, index, action), recorded, { index, status: 'timeout', message, seconds });
    }
    default:
      return aside(row, recorded);
  }
}

function aside(row: WorkflowRow, recorded: Recorded<WorkflowEvent>): WorkflowRow {
  const { event, at } = recorded;
  switch (event.type) {
    case 'ActionHandlerFinished': {
      const { index, handler, exitCode, seconds, message } = event.data;
      return withAction(row, index, { handler: { handler, exitCode, seconds, message } });
    }
    case 'WorkflowTimedOut': {
      const { index, globalTimeoutSeconds } = event.data;
      const message = `the global timeout of ${globalTimeoutSeconds} s passed`;
      const late: WorkflowRow = { ...row, status: 'timeout', finishedAt: at };
      const ended = index === null ? late : withAction(late, index, { status: 'timeout', finishedAt: at, message });
      return reported(ended, recorded, { index: index ?? row.current, status: 'timeout', message });
    }
    case 'WorkflowDataUpdated': {
      const { version, sha256, size, workerId, task, action } = event.data;
      const data = [...row.data.filter((other) => other.version !== version)];
      return { ...row, data: [...data, { version, sha256, size, workerId, task, action, at }] };
    }
    case 'WorkflowDeleted':
      return { ...row, deletedAt: at };
    default:
      return row;
  }
}

function withAction(row: WorkflowRow, index: number, change: Partial<ActionRow>): WorkflowRow {
  return { ...row, actions: row.actions.map((action, i) => (i === index ? { ...action, ...change } : action)) };
}

interface Report {
  readonly index: number;
  readonly status: ActionStatus;
  readonly message: string;
  readonly seconds?: number;
}

/** Adds a line to the workflow's events; the same event once more adds none. */
function reported(
  row: WorkflowRow,
  { at, position }: Recorded,
  { index, status, message, seconds = 0 }: Report,
): WorkflowRow {
  const isKnown = (line: WorkflowEventRow) =>
    line.position === position && line.index === index && line.status === status;
  if (row.events.some(isKnown)) return row;
  const spec = row.actions[index]?.spec;
  const names = { workerId: spec?.workerId ?? '', task: spec?.task ?? '', action: spec?.name ?? '' };
  return { ...row, events: [...row.events, { ...names, index, seconds, message, status, at, position }] };
}
