import {
  ConflictError,
  fold,
  NotFoundError,
  parseMac,
  presentHardware,
  sameJson,
  workflowDecider,
  type WorkflowState,
} from '@tinkerbell/domain';
import type { WorkflowCreated, WorkflowEvent } from '@tinkerbell/events';
import { handle, type EventStore, type Handled } from '@tinkerbell/event-store';
import type { TemplateRow } from '@tinkerbell/projections';
import { planWorkflow } from '@tinkerbell/template';
import { metadataFor, newId, streamOf, type Caller } from '../commands/caller';
import type { ReadSide } from '../read-side';
import { findTemplate } from '../template/template-commands';

export interface WorkflowWritten extends Handled {
  readonly id: string;
}

export interface NewWorkflow {
  /** Id or name. */
  readonly template: string;
  /** Device name → MAC or IPv4 address. */
  readonly devices: Readonly<Record<string, string>>;
}

/** Creates and deletes workflows. Nothing about them is unique, so any number may be created at once. */
export class WorkflowCommands {
  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
  ) {}

  /** Renders the template and snapshots what will run. Throws InvalidDocumentError, NotFoundError, InvalidError naming the fault. */
  async create({ template, devices }: NewWorkflow, caller: Caller): Promise<WorkflowWritten> {
    await this.reads.atLeast(await this.store.lastPosition());
    const id = newId(caller, 'workflow.create');
    const earlier = caller.key === undefined ? undefined : await this.earlier(id, { template, devices });
    if (earlier) return earlier;
    const created = this.plan(findTemplate(this.reads, template), devices);
    return this.write(id, { type: 'CreateWorkflow', ...created }, 'create', caller);
  }

  delete(id: string, caller: Caller): Promise<WorkflowWritten> {
    return this.write(id, { type: 'DeleteWorkflow' }, 'delete', caller);
  }

  /** `templateName` is the name that the template is stored under; the one in its text is another matter. */
  private plan(row: TemplateRow, devices: NewWorkflow['devices']): WorkflowCreated['data'] {
    const { hardware } = this.reads;
    const { globalTimeoutSeconds, actions } = planWorkflow(
      row.data,
      devices,
      {
        byMac: (mac) => hardware.find(`mac:${mac}`)?.id,
        byIp: (address) => hardware.find(`ip:${address}`)?.id,
      },
      this.firstHardware(devices),
    );
    return {
      templateId: row.id,
      templateName: row.name,
      templateVersion: row.version,
      devices,
      globalTimeoutSeconds,
      actions,
    };
  }

  /** The hardware of the first device, which a template reaches as `.Hardware`. */
  private firstHardware(devices: NewWorkflow['devices']): { readonly hardware?: unknown } {
    const [address = ''] = Object.values(devices);
    const mac = parseMac(address);
    const row = this.reads.hardware.find(mac === undefined ? `ip:${address}` : `mac:${mac}`);
    return row ? { hardware: presentHardware(row.hardware) } : {};
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
    const { events, head } = await this.store.read<WorkflowEvent>(streamOf('workflow', id));
    const state = fold(
      workflowDecider,
      events.map(({ event }) => event),
    );
    return { state, position: head.position };
  }
}
