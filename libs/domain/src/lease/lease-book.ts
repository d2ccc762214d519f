import { HashTrie } from './hash-trie';
import { clientKey, type Lease, LeaseTable } from './lease-table';

/** Changes that a book carries beside its table before they go into it: fewer than a millisecond's worth. */
const mostChanged = 64;

/**
 * The leases of a pool: by address, and what each client was given last. A book stays as it is when one is made from it, until that one or
 * a later one is settled: then the table that they share has what is new, and this one is only good to be read through once more.
 */
export class LeaseBook {
  private constructor(
    private readonly table: LeaseTable | undefined,
    private readonly changed: HashTrie<Lease>,
    /** `clientKey` → address. */
    private readonly clients: HashTrie<string>,
    readonly size: number,
  ) {}

  static empty(): LeaseBook {
    return new LeaseBook(undefined, HashTrie.empty(), HashTrie.empty(), 0);
  }

  /** The table is the book's from now on. */
  static over(table: LeaseTable): LeaseBook {
    return new LeaseBook(table, HashTrie.empty(), HashTrie.empty(), table.size);
  }

  get(ip: string): Lease | undefined {
    return this.changed.get(ip) ?? this.table?.get(ip);
  }

  /** Whether what is known of the address is of this network card. */
  isOf(ip: string, mac: string): boolean {
    const changed = this.changed.get(ip);
    return changed ? changed.mac === mac : this.table?.isOf(ip, mac) === true;
  }

  /** What this client was given last, whatever became of it; undefined: nothing, or that is another's by now. */
  lastOf(key: string): Lease | undefined {
    const ip = this.clients.get(key) ?? this.table?.lastOf(key)?.ip;
    const lease = ip === undefined ? undefined : this.get(ip);
    return lease && clientKey(lease) === key ? lease : undefined;
  }

  with(lease: Lease): LeaseBook {
    return this.#with(lease, this.clients);
  }

  /** And it is the last that its client was given. */
  withLast(lease: Lease): LeaseBook {
    return this.#with(lease, this.clients.with(clientKey(lease), lease.ip));
  }

  #with(lease: Lease, clients: HashTrie<string>): LeaseBook {
    const size = this.size + (this.#has(lease.ip) ? 0 : 1);
    return new LeaseBook(this.table, this.changed.with(lease.ip, lease), clients, size);
  }

  #has(ip: string): boolean {
    return this.changed.get(ip) !== undefined || this.table?.has(ip) === true;
  }

  /** The same, for a state that nobody goes back behind any more. */
  settled(): LeaseBook {
    if (this.changed.size < mostChanged) return this;
    const table = this.table ?? new LeaseTable();
    for (const lease of this.changed.values()) {
      if (this.clients.get(clientKey(lease)) === lease.ip) table.putLast(lease);
      else table.put(lease);
    }
    for (const [key, ip] of this.clients.entries()) {
      const lease = this.changed.get(ip);
      if (!lease || clientKey(lease) !== key) table.dropLast(key);
    }
    return LeaseBook.over(table);
  }

  /** One that was settled meanwhile may have a lease twice, and newer ones. */
  *values(): IterableIterator<Lease> {
    yield* this.changed.values();
    for (const lease of this.table?.values() ?? []) if (this.changed.get(lease.ip) === undefined) yield lease;
  }
}
