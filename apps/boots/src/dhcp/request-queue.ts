import { type Rank, ranks } from './request-rank';

export interface QueueLimits {
  /** Requests that wait, at most. */
  readonly size: number;
  /** What has waited longer is not answered: its client gave up, or asks again. */
  readonly patienceMs: number;
  /** As long as nothing has waited longer, the order is that of arrival; then the newest comes first. */
  readonly calmMs: number;
}

/** Every so many turns are the lowest rank's: a flood of what ranks higher shuts nobody out. */
const lowestEvery = 8;

/**
 * Requests between the socket and the desk. When more come than can be answered, some are answered in time and the others not at all,
 * instead of all too late. Times are milliseconds on any clock that does not jump.
 */
export class RequestQueue<T> {
  readonly #lanes: Readonly<Record<Rank, Lane<T>>> = { renewal: new Lane(), selection: new Lane(), other: new Lane() };
  /** Highest rank first. */
  readonly #inOrder = ranks.map((rank) => this.#lanes[rank]);
  #turn = 0;
  #shed = 0;

  constructor(private readonly limits: QueueLimits) {}

  get size(): number {
    return this.#inOrder.reduce((sum, lane) => sum + lane.size, 0);
  }

  /** Makes room by shedding the oldest of the lowest rank, which may be this one. */
  put(rank: Rank, item: T, at: number): void {
    this.#lanes[rank].push(item, at);
    if (this.size <= this.limits.size) return;
    this.#inOrder.findLast(isWaiting)?.shift();
    this.#shed++;
  }

  /** What to answer next; sheds what has waited too long. */
  next(now: number): T | undefined {
    for (const lane of this.#inOrder) this.#shed += lane.dropBefore(now - this.limits.patienceMs);
    const isLowest = ++this.#turn % lowestEvery === 0;
    const lane = isLowest ? this.#inOrder.findLast(isWaiting) : this.#inOrder.find(isWaiting);
    return lane && now - lane.oldestAt > this.limits.calmMs ? lane.pop() : lane?.shift();
  }

  /** How many were shed since this was asked last. */
  takeShed(): number {
    const shed = this.#shed;
    this.#shed = 0;
    return shed;
  }

  clear(): void {
    for (const lane of this.#inOrder) lane.dropBefore(Infinity);
  }
}

const isWaiting = ({ size }: { readonly size: number }): boolean => size > 0;

interface Waiting<T> {
  readonly item: T;
  readonly at: number;
}

/** In order of arrival, open at both ends. */
class Lane<T> {
  #entries: (Waiting<T> | undefined)[] = [];
  #first = 0;

  get size(): number {
    return this.#entries.length - this.#first;
  }

  get oldestAt(): number {
    return this.#entries[this.#first]?.at ?? Infinity;
  }

  push(item: T, at: number): void {
    this.#entries.push({ item, at });
  }

  shift(): T | undefined {
    const oldest = this.#entries[this.#first];
    if (!oldest) return undefined;
    this.#entries[this.#first++] = undefined;
    // Moves as many as were taken, at most.
    if (this.#first * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
    return oldest.item;
  }

  pop(): T | undefined {
    return this.size > 0 ? this.#entries.pop()?.item : undefined;
  }

  /** Returns how many. */
  dropBefore(time: number): number {
    let dropped = 0;
    for (; this.size > 0 && this.oldestAt < time; dropped++) this.shift();
    return dropped;
  }
}
