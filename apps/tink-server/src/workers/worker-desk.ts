import {
  ForbiddenError,
  isTerminal,
  machinesOf,
  mayStart,
  nextAssignment,
  NotFoundError,
  workflowDecider,
} from '@tinkerbell/domain';
import type { ExistingWorkflow, NextStep, WorkflowState } from '@tinkerbell/domain';
import { handle, type EventStore } from '@tinkerbell/event-store';
import {
  type AttemptRef,
  type NextReply,
  type NextRequest,
  reportId,
  type StateReply,
  type StateRequest,
} from '@tinkerbell/messaging';
import { idleReason, machinesHeld, workersOf, workOrder, type WorkflowRow } from '@tinkerbell/projections';
import { streamOf } from '../commands/caller';
import { loadWorkflow, recentWorkflow } from '../workflow/load-workflow';
import { Changes } from './changes';
import { Machines } from './machines';
import { isReportOf, type OnTheirWay } from './on-their-way';
import { replacementOf } from './standing';
import type { ReadSide } from '../read-side';
import { ServerLogger } from '../log';

export interface DeskOptions {
  readonly now?: () => number;
  /** How long an answer waits for a report of the asker that is on its way into the log; default 1 s. */
  readonly holdMs?: number;
}

type Assigned = Extract<NextStep, { readonly kind: 'assignment' }>;
interface FoundStep {
  readonly kind: 'found';
  readonly step: Assigned;
  readonly state: WorkflowState;
}
type Found = FoundStep | { readonly kind: 'none'; readonly reason: string | undefined };

/** Well within the patience of a worker that asks. */
const longestHoldMs = 1_000;
/** How long the report of an end takes from its worker into the log, mostly. */
const lingerMs = 100;
const begunByEarlierBoot = 'an earlier boot began this action; its report is on its way into the log';
const endedByEarlierBoot = 'an earlier boot ended this action; its report is on its way into the log';

/**
 * Answers what a worker asks. The read model only says where to look: what is handed out is confirmed against the stream, so a worker
 * never gets an action that the log says is done.
 */
export class WorkerDesk {
  private readonly logger = new ServerLogger('worker');
  private readonly machines: Machines;
  /** Worker → its workflow that ended last, as far as this server has seen one end. */
  private readonly lastEnded = new Map<string, Pick<WorkflowRow, 'id' | 'status' | 'finishedAt'>>();

