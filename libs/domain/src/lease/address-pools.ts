import { numberOf } from './ipv4';
import { clientKey, isFree, type Lease, lastLease, type LeaseState } from './lease.decider';
import {
  addressAt,
  emptyPool,
  ended,
  indexOf,
  never,
  type Pool,
  type PoolSpec,
  quarantined,
  reset,
  standingOf,
  unlock,
  used,
} from './pool-addresses';
import { TimeHeap } from './time-heap';

/** A client that looks for an address. `pools`: those that it may have one from, best first. */
export interface Seeker {
  readonly mac: string | null;
  readonly clientId: string | null;
  readonly pools: readonly string[];
  /** What it would like to have (option 50). */
  readonly wanted?: string | undefined;
}

/** ISO 8601 and the same in milliseconds. */
export interface Instant {
  readonly iso: string;
  readonly ms: number;
}

export interface PoolUsage {
  readonly pool: string;
  readonly subnet: string;
  readonly size: number;
  /** Leased. */
  readonly used: number;
  readonly quarantined: number;
}

interface Hold {
  readonly key: string;
  readonly ip: string;
  readonly until: number;
}

/** How long an offer keeps its address from others: firmware takes up to eight seconds to choose. */
const holdMs = 20_000;
/** Some milliseconds. */
const leasesAStep = 2000;
const maxHolds = 65_536;

/**
 * Finds addresses. What is leased is for `LeaseState` to say: this is an index of it, made anew from it at will, and of the offers that are
 * under way, which nobody has to remember after a crash. Each search takes O(log n).
 */
export class AddressPools {
  readonly #pools: ReadonlyMap<string, Pool>;
  /** Oldest first. */
  readonly #holds = new Map<string, Hold>();
  /** Offers whose address was offered to another client since: who comes for it first has it. In the order of that. */
  readonly #overtaken = new Map<string, Hold>();
  /** No hold ends before: to look at the first one costs as much as all that were taken away before it. */
  #holdsUntil = 0;
  readonly #runningOut = new TimeHeap();

  constructor(
    specs: readonly PoolSpec[],
    /** Whether an address is another machine's reservation, or for nobody. */
    private readonly isReserved: (ip: string) => boolean,
  ) {
    this.#pools = new Map(specs.map((spec) => [spec.name, emptyPool(spec)]));
  }

