import { randomBytes } from 'node:crypto';
import type { EventStore } from '@tinkerbell/event-store';
import type { Recorded } from '@tinkerbell/events';
import { shortNames, workersOf } from '@tinkerbell/projections';
import { AddressBook } from './address-book';
import type { DashboardPorts } from './dashboard-ports';
import { describeEvent, type Names } from './describe-event';
import { Journal, type Entry } from './journal';
import { standingIn } from './standing';
import { machineView, workflowView } from './views';
import type { AddressesView, Change, EventView, MachineView, Snapshot, WorkflowView } from './wire';

/** Events kept for the feed, changes kept for readers who come back. */
const feedLength = 250;
const journalLength = 4096;
/** Rows that change together are sent together. */
const gatherMilliseconds = 40;
/** Leases come by the thousand; counting them anew can wait. */
const addressesMilliseconds = 500;

export type Listener = (entry: Entry<Change>) => void;

/** Turns changed rows and new events into changes for the page, and keeps the newest for readers whose connection was cut. */
export class LiveHub {
  private readonly machines = new Map<string, MachineView>();
  private readonly workflows = new Map<string, WorkflowView>();
  private readonly events: EventView[] = [];
  private readonly journal = new Journal<Change>(randomBytes(6).toString('hex'), journalLength);
  private readonly listeners = new Set<Listener>();
  private readonly changedMachines = new Set<string>();
  private readonly changedWorkflows = new Set<string>();
  private readonly newEvents: Recorded[] = [];
  private readonly stop = new AbortController();
  private readonly unsubscribe: readonly (() => void)[];
  private timer: NodeJS.Timeout | undefined;
  private readonly addressBook: AddressBook;
  private addresses: AddressesView;
  private addressTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly ports: DashboardPorts,
    private readonly onFault: (error: unknown) => void,
  ) {
    const { machines, workflows, hardware, leases, pools, dhcpServers } = ports;
    this.addressBook = new AddressBook(ports);
    this.addresses = this.addressBook.view();
    this.unsubscribe = [
      ...[leases, pools, dhcpServers, hardware].map((model) => model.onChange(() => this.countLater())),
      machines.onChange((rows) =>
        this.touch(
          this.changedMachines,
          rows.map(({ key }) => key),
        ),
      ),
      hardware.onChange((rows) =>
        this.touch(
          this.changedMachines,
          rows.map(({ key }) => key),
        ),
      ),
      leases.onChange((rows) =>
        this.touch(
          this.changedMachines,
          rows.flatMap(({ row }) => row?.hardwareId ?? []),
        ),
      ),
      workflows.onChange((rows) =>
        this.touch(
          this.changedWorkflows,
          rows.map(({ key }) => key),
        ),
      ),
    ];
    [...hardware.list(), ...machines.list()].forEach(({ id }) => this.refreshMachine(id));
    workflows.list().forEach(({ id }) => this.refreshWorkflow(id));
  }

  /** Reads the newest events and then waits for more. Resolves when it is at the end of the log. */
  async start(): Promise<void> {
    const last = await this.ports.events.lastPosition();
    void this.follow(this.ports.events, Math.max(0, last - feedLength)).catch((error: unknown) => {
      if (!this.stop.signal.aborted) this.onFault(error);
    });
  }

  /** What a reader needs: the changes since `lastId`, or everything when that is too long ago. Later ones go to the listener. */
  subscribe(
    lastId: string | undefined,
    listener: Listener,
  ): { readonly first: Entry<Snapshot> | readonly Entry<Change>[]; readonly close: () => void } {
    this.flush();
    this.listeners.add(listener);
    const missed = lastId === undefined ? undefined : this.journal.since(lastId);
    const close = () => void this.listeners.delete(listener);
    return { first: missed ?? { id: this.journal.lastId, value: this.snapshot() }, close };
  }

  snapshot(): Snapshot {
    return {
      machines: [...this.machines.values()],
      workflows: [...this.workflows.values()],
      events: [...this.events],
      addresses: this.addresses,
    };
  }

  workflow(id: string): WorkflowView | undefined {
    const row = this.ports.workflows.get(id);
    return row && workflowView(row, standingIn(this.ports, row));
  }

  close(): void {
    this.stop.abort();
    clearTimeout(this.timer);
    clearTimeout(this.addressTimer);
    this.unsubscribe.forEach((each) => each());
    this.listeners.clear();
  }

  private async follow(store: EventStore, after: number): Promise<void> {
    for await (const commit of store.subscribe({ after, signal: this.stop.signal })) {
      this.newEvents.push(...commit.events);
      if (commit.events.filter((recorded) => this.addressBook.note(recorded)).length > 0) this.countLater();
      this.schedule();
    }
  }

  private readonly names: Names = {
    machine: (id) => {
      const view = this.machines.get(id) ?? this.machineOf(id);
      return view?.hostname || view?.mac || undefined;
    },
    workflow: (id) => this.ports.workflows.get(id)?.templateName,
    action: (id, index) => shortNames(this.ports.workflows.get(id)?.actions.map(({ spec }) => spec) ?? [])[index],
  };

  private touch(set: Set<string>, keys: readonly string[]): void {
    keys.forEach((key) => set.add(key));
    this.schedule();
  }

  private countLater(): void {
    this.addressTimer ??= setTimeout(() => {
      this.addressTimer = undefined;
      const addresses = this.addressBook.view();
      if (JSON.stringify(addresses) === JSON.stringify(this.addresses)) return;
      this.addresses = addresses;
      this.send({ machines: [], workflows: [], gone: [], events: [], addresses });
    }, addressesMilliseconds);
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => this.flush(), gatherMilliseconds);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const machineIds = [...this.changedMachines];
    const workflowIds = [...this.changedWorkflows];
    this.changedMachines.clear();
    this.changedWorkflows.clear();
    const machines = machineIds.flatMap((id) => this.refreshMachine(id) ?? []);
    const workflows = [
      ...workflowIds.flatMap((id) => this.refreshWorkflow(id) ?? []),
      ...this.refreshWaiting(machineIds, workflowIds),
    ];
    const gone = [
      ...machineIds.filter((id) => !this.machines.has(id)),
      ...workflowIds.filter((id) => !this.workflows.has(id)),
    ];
    // Not described before: the names that an event needs come from rows that are only now up to date.
    const events = this.newEvents.splice(0).map((recorded) => describeEvent(recorded, this.names));
    this.events.push(...events);
    this.events.splice(0, Math.max(0, this.events.length - feedLength));
    if (machines.length + workflows.length + gone.length + events.length === 0) return;
    this.send({ machines, workflows, gone, events });
  }

  private send(change: Change): void {
    const entry = this.journal.append(change);
    this.listeners.forEach((listener) => listener(entry));
  }

  /** What other workflows wait for changes with their machines and with the workflows that these do first. */
  private refreshWaiting(machineIds: readonly string[], workflowIds: readonly string[]): readonly WorkflowView[] {
    const { workflows } = this.ports;
    const rows = workflowIds.flatMap((id) => workflows.get(id) ?? []);
    const workers = new Set([...machineIds, ...rows.flatMap(workersOf)]);
    const others = new Set([...workers].flatMap((id) => workflows.findAll(`queue:${id}`).map((row) => row.id)));
    workflowIds.forEach((id) => others.delete(id));
    return [...others].flatMap((id) => {
      const before = this.workflows.get(id);
      const view = this.workflow(id);
      if (!view || JSON.stringify(view.notes) === JSON.stringify(before?.notes)) return [];
      this.workflows.set(id, view);
      return [view];
    });
  }

  private machineOf(id: string): MachineView | undefined {
    const { hardware, machines, leases } = this.ports;
    const [newest] = leases.findAll(`hardware:${id}`).toSorted((a, b) => b.position - a.position);
    return machineView(hardware.get(id), machines.get(id), newest);
  }

  private refreshMachine(id: string): MachineView | undefined {
    return put(this.machines, id, this.machineOf(id));
  }

  private refreshWorkflow(id: string): WorkflowView | undefined {
    return put(this.workflows, id, this.workflow(id));
  }
}

function put<T>(map: Map<string, T>, key: string, value: T | undefined): T | undefined {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
  return value;
}
