import { openReadModels, type EventStore, type ReadModels } from '@tinkerbell/event-store';
import {
  hardwareList,
  leaseList,
  machineList,
  machineMeasures,
  templateList,
  workflowList,
  workflowMeasures,
} from '@tinkerbell/projections';
import { NotThenError } from './http/http-errors';
import { ReadSide, type TinkHistory } from './read-side';

const projections = {
  hardware: hardwareList,
  templates: templateList,
  workflows: workflowList,
  machines: machineList,
  leases: leaseList,
};

/** With these, read models keep what this service needs of the past. */
export const tinkHistory = { workflows: workflowMeasures, machines: machineMeasures };

/** What this service reads; a superset may be shared with other services of the same process. */
export type TinkReadModels = ReadModels<typeof projections>;

/** Resolves when the rows have caught up with the log. `file`: SQLite; `:memory:` for tests. */
export function openTinkReadModels(store: EventStore, file: string): Promise<TinkReadModels> {
  return openReadModels({ store, file, projections, history: tinkHistory });
}

export class ProjectedReads extends ReadSide {
  readonly hardware;
  readonly templates;
  readonly workflows;
  readonly machines;
  readonly leases;
  readonly history: TinkHistory;

  constructor(private readonly readModels: TinkReadModels) {
    super();
    const { hardware, templates, workflows, machines, leases } = readModels.models;
    this.hardware = hardware;
    this.templates = templates;
    this.workflows = workflows;
    this.machines = machines;
    this.leases = leases;
    if (!readModels.history) throw new Error('tink-server needs read models that keep their history');
    this.history = readModels.history;
  }

  at(position: number): ReadSide {
    return new PastReads(this.history, position);
  }

  position(): number {
    return this.readModels.position;
  }

  waitFor(position: number, timeoutMilliseconds: number): Promise<boolean> {
    return this.readModels.waitFor(position, timeoutMilliseconds);
  }
}

/** Everything as it was at a position. */
class PastReads extends ReadSide {
  readonly hardware;
  readonly templates;
  readonly workflows;
  readonly machines;
  readonly leases;

  constructor(
    readonly history: TinkHistory,
    private readonly then: number,
  ) {
    super();
    this.hardware = history.hardware.at(then);
    this.templates = history.templates.at(then);
    this.workflows = history.workflows.at(then);
    this.machines = history.machines.at(then);
    this.leases = history.leases.at(then);
  }

  at(position: number): ReadSide {
    return new PastReads(this.history, position);
  }

  position(): number {
    return this.then;
  }

  waitFor(position: number): Promise<boolean> {
    return Promise.resolve(position <= this.then);
  }

  override missing(kind: string, id: string): Error {
    const known = {
      hardware: this.history.hardware,
      template: this.history.templates,
      workflow: this.history.workflows,
    };
    const events = Object.hasOwn(known, kind) ? known[kind as keyof typeof known].events(id) : [];
    return new NotThenError(kind, id, this.then, events);
  }
}
