export interface ListOptions {
  /** Rows with a key after this one. */
  readonly after?: string;
  readonly limit?: number;
  /** Only rows that have all of these; the one that fewest have first. */
  readonly lookups?: readonly string[];
  /** Only rows without this lookup. */
  readonly without?: string;
}

export type Changes<Row> = readonly { readonly key: string; readonly row: Row | undefined }[];

/** The rows of one projection, kept up to date in the background. All reads are synchronous and local. */
export interface ReadModel<Row> {
  get(key: string): Row | undefined;
  /** The first row, by key, with this lookup. */
  find(lookup: string): Row | undefined;
  findAll(lookup: string): readonly Row[];
  /** Rows in key order. */
  list(options?: ListOptions): readonly Row[];
  count(): number;
  /** Calls back after every batch that changed rows; returns the unsubscribe function. */
  onChange(listener: (changed: Changes<Row>) => void): () => void;
}

/** A row and its JSON; what is stored is parsed when it is first asked for. */
export interface Entry<Row> {
  readonly key: string;
  readonly row: Row;
  readonly json: string;
  /** What `Projection.brief` says of it, as JSON; null: nothing. */
  readonly brief: string | null;
}

/** Where a row stands in a queue behind others. */
export interface Place {
  /** Key of the row that stands first. */
  readonly first: string;
  /** From 1. */
  readonly position: number;
}

/** A read model that also answers from what is stored, without making rows of it. */
export interface StoredRows<Row> extends ReadModel<Row> {
  entry(key: string): Entry<Row> | undefined;
  /** As `list`. */
  entries(options?: ListOptions): readonly Entry<Row>[];
  /** Undefined for a row that is the first of the queue or not in it. */
  place(queue: string, key: string): Place | undefined;
  /** How many rows stand in the queue with a rank from `first` to `last`, both included. */
  tally(queue: string, first: number, last: number): number;
}

/** How one projection stands. */
export interface ReadModelStatus {
  readonly name: string;
  /** Of today's code. */
  readonly version: number;
  /** Which version's rows answer now; older than `version` while the new ones are built. */
  readonly served: number;
  /** Every commit up to here is in the rows that answer. */
  readonly position: number;
  readonly rows: number;
  /** Rows that are being built beside them, and how far they are; null: none. */
  readonly building: { readonly position: number } | null;
  /** Why the last building ended without a swap. */
  readonly failure: string | null;
}
