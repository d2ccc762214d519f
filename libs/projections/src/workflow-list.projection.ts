import { currentIndex, endingOf, isTerminal } from '@tinkerbell/domain';
import type { Recorded, WorkflowCreated, WorkflowEvent } from '@tinkerbell/events';
import { isStale, type Projection } from './projection';
import type { ActionRow, ActionStatus, WorkflowEventRow, WorkflowRow } from './rows';
import { isOpen, waitOf, workersOf, workRank } from './work-order';

export const workflowList: Projection<WorkflowEvent, WorkflowRow> = {
  name: 'workflow-list',
  version: 4,
  aggregates: ['workflow'],
  key: ({ aggregate, aggregateId }) => (aggregate === 'workflow' ? aggregateId : undefined),
  evolve(row, recorded) {
    if (isStale(row, recorded)) return row;
    const { event, at, position } = recorded;
    if (event.type === 'WorkflowCreated') return settled(opened(recorded, event.data), at);
    return row && { ...settled(step(row, recorded), at), updatedAt: at, position };
  },
  lookups: ({ actions, status, templateId, deletedAt }) => [
    ...new Set(actions.map(({ spec }) => `worker:${spec.workerId}`)),
    ...(deletedAt !== null ? ['deleted'] : [`status:${status}`, `template:${templateId}`, ...ended(actions, status)]),
  ],
  queues(row) {
    if (!isOpen(row)) return [];
    const rank = workRank(row);
    return workersOf(row).map((workerId) => ({ queue: `queue:${workerId}`, rank }));
  },
  brief: waitOf,
};

/** By worker what is done, of which a machine has many in the end. */
function ended(actions: WorkflowRow['actions'], status: WorkflowRow['status']): readonly string[] {
  return isTerminal(status) ? [...new Set(actions.map(({ spec }) => `ended:${spec.workerId}`))] : [];
}

function opened({ aggregateId, at, position }: Recorded, data: WorkflowCreated['data']): WorkflowRow {
  return {
    id: aggregateId,
    templateId: data.templateId,
    templateName: data.templateName,
    templateVersion: data.templateVersion,
    devices: data.devices,
    status: 'pending',
    paused: false,
    cancelling: false,
    cancelRequestedAt: null,
    machinesTaken: false,
    origin: data.origin,
    globalTimeoutSeconds: data.globalTimeoutSeconds,
    startedAt: null,
    finishedAt: null,
    deletedAt: null,
    current: 0,
    blame: null,
    actions: data.actions.map((spec): ActionRow => ({ ...untouched, spec })),
    events: [],
    data: [],
    delays: [],
    refusedReports: 0,
    createdAt: at,
    createdPosition: position,
    updatedAt: at,
    position,
  };
}

const untouched = {
  status: 'pending',
  attempt: 0,
  retryAt: null,
  startedAt: null,
  finishedAt: null,
  seconds: null,
  exitCode: null,
  reason: null,
  message: '',
  outputs: {},
  handler: null,
} as const;

/** The status follows from the actions by the decider's own rule. */
function settled(row: WorkflowRow, at: string): WorkflowRow {
  if (isTerminal(row.status)) return { ...row, current: currentIndex(row) };
  const statuses = row.actions.map(({ status }) => status);
  const plans = row.actions.map(({ spec }) => spec.plan);
  const ending = endingOf(plans, statuses, row.cancelling);
  if (!ending) return { ...row, current: currentIndex(row) };
  const ended: WorkflowRow = { ...row, status: ending.status, blame: ending.index, finishedAt: at, cancelling: false };
  return { ...ended, current: currentIndex(ended) };
}

/** Times are the store's; how long an action took is what its worker measured. */
function step(row: WorkflowRow, recorded: Recorded<WorkflowEvent>): WorkflowRow {
  const { event, at } = recorded;
  switch (event.type) {
    case 'ActionStarted': {
      const { index, attempt } = event.data;
      const { outputs, handler } = untouched;
      const action = { ...untouched, status: 'running', attempt, startedAt: at, outputs, handler } as const;
      const begun: WorkflowRow = { ...row, status: 'running', startedAt: row.startedAt ?? at };
      return reported(withAction(begun, index, action), recorded, { index, message: 'Started execution' });
    }
    case 'ActionSucceeded': {
      const { index, seconds, message, outputs } = event.data;
      const action = { status: 'success', finishedAt: at, seconds, exitCode: 0, message, outputs } as const;
      const text = message === '' ? 'finished execution successfully' : message;
      return reported(withAction(row, index, action), recorded, { index, message: text, seconds });
    }
    case 'ActionFailed': {
      const { index, seconds, exitCode, reason, message } = event.data;
      const action = { status: 'failed', finishedAt: at, seconds, exitCode, reason, message } as const;
      return reported(withAction(row, index, action), recorded, { index, message, seconds });
    }
    case 'ActionTimedOut': {
      const { index, seconds, message } = event.data;
      const action = { status: 'timeout', finishedAt: at, seconds, message } as const;
      return reported(withAction(row, index, action), recorded, { index, message, seconds });
    }
    case 'ActionAttemptFailed': {
      const { index, seconds, exitCode, reason, message, outcome, retryAt } = event.data;
      const action = { status: 'pending', finishedAt: at, seconds, exitCode, reason, message, retryAt } as const;
      const status = outcome === 'failed' ? 'failed' : 'timeout';
      const text = `${message === '' ? outcome : message}; next try at ${retryAt}`;
      return reported(withAction(row, index, action), recorded, { index, message: text, seconds, status });
    }
    case 'ActionCancelled': {
      const { index, seconds, message } = event.data;
      const action = { status: 'cancelled', finishedAt: at, seconds, message } as const;
      return reported(withAction(row, index, action), recorded, { index, message, seconds });
    }
    default:
      return decided(row, recorded);
  }
}

