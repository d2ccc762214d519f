import {
  DomainError,
  fold,
  hardwareDecider,
  InvalidDocumentError,
  parseMac,
  presentHardware,
  type Fault,
  type PresentedHardware,
} from '@tinkerbell/domain';
import type { HardwareEvent, WorkflowCreated } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import type { WorkflowRow } from '@tinkerbell/projections';
import { comparePlans, type FindWorker, type PlanChange } from '@tinkerbell/template';
import { streamOf } from '../commands/caller';
import { RequestError } from '../http/http-errors';
import { rowsOf, type ReadSide } from '../read-side';
import { findTemplate } from './template-commands';
import type { WorkflowPlanner } from './workflow-planner';

/** What a workflow of the past would be with another text. */
export interface Replayed {
  readonly workflowId: string;
  readonly createdAt: string;
  readonly templateVersion: number;
  readonly devices: Readonly<Record<string, string>>;
  readonly status: string;
  readonly changes: readonly PlanChange[];
  /** Why it could not be made at all; null when it could. */
  readonly refused: { readonly message: string; readonly faults: readonly Fault[] } | null;
}

export interface Replay {
  readonly templateId: string;
  /** Newest first, those that would differ or be refused. */
  readonly differing: readonly Replayed[];
  readonly same: number;
  /** Older ones that were not looked at. */
  readonly leftOut: number;
}

/** Decides again about workflows that were made, with the hardware as it was then. Changes nothing. */
export class TemplateReplay {
  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly planner: WorkflowPlanner,
  ) {}

  /** `text`: in place of the template's own. */
  async run(idOrName: string, text: string | undefined, limit: number): Promise<Replay> {
    const template = findTemplate(this.reads, idOrName);
    const rows: WorkflowRow[] = [];
    for await (const row of rowsOf(this.reads.workflows, ({ id }) => id)) {
      if (row.templateId === template.id) rows.push(row);
    }
    rows.sort((a, b) => b.createdPosition - a.createdPosition);
    const replayed: Replayed[] = [];
    for (const row of rows.slice(0, limit)) replayed.push(await this.one(row, text ?? template.data));
    const differing = replayed.filter(({ changes, refused }) => changes.length > 0 || refused !== null);
    return {
      templateId: template.id,
      differing,
      same: replayed.length - differing.length,
      leftOut: Math.max(rows.length - limit, 0),
    };
  }

  private async one(row: WorkflowRow, text: string): Promise<Replayed> {
    const { events } = await this.store.read(streamOf('workflow', row.id));
    const created = events.find(({ event }) => event.type === 'WorkflowCreated')?.event.data as WorkflowCreated['data'];
    const { devices, templateVersion } = created;
    const about = { workflowId: row.id, createdAt: row.createdAt, templateVersion, devices, status: row.status };
    try {
      const plan = this.planner.plan(text, devices, await this.thenFinder(created, row.createdPosition));
      const actions = await this.planner.pinned(plan);
      const after = { globalTimeoutSeconds: plan.globalTimeoutSeconds, actions };
      return { ...about, changes: comparePlans(created, after), refused: null };
    } catch (error) {
      if (!(error instanceof DomainError) && !(error instanceof RequestError)) throw error;
      const faults = error instanceof InvalidDocumentError ? error.faults : [];
      return { ...about, changes: [], refused: { message: error.message, faults } };
    }
  }

  /** The machines of a workflow as they were when it was made; every other one as it is now. */
  private async thenFinder({ actions }: WorkflowCreated['data'], position: number): Promise<FindWorker> {
    const now = this.planner.finder();
    const records = new Map<string, PresentedHardware>();
    for (const id of new Set(actions.map(({ workerId }) => workerId))) {
      const { events } = await this.store.read<HardwareEvent>(streamOf('hardware', id));
      const then = events.filter((recorded) => recorded.position < position).map(({ event }) => event);
      const state = fold(hardwareDecider, then);
      if (state.status === 'registered') records.set(id, presentHardware(state.hardware));
    }
    const find = (isIt: (dhcp: PresentedHardware['network']['interfaces'][number]['dhcp']) => boolean) =>
      [...records].find(([, { network }]) => network.interfaces.some(({ dhcp }) => isIt(dhcp)))?.[0];
    return {
      byMac: (mac) => find((dhcp) => parseMac(dhcp.mac) === mac) ?? now.byMac(mac),
      byIp: (address) => find((dhcp) => dhcp.ip?.address === address) ?? now.byIp(address),
      hardware: (id) => records.get(id) ?? now.hardware?.(id),
    };
  }
}
