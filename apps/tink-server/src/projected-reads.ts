import { InvalidError } from '@tinkerbell/domain';
import { openReadModels, type EventStore, type ReadModels, type ReadModelStatus } from '@tinkerbell/event-store';
import {
  dhcpServerList,
  hardwareList,
  leaseList,
  machineList,
  machineMeasures,
  poolList,
  secretList,
  subscriptionList,
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
  pools: poolList,
  dhcpServers: dhcpServerList,
  secrets: secretList,
  subscriptions: subscriptionList,
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
  readonly pools;
  readonly dhcpServers;
  readonly secrets;
  readonly subscriptions;
  readonly history: TinkHistory;

  constructor(private readonly readModels: TinkReadModels) {
    super();
    const { hardware, templates, workflows, machines, leases, pools, dhcpServers, secrets, subscriptions } =
      readModels.models;
    this.hardware = hardware;
    this.templates = templates;
    this.workflows = workflows;
    this.machines = machines;
    this.leases = leases;
    this.pools = pools;
    this.dhcpServers = dhcpServers;
    this.secrets = secrets;
    this.subscriptions = subscriptions;
    if (!readModels.history) throw new Error('tink-server needs read models that keep their history');
    this.history = readModels.history;
  }

  at(position: number): ReadSide {
    return new PastReads(this, position);
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

/** Everything as it was at a position. */
class PastReads extends ReadSide {
  readonly hardware;
  readonly templates;
  readonly workflows;
  readonly machines;
  readonly leases;
  readonly pools;
  readonly dhcpServers;
  readonly secrets;
  readonly subscriptions;
  readonly history: TinkHistory;

  constructor(
    private readonly present: ReadSide,
    private readonly then: number,
  ) {
    super();
    const { history } = present;
    this.history = history;
    this.hardware = history.hardware.at(then);
    this.templates = history.templates.at(then);
    this.workflows = history.workflows.at(then);
    this.machines = history.machines.at(then);
    this.leases = history.leases.at(then);
    this.pools = history.pools.at(then);
    this.dhcpServers = history.dhcpServers.at(then);
    this.secrets = history.secrets.at(then);
    this.subscriptions = history.subscriptions.at(then);
  }

  at(position: number): ReadSide {
    return new PastReads(this.present, position);
  }

  position(): number {
    return this.then;
  }

  waitFor(position: number): Promise<boolean> {
    return Promise.resolve(position <= this.then);
  }

  status(): readonly ReadModelStatus[] {
    return this.present.status();
  }

  rebuild(names?: readonly string[]): void {
    this.present.rebuild(names);
  }

  override missing(kind: string, id: string): Error {
    const known = {
      hardware: this.history.hardware,
      template: this.history.templates,
      workflow: this.history.workflows,
      secret: this.history.secrets,
      subscription: this.history.subscriptions,
    };
    const events = Object.hasOwn(known, kind) ? known[kind as keyof typeof known].events(id) : [];
    return new NotThenError(kind, id, this.then, events);
  }
}
