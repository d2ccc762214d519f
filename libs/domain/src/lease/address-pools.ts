import { isFree, type Lease, lastLease, clientKey, type LeaseState } from './lease.decider';
import { numberOf, textOf } from './ipv4';
import { TimeHeap } from './time-heap';

/** Both ends belong to it; IPv4 addresses as numbers. */
export type AddressRange = readonly [first: number, last: number];

export interface PoolSpec {
  readonly name: string;
  readonly subnet: string;
  /** Ascending, none touching another. */
  readonly ranges: readonly AddressRange[];
}

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

const [never, used, ended, quarantined] = [0, 1, 2, 3] as const;

interface Pool extends PoolSpec {
  readonly size: number;
  /** What is known of each address, in the order of the ranges. */
  readonly standing: Uint8Array;
  readonly counts: [number, number, number, number];
  /** All before were offered once, or are not to be. */
  next: number;
  scannedAt: number;
  /** Addresses that are free again, by when their last lease ran out, or was to. */
  readonly back: TimeHeap;
  /** Addresses in quarantine, by its end. */
  readonly locked: TimeHeap;
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
  readonly #heldBy = new Map<string, string>();
  /** No hold ends before: to look at the first one costs as much as all that were taken away before it. */
  #holdsUntil = 0;
  readonly #runningOut = new TimeHeap();

  constructor(
    specs: readonly PoolSpec[],
    /** Whether an address is another machine's reservation. */
    private readonly isReserved: (ip: string) => boolean,
  ) {
    this.#pools = new Map(specs.map((spec) => [spec.name, emptyPool(spec)]));
  }