  /** After a restart or a take-over: everything from the leases, in steps between which others may have their turn. */
  *rebuild(state: LeaseState): IterableIterator<void> {
    this.#holds.clear();
    this.#overtaken.clear();
    this.#runningOut.clear();
    for (const pool of this.#pools.values()) reset(pool);
    let done = 0;
    for (const lease of state.book.values()) {
      this.#note(lease);
      if (++done % leasesAStep === 0) yield;
    }
  }

  /** The offers that are under way, of pools that these take the place of. */
  takeHolds(former: AddressPools): void {
    for (const hold of former.#holds.values()) {
      const pool = this.#poolOf(hold.ip);
      if (!pool) continue;
      this.#holds.set(hold.key, hold);
      pool.held.set(hold.ip, hold.key);
    }
    for (const hold of former.#overtaken.values()) this.#overtaken.set(hold.key, hold);
  }

  /** After something was stored about an address. */
  note(ip: string, state: LeaseState): void {
    const lease = state.book.get(ip);
    if (!lease) return;
    const pool = this.#note(lease);
    const hold = lease.state === 'bound' ? this.#holds.get(pool?.held.get(ip) ?? '') : undefined;
    if (hold) this.#drop(hold);
  }

  /**
   * An address to offer, held for this client from now on: the one it is offered already, the one it had last, the one that was reserved for
   * it, the one it wishes for, one that nobody ever had, the one that was used least recently, the one that was offered longest ago to somebody who did not take it yet;
   * undefined when there is none. `avoid`: addresses just found in use.
   */
  offer(seeker: Seeker, state: LeaseState, now: Instant, avoid: ReadonlySet<string> = none): string | undefined {
    this.#forgetHolds(now.ms);
    const pools = seeker.pools.flatMap((name) => this.#pools.get(name) ?? []);
    const suits = (ip: string | undefined): ip is string =>
      ip !== undefined && !avoid.has(ip) && this.#mayHave(seeker, ip, pools, state, now.iso);
    const ip =
      pools.map((pool) => this.holdOf(seeker, pool.subnet)?.ip).find(suits) ??
      pools.map((pool) => lastLease(state, seekerKey(seeker, pool.subnet))?.ip).find(suits) ??
      [formerOf(seeker, state)?.ip].find(suits) ??
      [seeker.wanted].find(suits) ??
      firstOf(pools, (pool) => this.#fresh(pool, suits)) ??
      firstOf(pools, (pool) => this.#leastUsed(pool, state, now, suits)) ??
      firstOf(pools, (pool) => this.#passedOver(pool, suits, now)) ??
      this.#overtake(pools, suits, now);
    if (ip !== undefined) this.#hold(seeker, ip, pools, now.ms);
    return ip;
  }

  /**
   * Of the addresses in quarantine that this client could have the one that was declined longest ago, for when nothing else is left. Not
   * named again until it is noted.
   */
  takeDeclined(seeker: Seeker, state: LeaseState): string | undefined {
    const pools = seeker.pools.flatMap((name) => this.#pools.get(name) ?? []);
    return firstOf(pools, (pool) => this.#takeDeclined(pool, state));
  }

  #takeDeclined({ declined }: Pool, state: LeaseState): string | undefined {
    for (let next = declined.take(); next; next = declined.take()) {
      const lease = state.book.get(next.key);
      if (lease?.state !== 'declined' || this.isReserved(next.key)) continue;
      const at = Date.parse(lease.expiresAt);
      if (at <= next.time) return next.key;
      // Declined once more since.
      declined.put(next.key, at);
    }
    return undefined;
  }

  /**
   * Whether this client may be given this very address: not leased or offered to another, unless it was offered to this one before; not in
   * quarantine, not reserved, in one of its pools.
   */
  mayHave(seeker: Seeker, ip: string, state: LeaseState, now: Instant): boolean {
    const pools = seeker.pools.flatMap((name) => this.#pools.get(name) ?? []);
    return this.#mayHave(seeker, ip, pools, state, now.iso, (key) => this.#wasOffered(key, ip, now.ms));
  }

  /** What this client is offered in a subnet. */
  holdOf(seeker: Seeker, subnet: string): { readonly ip: string } | undefined {
    return this.#holds.get(seekerKey(seeker, subnet));
  }

  poolOf(ip: string): PoolSpec | undefined {
    return this.#poolOf(ip);
  }

  #poolOf(ip: string): Pool | undefined {
    const number = numberOf(ip);
    for (const pool of this.#pools.values()) if (indexOf(pool, number) >= 0) return pool;
    return undefined;
  }

  /** Addresses whose lease has run out by now and that nobody has said so of; at most `max`. Each is named once. */
  due(state: LeaseState, now: Instant, max: number): readonly string[] {
    const found: string[] = [];
    while (found.length < max) {
      const first = this.#runningOut.take(now.ms);
      if (first === undefined) break;
      const lease = state.book.get(first.key);
      if (lease?.state !== 'bound') continue;
      const at = Date.parse(lease.expiresAt);
      if (at > now.ms) this.#runningOut.put(first.key, at);
      else found.push(first.key);
    }
    return found;
  }

  usage(state: LeaseState, now: Instant): readonly PoolUsage[] {
    return [...this.#pools.values()].map((pool) => {
      unlock(pool, state.book, now.ms);
      const { name, subnet, size, counts } = pool;
      return { pool: name, subnet, size, used: counts[used], quarantined: counts[quarantined] };
    });
  }

  /** The pool that it is of. */
  #note(lease: Lease): Pool | undefined {
    const at = Date.parse(lease.expiresAt);
    if (lease.state === 'bound') this.#runningOut.put(lease.ip, at);
    const number = numberOf(lease.ip);
    for (const pool of this.#pools.values()) {
      const index = indexOf(pool, number);
      if (index < 0) continue;
      const now = standingOf(lease);
      const before = pool.standing[index] ?? never;
      pool.counts[before as 0]--;
      pool.counts[now]++;
      pool.standing[index] = now;
      if (now === ended) pool.back.put(lease.ip, at);
      if (now === quarantined) pool.locked.put(lease.ip, at);
      if (lease.state === 'declined') pool.declined.put(lease.ip, at);
      return pool;
    }
    return undefined;
  }

  #mayHave(
    seeker: Seeker,
    ip: string,
    pools: readonly Pool[],
    state: LeaseState,
    now: string,
    wasOffered: (key: string) => boolean = () => false,
  ): boolean {
    const number = numberOf(ip);
    const pool = pools.find((one) => indexOf(one, number) >= 0);
    if (!pool) return false;
    const key = seekerKey(seeker, pool.subnet);
    const lease = state.book.get(ip);
    const isOwn = lease?.state === 'bound' && (clientKey(lease) === key || isFormer(lease, seeker));
    if (!isOwn && !isFree(lease, now)) return false;
    const holder = pool.held.get(ip);
    return (holder === undefined || holder === key || wasOffered(key)) && !this.isReserved(ip);
  }

  #wasOffered(key: string, ip: string, now: number): boolean {
    const hold = this.#overtaken.get(key);
    return hold?.ip === ip && hold.until > now;
  }

  #fresh(pool: Pool, suits: (ip: string) => boolean): string | undefined {
    while (pool.next < pool.size) {
      const index = pool.next++;
      if (pool.standing[index] !== never) continue;
      const ip = addressAt(pool, index);
      if (suits(ip)) return ip;
    }
    return undefined;
  }

  /** A reservation that is one no more is free again. */
  #passedOver(pool: Pool, suits: (ip: string) => boolean, { ms }: Instant): string | undefined {
    if (ms - pool.scannedAt < rescanMs) return undefined;
    pool.scannedAt = ms;
    pool.next = 0;
    return this.#fresh(pool, suits);
  }

  #leastUsed(pool: Pool, state: LeaseState, now: Instant, suits: (ip: string) => boolean): string | undefined {
    unlock(pool, state.book, now.ms);
    const others: { readonly key: string; readonly time: number }[] = [];
    let found: string | undefined;
    while (found === undefined) {
      const next = pool.back.take();
      if (next === undefined) break;
      const lease = state.book.get(next.key);
      const at = lease ? Date.parse(lease.expiresAt) : next.time;
      // Leased again since: comes back when that is over.
      if (lease?.state === 'bound') continue;
      if (at > next.time) pool.back.put(next.key, at);
      else if (suits(next.key)) found = next.key;
      else others.push(next);
    }
    for (const { key, time } of others) pool.back.put(key, time);
    return found;
  }

  /**
   * Somebody who only asks must not use up a pool: an offer is no promise once nothing else is left. Whose offer it was may still come for
   * the address.
   */
  #overtake(pools: readonly Pool[], suits: (ip: string) => boolean, { ms }: Instant): string | undefined {
    for (;;) {
      const hold = longestHeld(pools.map(({ held }) => this.#firstOf(held)));
      if (!hold) return undefined;
      this.#holds.delete(hold.key);
      pools.find(({ held }) => held.delete(hold.ip));
      if (suits(hold.ip)) {
        this.#keepOvertaken(hold, ms);
        return hold.ip;
      }
      this.#giveBack(hold.ip);
    }
  }

  #firstOf(held: ReadonlyMap<string, string>): Hold | undefined {
    const [key] = held.values();
    return key === undefined ? undefined : this.#holds.get(key);
  }

  #keepOvertaken(hold: Hold, now: number): void {
    for (const [key, { until }] of this.#overtaken) {
      if (until > now && this.#overtaken.size < maxHolds) break;
      this.#overtaken.delete(key);
    }
    this.#overtaken.delete(hold.key);
    this.#overtaken.set(hold.key, hold);
  }

  #hold(seeker: Seeker, ip: string, pools: readonly Pool[], now: number): void {
    const number = numberOf(ip);
    const pool = pools.find((one) => indexOf(one, number) >= 0);
    const key = seekerKey(seeker, pool?.subnet ?? '');
    const before = this.#holds.get(key);
    if (before) this.#drop(before);
    if (this.#holds.size >= maxHolds) {
      const [oldest] = this.#holds.values();
      if (oldest) this.#drop(oldest);
    }
    this.#holds.set(key, { key, ip, until: now + holdMs });
    pool?.held.set(ip, key);
  }

