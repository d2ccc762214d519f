import { fold, ForbiddenError, isTerminal, nextAssignment, NotFoundError, workflowDecider } from '@tinkerbell/domain';
import type { ExistingWorkflow, WorkflowState } from '@tinkerbell/domain';
import type { WorkflowEvent } from '@tinkerbell/events';
import { handle, type EventStore } from '@tinkerbell/event-store';
import { reportId, type NextReply, type StateReply, type StateRequest } from '@tinkerbell/messaging';
import { streamOf } from '../commands/caller';
import type { ReadSide } from '../read-side';
import { idleReason, workOrder } from './work-order';
import { ServerLogger } from '../log';

/**
 * Answers what a worker asks. The read model only says where to look: what is handed out is confirmed against the stream, so a worker
 * never gets an action that the log says is done.
 */
export class WorkerDesk {
  private readonly logger = new ServerLogger('worker');

  /** `pendingStart`: the body of the worker's last report of a start that is not in the log yet. */
  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly pendingStart: (workerId: string) => Promise<unknown>,
  ) {}

  /** The next action for this worker, or why there is none. An action that another boot of the machine began is given up first. */
  async next(workerId: string, bootId: string): Promise<NextReply> {
    const rows = this.reads.workflows.findAll(`worker:${workerId}`);
    let reason: string | undefined;
    for (const { id } of workOrder(rows)) {
      let state = await this.load(id);
      let step = nextAssignment(state, id, workerId, bootId);
      if (step.kind === 'assignment') {
        if (await this.begunBefore(workerId, bootId, step)) {
          return {
            assignment: null,
            reason: 'an earlier boot began this action; its report is on its way into the log',
          };
        }
        // That report may have come into the log between the two looks.
        state = await this.load(id);
        step = nextAssignment(state, id, workerId, bootId);
      }
      if (step.kind === 'abandon') {
        await this.abandon(id, workerId, bootId, step);
        state = await this.load(id);
        step = nextAssignment(state, id, workerId, bootId);
      }
      if (step.kind === 'assignment') {
        const { kind: _, ...assignment } = step;
        return { assignment: { ...assignment, upcoming: upcomingImages(state, assignment.index) }, reason: '' };
      }
      if (step.kind === 'wait') reason ??= step.reason;
      if (hasTurnLater(state, workerId)) break;
    }
    const known = this.reads.hardware.get(workerId) !== undefined;
    return { assignment: null, reason: reason ?? idleReason(workerId, known, rows) };
  }

  /** May this attempt go on, and is its result in the log? Throws ForbiddenError when the action is another worker's. */
  async state(workerId: string, { workflowId, index, attempt }: StateRequest): Promise<StateReply> {
    const state = await this.load(workflowId);
    if (state.status === 'none') throw new NotFoundError('workflow', workflowId);
    const action = state.created.actions[index];
    if (action?.workerId !== workerId) {
      throw new ForbiddenError(`action ${index} of workflow ${workflowId} is not assigned to worker ${workerId}`);
    }
    return attemptState(state, index, attempt);
  }

  /**
   * Another boot of this machine has reported the start of the very attempt, and nobody has taken the report into the log yet: handed out
   * again, the action would run twice.
   */
  private async begunBefore(
    workerId: string,
    bootId: string,
    step: { readonly workflowId: string; readonly index: number; readonly attempt: number },
  ): Promise<boolean> {
    const start = (await this.pendingStart(workerId)) as Partial<Record<string, unknown>> | null | undefined;
    const same = (['workflowId', 'index', 'attempt'] as const).every((field) => start?.[field] === step[field]);
    return same && start?.['bootId'] !== bootId;
  }

  private async load(workflowId: string): Promise<WorkflowState> {
    const { events } = await this.store.read<WorkflowEvent>(streamOf('workflow', workflowId));
    return fold(
      workflowDecider,
      events.map(({ event }) => event),
    );
  }

  private async abandon(
    workflowId: string,
    workerId: string,
    bootId: string,
    { index, attempt, startedAt }: { index: number; attempt: number; startedAt: string },
  ): Promise<void> {
    const now = new Date();
    const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(startedAt)) / 1000));
    const finishedAt = now.toISOString();
    const command = { type: 'AbandonAction', index, attempt, workerId, bootId, seconds, finishedAt } as const;
    const metadata = {
      id: reportId(workflowId, index, attempt, 'abandoned'),
      actor: `worker:${workerId}`,
      correlationId: workflowId,
    };
    await handle(this.store, workflowDecider, streamOf('workflow', workflowId), command, metadata);
    this.logger.warn(`workflow ${workflowId}: action ${index} has an unknown outcome, its machine was started anew`);
  }
}

/** A workflow that has begun and will need this worker again keeps it: another one could wipe what it has built. */
function hasTurnLater(state: WorkflowState, workerId: string): boolean {
  if (state.status !== 'running' || state.deleted) return false;
  return state.created.actions.slice(state.current).some((action) => action.workerId === workerId);
}

/** Images that the same worker needs after this action, each once, in order. */
export function upcomingImages(state: WorkflowState, index: number): readonly string[] {
  if (state.status === 'none') return [];
  const { actions } = state.created;
  const current = actions[index];
  const later = actions.slice(index + 1).filter(({ workerId }) => workerId === current?.workerId);
  return [...new Set(later.map(({ image }) => image))].filter((image) => image !== current?.image);
}

export function attemptState(state: ExistingWorkflow, index: number, attempt: number): StateReply {
  const { running, status, current } = state;
  const started = state.attempts[index] ?? 0;
  const runs = running?.index === index && running.attempt === attempt;
  const finished = started >= attempt && !runs;
  if (state.deleted) return { goOn: false, finished, reason: 'the workflow is deleted' };
  if (runs) return { goOn: true, finished: false, reason: '' };
  if (finished)
    return { goOn: false, finished, reason: isTerminal(status) ? `the workflow has ended: ${status}` : 'recorded' };
  if (isTerminal(status)) return { goOn: false, finished, reason: `the workflow has ended: ${status}` };
  // The report of its start is still on its way into the log.
  if (current === index && !running && attempt === started + 1) return { goOn: true, finished, reason: '' };
  return {
    goOn: false,
    finished,
    reason: `action ${current} is the current one, attempt ${(state.attempts[current] ?? 0) + 1}`,
  };
}
