import type { Instant } from './address-pools';
import type { Lease6, Lease6State } from './lease6.decider';
import { TimeHeap } from './time-heap';

/** Where machines without a reservation get their IPv6 address. */
export interface Pool6 {
  readonly name: string;
  has(ip: string): boolean;
}

export interface Usage6 {
  /** Leased. */
  used: number;
  quarantined: number;
}

/** Some milliseconds. */
const leasesAStep = 1000;

/** An index of `Lease6State` by time and by pool, made anew from it at will. */
export class Lease6Books {
  /** Addresses that are leased or in quarantine, by when that is over. */
  readonly #ends = new TimeHeap();
  readonly #counted = new Map<string, keyof Usage6>();
  readonly #usage: ReadonlyMap<string, Usage6>;

  constructor(private readonly pools: readonly Pool6[]) {
    this.#usage = new Map(pools.map(({ name }) => [name, { used: 0, quarantined: 0 }]));
  }

  /** After a restart or a take-over: everything from the leases, in steps between which others may have their turn. */
  *rebuild(state: Lease6State): IterableIterator<void> {
    this.#ends.clear();
    this.#counted.clear();
    for (const usage of this.#usage.values()) usage.used = usage.quarantined = 0;
    let done = 0;
    for (const lease of state.byAddress.values()) {
      this.#note(lease);
      if (++done % leasesAStep === 0) yield;
    }
  }

  /** After something was stored about an address. */
  note(ip: string, state: Lease6State): void {
    const lease = state.byAddress.get(ip);
    if (lease) this.#note(lease);
  }

  /** Addresses whose lease has run out by now and that nobody has said so of; at most `max`. Each is named once. */
  due(state: Lease6State, now: Instant, max: number): readonly string[] {
    const found: string[] = [];
    while (found.length < max) {
      const first = this.#ends.take(now.ms);
      if (first === undefined) break;
      const lease = state.byAddress.get(first.key);
      const at = lease && standingOf(lease) ? Date.parse(lease.expiresAt) : undefined;
      if (at === undefined) continue;
      if (at > now.ms) this.#ends.put(first.key, at);
      else if (lease?.state === 'bound') found.push(first.key);
      else this.#count(first.key, undefined);
    }
    return found;
  }

  usage(pool: string): Readonly<Usage6> {
    return this.#usage.get(pool) ?? { used: 0, quarantined: 0 };
  }

  #note(lease: Lease6): void {
    const standing = standingOf(lease);
    if (standing) this.#ends.put(lease.ip, Date.parse(lease.expiresAt));
    this.#count(lease.ip, standing);
  }

  #count(ip: string, standing: keyof Usage6 | undefined): void {
    const before = this.#counted.get(ip);
    if (before === standing) return;
    const pool = this.pools.find((one) => one.has(ip));
    const usage = pool && this.#usage.get(pool.name);
    if (!usage) return;
    if (before) usage[before]--;
    if (standing) usage[standing]++;
    if (standing) this.#counted.set(ip, standing);
    else this.#counted.delete(ip);
  }
}

function standingOf({ state }: Lease6): keyof Usage6 | undefined {
  if (state === 'bound') return 'used';
  return state === 'declined' ? 'quarantined' : undefined;
}
