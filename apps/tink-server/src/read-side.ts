import { NotFoundError } from '@tinkerbell/domain';
import type { Entry, ReadModel, ReadModelStatus, RowHistory, StoredRows } from '@tinkerbell/event-store';
import type {
  DhcpServerRow,
  HardwareRow,
  LeaseRow,
  MachineRow,
  PoolRow,
  SecretRow,
  SubscriptionRow,
  TemplateRow,
  WorkflowRow,
} from '@tinkerbell/projections';
import { BehindError } from './http/http-errors';

/** How long a reader waits for its own write, in milliseconds. */
const patience = 5_000;

export interface TinkHistory {
  readonly hardware: RowHistory<HardwareRow>;
  readonly templates: RowHistory<TemplateRow>;
  readonly workflows: RowHistory<WorkflowRow>;
  readonly machines: RowHistory<MachineRow>;
  readonly leases: RowHistory<LeaseRow>;
  readonly pools: RowHistory<PoolRow>;
  readonly dhcpServers: RowHistory<DhcpServerRow>;
  readonly secrets: RowHistory<SecretRow>;
  readonly subscriptions: RowHistory<SubscriptionRow>;
}

/** The read models of this service. Type and injection token in one. */
export abstract class ReadSide {
  abstract readonly hardware: ReadModel<HardwareRow>;
  abstract readonly templates: ReadModel<TemplateRow>;
  abstract readonly workflows: StoredRows<WorkflowRow>;
  abstract readonly machines: ReadModel<MachineRow>;
  abstract readonly leases: StoredRows<LeaseRow>;
  abstract readonly pools: ReadModel<PoolRow>;
  abstract readonly dhcpServers: ReadModel<DhcpServerRow>;
  abstract readonly secrets: ReadModel<SecretRow>;
  abstract readonly subscriptions: ReadModel<SubscriptionRow>;
  /** What was recorded about each of the rows, and the rows as they were. */
  abstract readonly history: TinkHistory;
  /** The same as it was at a position that has been applied. */
  abstract at(position: number): ReadSide;
  /** The error for something that is not there. */
  missing(kind: string, id: string): Error {
    return new NotFoundError(kind, id);
  }
  /** Position up to which the log has been applied. */
  abstract position(): number;
  /** Resolves with whether all read models have applied the log up to this position, at the latest after the time (milliseconds). */
  abstract waitFor(position: number, timeoutMilliseconds: number): Promise<boolean>;

  /** How each read model stands, and what is being built. */
  abstract status(): readonly ReadModelStatus[];
  /** Builds rows anew beside those that answer; no names = all. Throws InvalidError for a name that is not one. */
  abstract rebuild(names?: readonly string[]): void;

  /** As `waitFor`, with an error for the caller when it takes too long. */
  async atLeast(position: number): Promise<void> {
    if (position <= this.position()) return;
    if (!(await this.waitFor(position, patience))) throw new BehindError(position, this.position());
  }

  /** Gives the read models a moment to show a write, for clients that know nothing of positions. */
  async settle(position: number): Promise<void> {
    if (position > this.position()) await this.waitFor(position, patience);
  }

  /** A workflow that exists and is not deleted. */
  workflow(id: string): WorkflowRow {
    return this.workflowEntry(id).row;
  }

  workflowEntry(id: string): Entry<WorkflowRow> {
    const entry = this.workflows.entry(id);
    if (!entry || entry.row.deletedAt !== null) throw this.missing('workflow', id);
    return entry;
  }
}

export interface From {
  /** Rows with a key after this one. */
  readonly after?: string | undefined;
  /** Rows that are fetched at a time. */
  readonly chunk?: number;
}

/** Every row of a read model. */
export function rowsOf<Row>(model: ReadModel<Row>, keyOf: (row: Row) => string, from: From = {}): AsyncGenerator<Row> {
  return inTurns((page) => model.list(page), keyOf, from);
}

/** Everything that `fetch` has, in pages so that other work gets its turn between them. */
export async function* inTurns<Item>(
  fetch: (page: { readonly after: string; readonly limit: number }) => readonly Item[],
  keyOf: (item: Item) => string,
  { after: from = '', chunk = 500 }: From = {},
): AsyncGenerator<Item> {
  for (let after = from; ;) {
    const page = fetch({ after, limit: chunk });
    yield* page;
    const last = page.at(-1);
    if (page.length < chunk || last === undefined) return;
    after = keyOf(last);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