  /** After a restart or a take-over: everything from the leases, in steps between which others may have their turn. */
  *rebuild(state: LeaseState): IterableIterator<void> {
    this.#holds.clear();
    this.#heldBy.clear();
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
      if (this.poolOf(hold.ip) === undefined) continue;
      this.#holds.set(hold.key, hold);
      this.#heldBy.set(hold.ip, hold.key);
    }
  }

  /** After something was stored about an address. */
  note(ip: string, state: LeaseState): void {
    const lease = state.book.get(ip);
    if (lease) this.#note(lease);
    if (lease?.state === 'bound') this.#letGo(ip);
  }

  /**
   * An address to offer, held for this client from now on: the one it is offered already, the one it had last, the one it wishes for, one
   * that nobody ever had, the one that was used least recently; undefined when there is none. `avoid`: addresses just found in use.
   */
  offer(seeker: Seeker, state: LeaseState, now: Instant, avoid: ReadonlySet<string> = none): string | undefined {
    this.#forgetHolds(now.ms);
    const pools = seeker.pools.flatMap((name) => this.#pools.get(name) ?? []);
    const suits = (ip: string | undefined): ip is string =>
      ip !== undefined && !avoid.has(ip) && this.#mayHave(seeker, ip, pools, state, now.iso);
    const ip =
      pools.map((pool) => this.holdOf(seeker, pool.subnet)?.ip).find(suits) ??
      pools.map((pool) => lastLease(state, seekerKey(seeker, pool.subnet))?.ip).find(suits) ??
      [seeker.wanted].find(suits) ??
      firstOf(pools, (pool) => this.#fresh(pool, suits)) ??
      firstOf(pools, (pool) => this.#leastUsed(pool, state, now, suits)) ??
      firstOf(pools, (pool) => this.#passedOver(pool, suits, now)) ??
      this.#oldestHold(pools, suits, now);
    if (ip !== undefined) this.#hold(seeker, ip, pools, now.ms);
    return ip;
  }

  /** Whether this client may be given this very address: not another's, not in quarantine, not reserved, in one of its pools. */
  mayHave(seeker: Seeker, ip: string, state: LeaseState, now: Instant): boolean {
    const pools = seeker.pools.flatMap((name) => this.#pools.get(name) ?? []);
    return this.#mayHave(seeker, ip, pools, state, now.iso);
  }

  /** What this client is offered in a subnet. */
  holdOf(seeker: Seeker, subnet: string): { readonly ip: string } | undefined {
    return this.#holds.get(seekerKey(seeker, subnet));
  }

  poolOf(ip: string): PoolSpec | undefined {
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

  usage(): readonly PoolUsage[] {
    return [...this.#pools.values()].map(({ name, subnet, size, counts }) => {
      return { pool: name, subnet, size, used: counts[used], quarantined: counts[quarantined] };
    });
  }

  #note(lease: Lease): void {
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
      return;
    }
  }

  #mayHave(seeker: Seeker, ip: string, pools: readonly Pool[], state: LeaseState, now: string): boolean {
    const number = numberOf(ip);
    const pool = pools.find((one) => indexOf(one, number) >= 0);
    if (!pool) return false;
    const key = seekerKey(seeker, pool.subnet);
    const lease = state.book.get(ip);
    const isOwn = lease?.state === 'bound' && clientKey(lease) === key;
    if (!isOwn && !isFree(lease, now)) return false;
    const holder = this.#heldBy.get(ip);
    return (holder === undefined || holder === key) && !this.isReserved(ip);
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
    for (let free = pool.locked.take(now.ms); free; free = pool.locked.take(now.ms)) pool.back.put(free.key, free.time);
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

  /** Better to go back on the offer that stands longest than to offer nothing: somebody who only asks must not use up a pool. */
  #oldestHold(pools: readonly Pool[], suits: (ip: string) => boolean, { ms }: Instant): string | undefined {
    for (const hold of this.#holds.values()) {
      if (hold.until - ms > holdMs - youngestMs) return undefined;
      if (!pools.some((pool) => indexOf(pool, numberOf(hold.ip)) >= 0)) continue;
      this.#drop(hold);
      if (suits(hold.ip)) return hold.ip;
    }
    return undefined;
  }

  #hold(seeker: Seeker, ip: string, pools: readonly Pool[], now: number): void {
    const number = numberOf(ip);
    const subnet = pools.find((pool) => indexOf(pool, number) >= 0)?.subnet ?? '';
    const key = seekerKey(seeker, subnet);
    const before = this.#holds.get(key);
    if (before) this.#drop(before);
    if (this.#holds.size >= maxHolds) {
      const [oldest] = this.#holds.values();
      if (oldest) this.#drop(oldest);
    }
    this.#holds.set(key, { key, ip, until: now + holdMs });
    this.#heldBy.set(ip, key);
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

  #letGo(ip: string): void {
    const hold = this.#holds.get(this.#heldBy.get(ip) ?? '');
    if (hold) this.#drop(hold);
  }

  /** An address that nobody took is the first to be offered again. */
  #drop({ key, ip }: Hold): void {
    this.#holds.delete(key);
    this.#heldBy.delete(ip);
    const number = numberOf(ip);
    const pool = [...this.#pools.values()].find((one) => indexOf(one, number) >= 0);
    if (pool && pool.standing[indexOf(pool, number)] !== used) pool.back.put(ip, 0);
  }
}

const none: ReadonlySet<string> = new Set();
const rescanMs = 10_000;
/** An offer is left alone at least as long. */
const youngestMs = 4000;

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

function standingOf({ state }: Lease): typeof used | typeof ended | typeof quarantined {
  if (state === 'bound') return used;
  return state === 'declined' || state === 'conflict' ? quarantined : ended;
}

function emptyPool(spec: PoolSpec): Pool {
  const size = spec.ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  return {
    ...spec,
    size,
    standing: new Uint8Array(size),
    counts: [size, 0, 0, 0],
    next: 0,
    scannedAt: 0,
    back: new TimeHeap(),
    locked: new TimeHeap(),
  };
}

function reset(pool: Pool): void {
  pool.standing.fill(never);
  pool.counts.splice(0, 4, pool.size, 0, 0, 0);
  pool.next = 0;
  pool.back.clear();
  pool.locked.clear();
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** -1: not in it. */
function indexOf({ ranges }: PoolSpec, number: number): number {
  let before = 0;
  for (const [first, last] of ranges) {
    if (number < first) return -1;
    if (number <= last) return before + number - first;
    before += last - first + 1;
  }
  return -1;
}

function addressAt({ ranges }: PoolSpec, index: number): string {
  let left = index;
  for (const [first, last] of ranges) {
    const length = last - first + 1;
    if (left < length) return textOf(first + left);
    left -= length;
  }
  return '';
}
