import { currentIndex, endingOf, isTerminal } from '@tinkerbell/domain';
import type { MachinesTaken, Recorded, WorkflowCreated, WorkflowEvent } from '@tinkerbell/events';
import { isStale, type Projection } from './projection';
import type { ActionRow, ActionStatus, WorkflowEventRow, WorkflowRow } from './rows';
import { isOpen, waitOf, workersOf, workRank } from './work-order';

export const workflowList: Projection<WorkflowEvent, WorkflowRow> = {
  name: 'workflow-list',
  version: 5,
  aggregates: ['workflow'],
  key: ({ aggregate, aggregateId }) => (aggregate === 'workflow' ? aggregateId : undefined),
  evolve(row, recorded) {
    if (isStale(row, recorded)) return row;
    const { event, at, position } = recorded;
    if (event.type === 'WorkflowCreated') return settled(opened(recorded, event.data), at);
    return row && settled({ ...row, ...step(row, recorded), updatedAt: at, position }, at);
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
    handedOut: null,
    origin: data.origin,
    globalTimeoutSeconds: data.globalTimeoutSeconds,
    startedAt: null,
    finishedAt: null,
    deletedAt: null,
    current: 0,
    blame: null,
    actions: data.actions.map((spec): ActionRow => ({ status: 'pending', ...untouched, spec })),
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
  if (isTerminal(row.status)) return placed(row);
  const statuses = row.actions.map(({ status }) => status);
  const plans = row.actions.map(({ spec }) => spec.plan);
  const ending = endingOf(plans, statuses, row.cancelling);
  if (!ending) return placed(row);
  return placed({ ...row, status: ending.status, blame: ending.index, finishedAt: at, cancelling: false });
}

function placed(row: WorkflowRow): WorkflowRow {
  const current = currentIndex(row);
  return current === row.current ? row : { ...row, current };
}

/** What one event makes different. A row has many fields, so it is copied once, by who asked. */
type Change = Partial<WorkflowRow>;

/** Times are the store's; how long an action took is what its worker measured. */
function step(row: WorkflowRow, recorded: Recorded<WorkflowEvent>): Change {
  const { event, at } = recorded;
  switch (event.type) {
    case 'ActionStarted': {
      const { index, attempt } = event.data;
      const { outputs, handler } = untouched;
      const action = { status: 'running', ...untouched, attempt, startedAt: at, outputs, handler } as const;
      const { actions, events } = reported(row, recorded, action, { index, message: 'Started execution' });
      return { status: 'running', startedAt: row.startedAt ?? at, actions, events };
    }
    case 'ActionSucceeded': {
      const { index, seconds, message, outputs } = event.data;
      const action = { status: 'success', finishedAt: at, seconds, exitCode: 0, message, outputs } as const;
      const text = message === '' ? 'finished execution successfully' : message;
      return reported(row, recorded, action, { index, message: text, seconds });
    }
    case 'ActionFailed': {
      const { index, seconds, exitCode, reason, message } = event.data;
      const action = { status: 'failed', finishedAt: at, seconds, exitCode, reason, message } as const;
      return reported(row, recorded, action, { index, message, seconds });
    }
    case 'ActionTimedOut': {
      const { index, seconds, message } = event.data;
      const action = { status: 'timeout', finishedAt: at, seconds, message } as const;
      return reported(row, recorded, action, { index, message, seconds });
    }
    case 'ActionAttemptFailed': {
      const { index, seconds, exitCode, reason, message, outcome, retryAt } = event.data;
      const action = { status: 'pending', finishedAt: at, seconds, exitCode, reason, message, retryAt } as const;
      const status = outcome === 'failed' ? 'failed' : 'timeout';
      const text = `${message === '' ? outcome : message}; next try at ${retryAt}`;
      return reported(row, recorded, action, { index, message: text, seconds, status });
    }
    case 'ActionCancelled': {
      const { index, seconds, message } = event.data;
      const action = { status: 'cancelled', finishedAt: at, seconds, message } as const;
      return reported(row, recorded, action, { index, message, seconds });
    }
    default:
      return decided(row, recorded);
  }
}

/** What people, conditions and restarts of machines did to an action. */
function decided(row: WorkflowRow, recorded: Recorded<WorkflowEvent>): Change {
  const { event, at } = recorded;
  switch (event.type) {
    case 'ActionSkipped': {
      const { index, reason } = event.data;
      const action = { status: 'skipped', finishedAt: at, message: reason } as const;
      return reported(row, recorded, action, { index, message: reason });
    }
    case 'ActionInherited': {
      const { index, workflowId, seconds, outputs } = event.data;
      const message = `done by workflow ${workflowId}`;
      const action = { status: 'success', finishedAt: at, seconds, exitCode: 0, message, outputs } as const;
      return reported(row, recorded, action, { index, message, seconds });
    }
    case 'ActionApprovalRequested': {
      const { index, message } = event.data;
      return { actions: withAction(row, index, { status: 'awaiting-approval', message }) };
    }
    case 'ActionApproved':
      return { actions: withAction(row, event.data.index, { status: 'pending', message: event.data.reason }) };
    case 'ActionRejected': {
      const { index, reason } = event.data;
      const message = `rejected: ${reason}`;
      const action = { status: 'failed', finishedAt: at, message } as const;
      return reported(row, recorded, action, { index, message });
    }
    case 'ActionOutcomeUnknown': {
      const { index, seconds, message } = event.data;
      return { actions: withAction(row, index, { status: 'unknown', seconds, reason: 'unknown-outcome', message }) };
    }
    case 'ActionOutcomeResolved': {
      const { index, as, reason } = event.data;
      const status = as === 'succeeded' ? 'success' : as === 'failed' ? 'failed' : 'pending';
      const message = `unknown outcome resolved as ${as}: ${reason}`;
      return reported(row, recorded, { status, finishedAt: at, message }, { index, message });
    }
    case 'ActionHandlerFinished': {
      const { index, handler, exitCode, seconds, message } = event.data;
      return { actions: withAction(row, index, { handler: { handler, exitCode, seconds, message } }) };
    }
    default:
      return aside(row, recorded);
  }
}

function aside(row: WorkflowRow, recorded: Recorded<WorkflowEvent>): Change {
  const { event, at } = recorded;
  switch (event.type) {
    case 'WorkflowTimedOut':
      return overdue(row, recorded, event.data);
    case 'WorkflowDataUpdated': {
      const { version, sha256, size, workerId, task, action } = event.data;
      const data = [...row.data.filter((other) => other.version !== version)];
      return { data: [...data, { version, sha256, size, workerId, task, action, at }] };
    }
    case 'WorkflowPaused':
      return { paused: true };
    case 'WorkflowResumed':
      return { paused: false, handedOut: row.handedOut && { ...row.handedOut, at } };
    case 'WorkflowCancelRequested':
      return { cancelling: true, cancelRequestedAt: at };
    case 'MachinesTaken':
      return event.data.workerIds.length === 0 ? {} : machinesTaken(row, event.data, at);
    case 'WorkflowDelayed': {
      const { cause, workerId, message } = event.data;
      const others = row.delays.filter((delay) => delay.cause !== cause || delay.workerId !== workerId);
      return { delays: [...others, { cause, workerId, message, at }] };
    }
    case 'ReportRefused':
      // Delivered again, the row has its position already: counted once.
      return row.position === recorded.position ? {} : { refusedReports: row.refusedReports + 1 };
    case 'WorkflowDeleted':
      return { deletedAt: at };
    default:
      return {};
  }
}

function machinesTaken({ handedOut }: WorkflowRow, { index }: MachinesTaken['data'], at: string): Change {
  return { machinesTaken: true, handedOut: handedOut ?? (index === null ? null : { index, at }) };
}

function overdue(
  row: WorkflowRow,
  recorded: Recorded<WorkflowEvent>,
  { index, globalTimeoutSeconds }: { readonly index: number | null; readonly globalTimeoutSeconds: number },
): Change {
  const { at } = recorded;
  const message = `the global timeout of ${globalTimeoutSeconds} s passed`;
  const actions = row.actions.map((action) =>
    action.status === 'running' ? ({ ...action, status: 'timeout', finishedAt: at, message } as const) : action,
  );
  const report = { index: index ?? row.current, status: 'timeout', message } as const;
  const events = withLine(row, recorded, actions[report.index], report);
  return { status: 'timeout', blame: index, finishedAt: at, cancelling: false, actions, events };
}

function withAction(row: WorkflowRow, index: number, change: Partial<ActionRow>): readonly ActionRow[] {
  const actions = [...row.actions];
  const action = actions[index];
  if (action) actions[index] = { ...action, ...change };
  return actions;
}

interface Report {
  readonly index: number;
  readonly message: string;
  /** Of the line; what the action is now, unless it says otherwise. */
  readonly status?: ActionStatus;
  readonly seconds?: number;
}

/** Changes an action and adds the line that tells of it. */
function reported(row: WorkflowRow, recorded: Recorded, change: Partial<ActionRow>, report: Report) {
  const actions = withAction(row, report.index, change);
  return { actions, events: withLine(row, recorded, actions[report.index], report) };
}

/** The lines of the workflow and one more; the same event once more adds none. `action`: as it is now. */
function withLine(
  row: WorkflowRow,
  { at, position }: Recorded,
  action: ActionRow | undefined,
  { index, message, seconds = 0, status = action?.status ?? 'pending' }: Report,
): readonly WorkflowEventRow[] {
  // A row that has not seen the commit has no line of it.
  const isKnown =
    row.position === position &&
    row.events.some((line) => line.position === position && line.index === index && line.status === status);
  if (isKnown) return row.events;
  const { workerId = '', task = '', name = '' } = action?.spec ?? {};
  return [...row.events, { workerId, task, action: name, index, seconds, message, status, at, position }];
}
