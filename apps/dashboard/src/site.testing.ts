import type { Event } from '@tinkerbell/events';
import {
  InMemoryEventStore,
  type Entry,
  type EventStore,
  type ListOptions,
  type ReadModel,
  type StoredRows,
} from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import {
  hardwareList,
  dhcpServerList,
  leaseList,
  poolList,
  machineList,
  workflowList,
  type DhcpServerRow,
  type HardwareRow,
  type LeaseRow,
  type MachineRow,
  type PoolRow,
  type Projection,
  type WorkflowRow,
} from '@tinkerbell/projections';
import type { Aggregate, Recorded } from '@tinkerbell/events';
import { ActionLogs } from './action-logs';
import type { DashboardPorts } from './dashboard-ports';
import type { OutputLine } from './wire';

type Listener<Row> = Parameters<ReadModel<Row>['onChange']>[0];

/** The rows of a real projection, kept in memory. */
export class ProjectedRows<E extends Event, Row> implements StoredRows<Row> {
  private readonly rows = new Map<string, Row>();
  private readonly listeners = new Set<Listener<Row>>();

  constructor(private readonly projection: Projection<E, Row>) {}

  apply(recorded: Recorded): void {
    const event = recorded as Recorded<E>;
    if (!this.projection.aggregates.includes(event.aggregate as Aggregate)) return;
    const key = this.projection.key(event);
    if (key === undefined) return;
    const row = this.projection.evolve(this.rows.get(key), event);
    if (row === undefined) this.rows.delete(key);
    else this.rows.set(key, row);
    this.listeners.forEach((listener) => listener([{ key, row }]));
  }

  get(key: string): Row | undefined {
    return this.rows.get(key);
  }

  find(lookup: string): Row | undefined {
    return this.findAll(lookup)[0];
  }

  findAll(lookup: string): readonly Row[] {
    return this.list({ lookups: [lookup] });
  }

  list({ lookups: [lookup] = [], limit }: ListOptions = {}): readonly Row[] {
    const rows = [...this.rows.entries()].sort(([a], [b]) => a.localeCompare(b)).map(([, row]) => row);
    return rows.filter((row) => lookup === undefined || this.has(row, lookup)).slice(0, limit);
  }

  entry(key: string): Entry<Row> | undefined {
    const row = this.rows.get(key);
    return row && { key, row, json: JSON.stringify(row), brief: null };
  }

  entries(options: ListOptions = {}): readonly Entry<Row>[] {
    const shown = this.list(options);
    return [...this.rows.keys()].flatMap((key) => this.entry(key) ?? []).filter(({ row }) => shown.includes(row));
  }

  place(): undefined {
    return undefined;
  }

  tally(queue: string, first: number, last: number): number {
    const ranks = this.list().flatMap((row) => this.projection.queues?.(row) ?? []);
    const isIn = (rank: number) => rank >= first && rank <= last;
    const found = this.list().filter((row) => this.projection.lookups?.(row).includes(queue));
    return ranks.filter((entry) => entry.queue === queue && isIn(entry.rank)).length + (isIn(0) ? found.length : 0);
  }

  private has(row: Row, lookup: string): boolean {
    const { lookups, queues } = this.projection;
    return lookups?.(row).includes(lookup) || queues?.(row).some(({ queue }) => queue === lookup) || false;
  }

  count(): number {
    return this.rows.size;
  }

  onChange(listener: Listener<Row>): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** Output in a list. */
export class MemoryLogs extends ActionLogs {
  private readonly lines = new Map<string, OutputLine[]>();
  private readonly waiting = new Set<() => void>();

  write(workflowId: string, index: number, ...lines: readonly Omit<OutputLine, 'seq'>[]): void {
    const key = `${workflowId}/${index}`;
    const stored = this.lines.get(key) ?? [];
    lines.forEach((line) => stored.push({ ...line, seq: stored.length + 1 }));
    this.lines.set(key, stored);
    this.waiting.forEach((wake) => wake());
  }

  async *follow(
    workflowId: string,
    index: number,
    { after, signal }: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncIterable<OutputLine> {
    for (let seen = after; !signal.aborted;) {
      const line = this.lines.get(`${workflowId}/${index}`)?.[seen];
      if (line) {
        seen = line.seq;
        yield line;
        continue;
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
  }
}

/** Everything that the dashboard looks at, over a log in memory. `clock` is the time of the next event. */
export class TestSite {
  clock = new Date();
  readonly events: EventStore = new InMemoryEventStore({ now: () => this.clock });
  readonly logs = new MemoryLogs();
  readonly machines = new ProjectedRows<never, MachineRow>(machineList as unknown as Projection<never, MachineRow>);
  readonly workflows = new ProjectedRows<never, WorkflowRow>(workflowList as unknown as Projection<never, WorkflowRow>);
  readonly hardware = new ProjectedRows<never, HardwareRow>(hardwareList as unknown as Projection<never, HardwareRow>);
  readonly leases = new ProjectedRows<never, LeaseRow>(leaseList as unknown as Projection<never, LeaseRow>);
  readonly pools = new ProjectedRows<never, PoolRow>(poolList as unknown as Projection<never, PoolRow>);
  readonly dhcpServers = new ProjectedRows<never, DhcpServerRow>(
    dhcpServerList as unknown as Projection<never, DhcpServerRow>,
  );
  private commands = 0;

  get ports(): DashboardPorts {
    const { machines, workflows, hardware, leases, pools, dhcpServers, logs, events } = this;
    return { machines, workflows, hardware, leases, pools, dhcpServers, logs, events };
  }

  /** Appends to one stream and brings all rows up to date. */
  async append(aggregate: Aggregate, id: string, ...events: readonly Event[]): Promise<void> {
    const stream = subjects.stream(aggregate, id);
    const { head } = await this.events.read(stream);
    const metadata = { id: `command-${++this.commands}`, actor: 'user:test' };
    await this.events.append(stream, events, { expected: head, metadata });
    const { events: all } = await this.events.read(stream);
    const rows = [this.machines, this.workflows, this.hardware, this.leases, this.pools, this.dhcpServers];
    all.filter(({ position }) => position > head.position).forEach((each) => rows.forEach((row) => row.apply(each)));
  }
}
