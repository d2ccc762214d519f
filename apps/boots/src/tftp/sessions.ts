import type { Session } from './session';

/** How long late packets of a transfer that is over are no stranger's. */
const lingerMs = 10_000;

export interface SessionLimits {
  /** Transfers at once. */
  readonly all: number;
  /** Of them those of one client; never more than half of `all`. */
  readonly perClient: number;
}

/** Transfers of one client, or all of them: how many, and those that give way to a new one. Oldest first. */
class Group {
  /** With those whose file is being looked up. */
  count = 0;
  readonly 'half-open' = new Set<Session>();
  readonly silent = new Set<Session>();

  /** Those who may not be there at all, then those who do not answer. */
  get displaceable(): Session | undefined {
    const [halfOpen] = this['half-open'];
    const [silent] = this.silent;
    return halfOpen ?? silent;
  }
}

/** Transfers under way, by the client's address and port; never more than the limits. */
export class Sessions {
  readonly #byPeer = new Map<number, Session>();
  /** Peers whose file is being looked up. */
  readonly #starting = new Set<number>();
  readonly #all = new Group();
  readonly #byClient = new Map<string, Group>();
  /** Peers of ended transfers → until when they are remembered. */
  readonly #ended = new Map<number, number>();
  readonly #perClient: number;

  constructor(private readonly limits: SessionLimits) {
    this.#perClient = Math.max(1, Math.min(limits.perClient, Math.floor(limits.all / 2)));
  }

  get size(): number {
    return this.#byPeer.size;
  }

  get(key: number): Session | undefined {
    return this.#byPeer.get(key);
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#byPeer.values();
  }

  isStarting(key: number): boolean {
    return this.#starting.has(key);
  }

  /** `displaceable`: whose place a new transfer of this client may take. */
  roomFor(client: string): 'room' | { readonly full: 'all' | 'client'; readonly displaceable: Session | undefined } {
    const own = this.#byClient.get(client);
    if (own && own.count >= this.#perClient) return { full: 'client', displaceable: own.displaceable };
    if (this.#all.count >= this.limits.all) return { full: 'all', displaceable: this.#all.displaceable };
    return 'room';
  }

  /** Takes the place of a transfer until `started`. */
  start(key: number, client: string): void {
    this.#starting.add(key);
    this.#count(client, 1);
  }

  /** Whether it became a transfer or not. */
  started(key: number, client: string): void {
    this.#starting.delete(key);
    this.#count(client, -1);
  }

  add(session: Session): void {
    this.#byPeer.set(session.key, session);
    this.#count(session.peer.client, 1);
    this.#list(session);
    this.#ended.delete(session.key);
  }

  /** After a step of the transfer. */
  note(session: Session): void {
    const standing = session.standingNow;
    if (standing === session.standing) return;
    this.#unlist(session);
    session.standing = standing;
    this.#list(session);
  }

  remove(session: Session, nowMs: number): void {
    if (!this.#byPeer.delete(session.key)) return;
    this.#unlist(session);
    this.#count(session.peer.client, -1);
    // Anew, so that the first is always the oldest.
    this.#ended.delete(session.key);
    this.#ended.set(session.key, nowMs + lingerMs);
    for (const [key, until] of this.#ended) {
      if (until > nowMs && this.#ended.size <= this.limits.all) break;
      this.#ended.delete(key);
    }
  }

  endedLately(key: number, nowMs: number): boolean {
    return (this.#ended.get(key) ?? 0) > nowMs;
  }

  #count(client: string, by: 1 | -1): void {
    const own = this.#byClient.get(client) ?? new Group();
    this.#all.count += by;
    own.count += by;
    if (own.count === 0) this.#byClient.delete(client);
    else this.#byClient.set(client, own);
  }

  #list(session: Session): void {
    const { standing } = session;
    if (standing === 'active') return;
    this.#all[standing].add(session);
    this.#byClient.get(session.peer.client)?.[standing].add(session);
  }

  #unlist(session: Session): void {
    const { standing } = session;
    if (standing === 'active') return;
    this.#all[standing].delete(session);
    this.#byClient.get(session.peer.client)?.[standing].delete(session);
  }
}
