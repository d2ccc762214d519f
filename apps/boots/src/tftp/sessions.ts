import type { Session } from './session';

/** How long late packets of a transfer that is over are no stranger's. */
const lingerMs = 10_000;

/** Transfers under way, by the client's address and port; never more than `limit`. */
export class Sessions {
  readonly #byPeer = new Map<number, Session>();
  /** Never answered since their request: forged, perhaps. Oldest first, as the next. */
  readonly #halfOpen = new Set<Session>();
  /** Had to be repeated to and have not answered since. */
  readonly #silent = new Set<Session>();
  /** Peers of ended transfers → until when they are remembered. */
  readonly #ended = new Map<number, number>();

  constructor(private readonly limit: number) {}

  get size(): number {
    return this.#byPeer.size;
  }

  get(key: number): Session | undefined {
    return this.#byPeer.get(key);
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#byPeer.values();
  }

  /** Whom a new transfer may displace, when there is no room: those who may not be there at all, then those who do not answer. */
  get displaceable(): Session | undefined {
    const [halfOpen] = this.#halfOpen;
    const [silent] = this.#silent;
    return halfOpen ?? silent;
  }

  hasRoom(starting: number): boolean {
    return this.#byPeer.size + starting < this.limit;
  }

  add(session: Session): void {
    this.#byPeer.set(session.key, session);
    this.#halfOpen.add(session);
    this.#ended.delete(session.key);
  }

  /** After a step of the transfer. */
  note(session: Session): void {
    const { heard, retries } = session.transfer;
    if (heard && this.#halfOpen.size > 0) this.#halfOpen.delete(session);
    if (retries > 0 && heard) this.#silent.add(session);
    else if (this.#silent.size > 0) this.#silent.delete(session);
  }

  remove(session: Session, nowMs: number): void {
    this.#byPeer.delete(session.key);
    this.#halfOpen.delete(session);
    this.#silent.delete(session);
    // Anew, so that the first is always the oldest.
    this.#ended.delete(session.key);
    this.#ended.set(session.key, nowMs + lingerMs);
    for (const [key, until] of this.#ended) {
      if (until > nowMs && this.#ended.size <= this.limit) break;
      this.#ended.delete(key);
    }
  }

  endedLately(key: number, nowMs: number): boolean {
    return (this.#ended.get(key) ?? 0) > nowMs;
  }
}
