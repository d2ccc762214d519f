import { InvalidError } from '@tinkerbell/domain';
import { openReadModels, type EventStore, type ReadModels, type ReadModelStatus } from '@tinkerbell/event-store';
import {
  hardwareList,
  leaseList,
  machineList,
  secretList,
  subscriptionList,
  templateList,
  workflowList,
} from '@tinkerbell/projections';
import { ReadSide } from './read-side';

const projections = {
  hardware: hardwareList,
  templates: templateList,
  workflows: workflowList,
  machines: machineList,
  leases: leaseList,
  secrets: secretList,
  subscriptions: subscriptionList,
};

/** What this service reads; a superset may be shared with other services of the same process. */
export type TinkReadModels = ReadModels<typeof projections>;

/** Resolves when the rows have caught up with the log. `file`: SQLite; `:memory:` for tests. */
export function openTinkReadModels(store: EventStore, file: string): Promise<TinkReadModels> {
  return openReadModels({ store, file, projections });
}

export class ProjectedReads extends ReadSide {
  readonly hardware;
  readonly templates;
  readonly workflows;
  readonly machines;
  readonly leases;
  readonly secrets;
  readonly subscriptions;

  constructor(private readonly readModels: TinkReadModels) {
    super();
    const { hardware, templates, workflows, machines, leases, secrets, subscriptions } = readModels.models;
    this.hardware = hardware;
    this.templates = templates;
    this.workflows = workflows;
    this.machines = machines;
    this.leases = leases;
    this.secrets = secrets;
    this.subscriptions = subscriptions;
  }

  position(): number {
    return this.readModels.position;
  }

  waitFor(position: number, timeoutMilliseconds: number): Promise<boolean> {
    return this.readModels.waitFor(position, timeoutMilliseconds);
  }

  status(): readonly ReadModelStatus[] {
    return this.readModels.status();
  }

  rebuild(names?: readonly string[]): void {
    try {
      this.readModels.rebuild(names);
    } catch (error) {
      if (error instanceof RangeError) throw new InvalidError('projections', error.message);
      throw error;
    }
  }
}