  private readonly changes = new Changes();
  private readonly now: () => number;
  private readonly holdMs: number;

  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly pending: OnTheirWay,
    { now = Date.now, holdMs = longestHoldMs }: DeskOptions = {},
  ) {
    this.now = now;
    this.holdMs = holdMs;
    this.machines = new Machines(store);
    reads.workflows.onChange((changed) => {
      this.changes.tell(changed.map(({ key }) => key));
      for (const { row } of changed) if (row && isTerminal(row.status)) this.noteEnd(row);
    });
  }

  /** The next action for this worker, or why there is none. An action that another boot of the machine began is given up first. */
  async next(workerId: string, request: NextRequest): Promise<NextReply> {
    const found = await this.find(workerId, request, true);
    if (found.kind === 'none') {
      return { assignment: null, reason: found.reason ?? this.idleReason(workerId) };
    }
    const obstacle = await this.begin(found, `worker:${workerId}`);
    if (obstacle !== undefined) return { assignment: null, reason: obstacle };
    const { kind: _, workflowId, ...step } = found.step;
    const upcoming = upcomingImages(found.state, step.index);
    return { assignment: { workflowId, ...step, upcoming }, reason: '' };
  }

  /** To be called before the step is handed out. Why it may not be; undefined when it may. */
  async begin({ step, state }: FoundStep, actor: string): Promise<string | undefined> {
    if (state.status !== 'pending' || machinesOf(state).length < 2) return undefined;
    return this.machines.take(step.workflowId, step.index, actor);
  }

  /** As `next`, and begins nothing. `givesUp`: whether an action of another boot is given up, else it is a reason to wait. */
  async find(workerId: string, request: NextRequest, givesUp: boolean): Promise<Found> {
    let reason: string | undefined;
    for (const row of workOrder(this.open(workerId))) {
      const obstacle = this.obstacle(row);
      if (obstacle !== undefined) {
        reason ??= obstacle;
        continue;
      }
      const { step, state } = await this.stepOf(row.id, workerId, request, givesUp);
      if (step.kind === 'assignment') return { kind: 'found', step, state };
      reason ??= step.kind === 'wait' ? step.reason : `workflow ${row.id}: action ${step.index} runs in another worker`;
      if (step.kind === 'wait' && [begunByEarlierBoot, endedByEarlierBoot].includes(step.reason)) break;
      if (machinesHeld(this.reads.workflows.get(row.id) ?? row).includes(workerId)) break;
    }
    return { kind: 'none', reason };
  }

  /** Why a worker gets nothing that has no unfinished workflow. */
  idleReason(workerId: string): string {
    const { hardware, workflows } = this.reads;
    const last = this.lastEnded.get(workerId);
    const ended = last !== undefined || workflows.find(`ended:${workerId}`) !== undefined;
    return idleReason(workerId, hardware.get(workerId) !== undefined, ended, last);
  }

  private open(workerId: string): readonly WorkflowRow[] {
    return this.reads.workflows.findAll(`queue:${workerId}`);
  }

  private noteEnd(row: WorkflowRow): void {
    for (const workerId of workersOf(row)) {
      const last = this.lastEnded.get(workerId);
      const { id, status, finishedAt, deletedAt } = row;
      if (deletedAt !== null) {
        if (last?.id === id) this.lastEnded.delete(workerId);
      } else if ((last?.finishedAt ?? '') <= (finishedAt ?? ''))
        this.lastEnded.set(workerId, { id, status, finishedAt });
    }
  }

  /** May this attempt go on, and is its result in the log? Throws ForbiddenError when the action is another worker's. */
  async state(workerId: string, request: StateRequest): Promise<StateReply> {
    const known = recentWorkflow(this.store, request.workflowId);
    const reply = known && isOf(workerId, known, request) ? attemptState(known, request) : undefined;
    // What ends it must be told by the log itself; what another server has stored meanwhile, that one tells with a wake-up.
    return reply?.goOn || reply?.finished ? reply : this.confirmedState(workerId, request);
  }

  private async confirmedState(workerId: string, request: StateRequest): Promise<StateReply> {
    const { workflowId, index } = request;
    const state = await loadWorkflow(this.store, workflowId);
    if (state.status === 'none') throw new NotFoundError('workflow', workflowId);
    if (!isOf(workerId, state, request)) {
      throw new ForbiddenError(`action ${index} of workflow ${workflowId} is not assigned to worker ${workerId}`);
    }
    return attemptState(state, request);
  }

  /** Why a workflow that has not begun may not begin: it would take a machine that another one keeps. */
  private obstacle(row: WorkflowRow): string | undefined {
    if (row.status !== 'pending' || row.machinesTaken) return undefined;
    for (const workerId of workersOf(row)) {
      for (const other of this.open(workerId)) {
        if (other.id === row.id || !machinesHeld(other).includes(workerId)) continue;
        return `workflow ${row.id} waits for workflow ${other.id}, which has machine ${workerId}`;
      }
    }
    return undefined;
  }

  private async stepOf(
    workflowId: string,
    workerId: string,
    { bootId, busy, key }: NextRequest,
    givesUp: boolean,
  ): Promise<{ readonly step: NextStep; readonly state: WorkflowState }> {
    const asking = {
      workflowId,
      workerId,
      bootId,
      now: new Date(this.now()).toISOString(),
      busy: busy?.filter((one) => one.workflowId === workflowId),
    };
    await this.linger(asking);
    for (let held = false; ;) {
      // Before the log: a report that is in neither when it is looked for was made later.
      const pending = await this.pending(workerId, 'started');
      const state = await loadWorkflow(this.store, workflowId);
      const step = nextAssignment(state, asking);
      if (step.kind === 'abandon' || (step.kind === 'assignment' && !isRunning(state, step))) {
        const reason = await replacementOf(this.store, this.reads, workerId, key);
        if (reason !== undefined) return { step: { kind: 'wait', reason }, state };
      }
      if (step.kind === 'abandon' && givesUp) {
        const change = this.changes.next(workflowId, this.holdMs);
        if (!(await this.hasEnded(workerId, { workflowId, ...step }))) {
          await this.abandon(workflowId, workerId, bootId, step);
        } else if (held) return { step: { kind: 'wait', reason: endedByEarlierBoot }, state };
        else {
          held = true;
          await change;
        }
        continue;
      }
      if (step.kind !== 'assignment') return { step, state };
      const early = begunBefore(pending, bootId, step);
      if (!held && (early || isRunning(state, step))) {
        held = true;
        await this.hold(workerId, step, early);
        continue;
      }
      return { step: early ? { kind: 'wait', reason: begunByEarlierBoot } : step, state };
    }
  }

  /** Who asks while an action of his runs has just reported its end: what the log says now is not what he wants to know. */
  private async linger(asking: Parameters<typeof nextAssignment>[1] & { readonly workflowId: string }): Promise<void> {
    const state = recentWorkflow(this.store, asking.workflowId);
    const step = state && nextAssignment(state, asking);
    if (state && step?.kind === 'assignment' && isRunning(state, step)) {
      await this.changes.next(asking.workflowId, Math.min(this.holdMs, lingerMs));
    }
  }

  /** A report of this step that is on its way into the log is waited for a little: it saves the worker to ask again. */
  private async hold(workerId: string, step: AttemptRef, begun: boolean): Promise<void> {
    const change = this.changes.next(step.workflowId, this.holdMs);
    if (begun || (await this.hasEnded(workerId, step))) await change;
  }

  /** The result of this attempt is stored, and the log does not have it yet. */
  private async hasEnded(workerId: string, attempt: AttemptRef): Promise<boolean> {
    return (await this.pending(workerId, 'finished')).some((report) => isReportOf(attempt, report));
  }

  private async abandon(
    workflowId: string,
    workerId: string,
    bootId: string,
    { index, attempt, startedAt }: { index: number; attempt: number; startedAt: string },
  ): Promise<void> {
    const now = new Date(this.now());
    const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(startedAt)) / 1000));
    const finishedAt = now.toISOString();
    const command = { type: 'AbandonAction', index, attempt, workerId, bootId, seconds, finishedAt } as const;
    const metadata = {
      id: reportId(workflowId, index, attempt, 'abandoned'),
      actor: `worker:${workerId}`,
      correlationId: workflowId,
    };
    const { position } = await handle(this.store, workflowDecider, streamOf('workflow', workflowId), command, metadata);
    await this.reads.settle(position);
    this.logger.warn(`workflow ${workflowId}: action ${index} has an unknown outcome, its machine was started anew`);
  }
}

