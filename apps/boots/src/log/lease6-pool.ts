import { randomUUID } from 'node:crypto';
import {
  addressesOf,
  holder6Of,
  type Instant,
  isFree6,
  type Lease6,
  Lease6Books,
  type Lease6Command,
  lease6Decider,
  type Lease6State,
  type Pool6,
  type Usage6,
} from '@tinkerbell/domain';
import type { DhcpServiceEvent, LeaseEvent } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import type { Leases6 } from '../dhcp6/decision6';
import { type PoolPost, type PoolRole, PoolTerms } from './pool-terms';
import { StreamWriter } from './stream-writer';

type Writer6 = StreamWriter<Lease6Command, Lease6State, LeaseEvent | DhcpServiceEvent>;

/** The IPv6 leases of one pool, in a stream beside that of its IPv4 leases; who answers for them is a question of its own. */
export class Lease6Pool implements Leases6 {
  readonly #terms: PoolTerms<Lease6Command, Lease6State, LeaseEvent | DhcpServiceEvent>;
  readonly #books: Lease6Books;
  #term = -1;

  private constructor(
    readonly name: string,
    private readonly writer: Writer6,
    pools: readonly Pool6[],
    private readonly post: PoolPost | undefined,
  ) {
    this.#books = new Lease6Books(pools);
    this.#terms = new PoolTerms(name, writer, post, {
      takePool: (taken) => ({ type: 'TakePool', ...taken, duid: newDuid() }),
      size: () => this.size,
    });
  }

  /** Without `post` this instance is the only one, and always active. */
  static async open(
    store: EventStore,
    pool: string,
    { pools, post }: { readonly pools: readonly Pool6[]; readonly post: PoolPost | undefined },
  ): Promise<Lease6Pool> {
    const name = `${pool}-v6`;
    const stream = subjects.stream('lease', name);
    const writer: Writer6 = new StreamWriter(store, lease6Decider, stream, 'boots', post ? 'in-terms' : 'often');
    await writer.loadAll();
    if (!post) await writer.submit({ type: 'NameServer', duid: newDuid() });
    const opened = new Lease6Pool(name, writer, pools, post);
    opened.#terms.open();
    return opened;
  }

  /** Gives the pool to another instance, at once. */
  close(): Promise<void> {
    return this.#terms.close();
  }

  /** Whether this instance may answer. Asked again after a wait: a process can have been stopped meanwhile. */
  get isActive(): boolean {
    return this.#terms.isActive;
  }

  get role(): PoolRole {
    const active = this.post && this.writer.state.taken?.address;
    return { pool: this.name, role: this.isActive ? 'active' : 'standby', active };
  }

  /** How often this instance became the active one. */
  get takeovers(): number {
    return this.#terms.takeovers;
  }

  /**
   * Resolves when the facts are stored; throws DomainError when the pool's rules refuse them, StandbyError when another instance answers
   * by now.
   */
  async submit(commands: readonly Lease6Command[]): Promise<void> {
    await this.#terms.submit(commands);
    const books = this.#current();
    for (const command of commands) {
      if ('holder' in command) books.note(command.holder.ip, this.writer.state);
      if (command.type === 'ExpireAddresses') for (const ip of command.ips) books.note(ip, this.writer.state);
    }
  }

  /** What every server of this pool calls itself, for ever; '' before the first one was active. */
  get serverDuid(): string {
    return this.writer.state.serverDuid ?? '';
  }

  /** Addresses whose lease has run out and that nobody has said so of; at most `max`, each once. */
  due(now: Instant, max: number): readonly string[] {
    return this.#current().due(this.writer.state, now, max);
  }

  get size(): number {
    return this.writer.state.byAddress.size;
  }

  usage(pool: string): Readonly<Usage6> {
    return this.#current().usage(pool);
  }

  holderOf(address: string, now: string): Lease6 | undefined {
    return holder6Of(this.writer.state, address, now);
  }

  isFree(address: string, now: string): boolean {
    return isFree6(this.writer.state, address, now);
  }

  addressesOf(clientId: string): readonly string[] {
    return addressesOf(this.writer.state, clientId);
  }

  /** Made anew when another instance, or an earlier run, wrote the leases until now. */
  #current(): Lease6Books {
    if (this.takeovers !== this.#term) {
      this.#term = this.takeovers;
      this.#books.rebuild(this.writer.state);
    }
    return this.#books;
  }
}

/** DUID-UUID (RFC 6355). */
function newDuid(): string {
  return `0004${randomUUID().replaceAll('-', '')}`;
}