  #forgetHolds(now: number): void {
    if (now < this.#holdsUntil) return;
    this.#holdsUntil = now + holdMs;
    for (const hold of this.#holds.values()) {
      this.#holdsUntil = hold.until;
      if (hold.until > now) return;
      this.#drop(hold);
    }
    this.#holdsUntil = now + holdMs;
  }

  #drop({ key, ip }: Hold): void {
    this.#holds.delete(key);
    this.#giveBack(ip);
  }

  /** An address that nobody took is the first to be offered again. */
  #giveBack(ip: string): void {
    const pool = this.#poolOf(ip);
    if (!pool) return;
    pool.held.delete(ip);
    const standing = pool.standing[indexOf(pool, numberOf(ip))];
    if (standing === never || standing === ended) pool.back.put(ip, 0);
  }
}

const none: ReadonlySet<string> = new Set();
const rescanMs = 10_000;

/** Asked for several times for one request; a text that is made once is hashed once. */
export function seekerKey(seeker: Seeker, subnet: string): string {
  if (seeker !== last.seeker || subnet !== last.subnet) {
    const { mac, clientId } = seeker;
    last = { seeker, subnet, key: clientKey({ mac, clientId, subnet, origin: 'pool' }) };
  }
  return last.key;
}

let last: { readonly seeker: Seeker | undefined; readonly subnet: string; readonly key: string } = {
  ...{ seeker: undefined, subnet: '', key: '' },
};

/** What the seeker's network card had as a reservation; its record is gone, or names another address. */
export function formerOf({ mac }: Seeker, state: LeaseState): Lease | undefined {
  const lease = mac === null ? undefined : lastLease(state, mac);
  return lease?.origin === 'reservation' ? lease : undefined;
}

function isFormer({ origin, mac }: Lease, seeker: Seeker): boolean {
  return origin === 'reservation' && mac !== null && mac === seeker.mac;
}

function longestHeld(holds: readonly (Hold | undefined)[]): Hold | undefined {
  return holds.reduce((first, hold) => (hold && (!first || hold.until < first.until) ? hold : first), undefined);
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