/**
 * Another boot of this machine has reported the start of the very attempt, and nobody has taken the report into the log yet: handed out
 * again, the action would run twice.
 */
function begunBefore(pending: readonly unknown[], bootId: string, step: AttemptRef): boolean {
  return pending.some((start) => isReportOf(step, start) && (start as { readonly bootId?: unknown }).bootId !== bootId);
}

function isOf(workerId: string, state: WorkflowState, { index }: AttemptRef): state is ExistingWorkflow {
  return state.status !== 'none' && state.created.actions[index]?.workerId === workerId;
}

function isRunning(state: WorkflowState, { index }: AttemptRef): boolean {
  return state.status !== 'none' && state.actions[index]?.status === 'running';
}

/** Images that the same worker needs after this action, each once, in order. */
export function upcomingImages(state: WorkflowState, index: number): readonly string[] {
  if (state.status === 'none') return [];
  const { actions } = state.created;
  const current = actions[index];
  const later = actions.slice(index + 1).filter(({ workerId }) => workerId === current?.workerId);
  return [...new Set(later.map(({ image }) => image))].filter((image) => image !== current?.image);
}

export function attemptState(state: ExistingWorkflow, { index, attempt }: AttemptRef): StateReply {
  const { status, cancelling } = state;
  const { attempts = 0, running, ...action } = state.actions[index] ?? { status: 'skipped' as const };
  const runs = action.status === 'running' && running?.attempt === attempt;
  const finished = attempts >= attempt && !runs && action.status !== 'unknown';
  if (state.deleted) return { goOn: false, finished, reason: 'the workflow is deleted' };
  if (cancelling && !finished) {
    return { goOn: false, cancelled: true, finished, reason: 'the workflow is being cancelled' };
  }
  if (runs && !isTerminal(status)) return { goOn: true, finished: false, reason: '' };
  if (finished) {
    return { goOn: false, finished, reason: isTerminal(status) ? `the workflow has ended: ${status}` : 'recorded' };
  }
  if (isTerminal(status)) return { goOn: false, finished, reason: `the workflow has ended: ${status}` };
  // The report of its start is still on its way into the log.
  const comes = action.status === 'pending' && attempt === attempts + 1;
  if (comes && !cancelling && mayStart(index, state)) return { goOn: true, finished, reason: '' };
  const next = `attempt ${attempts + (action.status === 'pending' ? 1 : 0)}`;
  return { goOn: false, finished, reason: `action ${index} is ${action.status}, ${next}` };
}
