import {
  ConflictError,
  InvalidError,
  NotFoundError,
  sameJson,
  workflowDecider,
  type OperatorCommand,
  type WorkflowState,
} from '@tinkerbell/domain';
import type { PlannedAction } from '@tinkerbell/events';
import { current, handle, type EventStore, type Handled } from '@tinkerbell/event-store';
import { metadataFor, newId, streamOf, type Caller } from '../commands/caller';
import type { ReadSide } from '../read-side';
import type { Secrets } from '../secrets/secrets';
import { findTemplate } from '../template/template-commands';
import type { WorkflowPlanner } from '../template/workflow-planner';
import { actionIndex } from './action-index';
import { repeatWorkflow } from './repeat-workflow';

export interface WorkflowWritten extends Handled {
  readonly id: string;
}

export interface NewWorkflow {
  /** Id or name. */
  readonly template: string;
  /** Device name → MAC or IPv4 address. */
  readonly devices: Readonly<Record<string, string>>;
}

type WholeCommand = Extract<OperatorCommand, { readonly type: 'CancelWorkflow' | 'PauseWorkflow' | 'ResumeWorkflow' }>;
type ActionDecision =
  | { readonly type: 'ApproveAction' | 'RejectAction' | 'SkipAction'; readonly reason: string }
  | Omit<Extract<OperatorCommand, { readonly type: 'ResolveOutcome' }>, 'index'>;

/** Creates and deletes workflows. Nothing about them is unique, so any number may be created at once. */
export class WorkflowCommands {
  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly planner: WorkflowPlanner,
    private readonly secrets: Pick<Secrets, 'missing'>,
  ) {}

  /** Renders the template and snapshots what will run. Throws InvalidDocumentError, NotFoundError, InvalidError naming the fault. */
  async create({ template, devices }: NewWorkflow, caller: Caller): Promise<WorkflowWritten> {
    await this.reads.atLeast(await this.store.lastPosition());
    const id = newId(caller, 'workflow.create');
    const earlier = caller.key === undefined ? undefined : await this.earlier(id, { template, devices });
    if (earlier) return earlier;
    const created = await this.planner.created(findTemplate(this.reads, template), devices);
    await this.refuseUnknownSecrets(created.actions);
    return this.write(id, { type: 'CreateWorkflow', ...created }, 'create', caller);
  }

  delete(id: string, caller: Caller): Promise<WorkflowWritten> {
    return this.write(id, { type: 'DeleteWorkflow' }, 'delete', caller);
  }

  /** What a person decides about a workflow as a whole. */
  decide(id: string, command: WholeCommand, caller: Caller): Promise<WorkflowWritten> {
    return this.write(id, command, command.type, caller);
  }

  /** What a person decides about one action, named by its index, id or name. */
  async decideAction(id: string, action: string, command: ActionDecision, caller: Caller): Promise<WorkflowWritten> {
    const { state } = await this.load(id);
    if (state.status === 'none') throw new NotFoundError('workflow', id);
    const index = actionIndex(state.created.actions, action);
    return this.write(id, { ...command, index } as OperatorCommand, `${command.type}:${index}`, caller);
  }

  /** A new workflow that does again what an ended one did, all of it or from an action on. What came before is taken over. */
  async repeat(id: string, { from }: { readonly from?: string | null }, caller: Caller): Promise<WorkflowWritten> {
    const { state } = await this.load(id);
    if (state.status === 'none' || state.deleted) throw new NotFoundError('workflow', id);
    const newOne = newId(caller, `workflow.repeat:${id}`);
    const { state: made, position } = await this.load(newOne);
    if (made.status !== 'none') return { id: newOne, position, changed: false };
    return this.write(newOne, repeatWorkflow(state, id, from), 'create', caller);
  }

  private async refuseUnknownSecrets(actions: readonly PlannedAction[]): Promise<void> {
    const named = actions.flatMap(({ plan }) => Object.values(plan.secrets));
    const [unknown] = named.length === 0 ? [] : await this.secrets.missing(named);
    if (unknown === undefined) return;
    const user = actions.find(({ plan }) => Object.values(plan.secrets).includes(unknown));
    throw new InvalidError(
      'secrets',
      `${user?.plan.id ?? 'an action'} wants secret ${unknown}, which is not set (tink secret set ${unknown})`,
    );
  }

  /** What the same Idempotency-Key made before. The template may have changed since: it is not rendered again. */
  private async earlier(id: string, { template, devices }: NewWorkflow): Promise<WorkflowWritten | undefined> {
    const { state, position } = await this.load(id);
    if (state.status === 'none') return undefined;
    const { templateId, templateName, devices: used } = state.created;
    if ((template === templateId || template === templateName) && sameJson(used, devices)) {
      return { id, position, changed: false };
    }
    throw new ConflictError(`this key made workflow ${id} of another template or other devices`, 'Idempotency-Key');
  }

  private async write(
    id: string,
    command: Parameters<typeof workflowDecider.decide>[0],
    verb: string,
    caller: Caller,
  ): Promise<WorkflowWritten> {
    const metadata = { ...metadataFor(caller, `workflow.${verb}:${id}`), correlationId: id };
    if (command.type !== 'CreateWorkflow' && (await this.load(id)).state.status === 'none') {
      throw new NotFoundError('workflow', id);
    }
    const handled = await handle(this.store, workflowDecider, streamOf('workflow', id), command, metadata);
    await this.reads.settle(handled.position);
    return { id, ...handled };
  }

  private async load(id: string): Promise<{ readonly state: WorkflowState; readonly position: number }> {
    const { state, head } = await current(this.store, workflowDecider, streamOf('workflow', id));
    return { state, position: head.position };
  }
}