/** What people, conditions and restarts of machines did to an action. */
function decided(row: WorkflowRow, recorded: Recorded<WorkflowEvent>): WorkflowRow {
  const { event, at } = recorded;
  switch (event.type) {
    case 'ActionSkipped': {
      const { index, reason } = event.data;
      const action = { status: 'skipped', finishedAt: at, message: reason } as const;
      return reported(withAction(row, index, action), recorded, { index, message: reason });
    }
    case 'ActionInherited': {
      const { index, workflowId, seconds, outputs } = event.data;
      const message = `done by workflow ${workflowId}`;
      const action = { status: 'success', finishedAt: at, seconds, exitCode: 0, message, outputs } as const;
      return reported(withAction(row, index, action), recorded, { index, message, seconds });
    }
    case 'ActionApprovalRequested': {
      const { index, message } = event.data;
      return withAction(row, index, { status: 'awaiting-approval', message });
    }
    case 'ActionApproved':
      return withAction(row, event.data.index, { status: 'pending', message: event.data.reason });
    case 'ActionRejected': {
      const { index, reason } = event.data;
      const message = `rejected: ${reason}`;
      const rejected = withAction(row, index, { status: 'failed', finishedAt: at, message });
      return reported(rejected, recorded, { index, message });
    }
    case 'ActionOutcomeUnknown': {
      const { index, seconds, message } = event.data;
      return withAction(row, index, { status: 'unknown', seconds, reason: 'unknown-outcome', message });
    }
    case 'ActionOutcomeResolved': {
      const { index, as, reason } = event.data;
      const status = as === 'succeeded' ? 'success' : as === 'failed' ? 'failed' : 'pending';
      const message = `unknown outcome resolved as ${as}: ${reason}`;
      return reported(withAction(row, index, { status, finishedAt: at, message }), recorded, { index, message });
    }
    case 'ActionHandlerFinished': {
      const { index, handler, exitCode, seconds, message } = event.data;
      return withAction(row, index, { handler: { handler, exitCode, seconds, message } });
    }
    default:
      return aside(row, recorded);
  }
}

function aside(row: WorkflowRow, recorded: Recorded<WorkflowEvent>): WorkflowRow {
  const { event, at } = recorded;
  switch (event.type) {
    case 'WorkflowTimedOut':
      return overdue(row, recorded, event.data);
    case 'WorkflowDataUpdated': {
      const { version, sha256, size, workerId, task, action } = event.data;
      const data = [...row.data.filter((other) => other.version !== version)];
      return { ...row, data: [...data, { version, sha256, size, workerId, task, action, at }] };
    }
    case 'WorkflowPaused':
      return { ...row, paused: true };
    case 'WorkflowResumed':
      return { ...row, paused: false };
    case 'WorkflowCancelRequested':
      return { ...row, cancelling: true, cancelRequestedAt: at };
    case 'MachinesTaken':
      return { ...row, machinesTaken: row.machinesTaken || event.data.workerIds.length > 0 };
    case 'WorkflowDelayed': {
      const { cause, workerId, message } = event.data;
      const others = row.delays.filter((delay) => delay.cause !== cause || delay.workerId !== workerId);
      return { ...row, delays: [...others, { cause, workerId, message, at }] };
    }
    case 'ReportRefused':
      // Delivered again, the row has its position already: counted once.
      return row.position === recorded.position ? row : { ...row, refusedReports: row.refusedReports + 1 };
    case 'WorkflowDeleted':
      return { ...row, deletedAt: at };
    default:
      return row;
  }
}

function overdue(
  row: WorkflowRow,
  recorded: Recorded<WorkflowEvent>,
  { index, globalTimeoutSeconds }: { readonly index: number | null; readonly globalTimeoutSeconds: number },
): WorkflowRow {
  const { at } = recorded;
  const message = `the global timeout of ${globalTimeoutSeconds} s passed`;
  const actions = row.actions.map((action) =>
    action.status === 'running' ? ({ ...action, status: 'timeout', finishedAt: at, message } as const) : action,
  );
  const late: WorkflowRow = { ...row, status: 'timeout', blame: index, finishedAt: at, cancelling: false, actions };
  return reported(late, recorded, { index: index ?? row.current, status: 'timeout', message });
}

function withAction(row: WorkflowRow, index: number, change: Partial<ActionRow>): WorkflowRow {
  return { ...row, actions: row.actions.map((action, i) => (i === index ? { ...action, ...change } : action)) };
}

interface Report {
  readonly index: number;
  readonly message: string;
  /** Of the line; what the action is now, unless it says otherwise. */
  readonly status?: ActionStatus;
  readonly seconds?: number;
}

/** Adds a line to the workflow's events; the same event once more adds none. */
function reported(row: WorkflowRow, { at, position }: Recorded, report: Report): WorkflowRow {
  const { index, message, seconds = 0 } = report;
  const status = report.status ?? row.actions[index]?.status ?? 'pending';
  const isKnown = (line: WorkflowEventRow) =>
    line.position === position && line.index === index && line.status === status;
  if (row.events.some(isKnown)) return row;
  const spec = row.actions[index]?.spec;
  const names = { workerId: spec?.workerId ?? '', task: spec?.task ?? '', action: spec?.name ?? '' };
  return { ...row, events: [...row.events, { ...names, index, seconds, message, status, at, position }] };
}
