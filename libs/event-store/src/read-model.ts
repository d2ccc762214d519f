/** The rows of one projection, kept up to date in the background. All reads are synchronous and local. */
export interface ReadModel<Row> {
  get(key: string): Row | undefined;
  /** The first row, by key, with this lookup. */
  find(lookup: string): Row | undefined;
  findAll(lookup: string): readonly Row[];
  /** Rows in key order. */
  list(options?: { readonly after?: string; readonly limit?: number }): readonly Row[];
  count(): number;
  /** Calls back after every batch that changed rows; returns the unsubscribe function. */
  onChange(listener: (changed: readonly { readonly key: string; readonly row: Row | undefined }[]) => void): () => void;
}
