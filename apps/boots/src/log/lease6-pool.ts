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
  pool6Saving,
  type Usage6,
} from '@tinkerbell/domain';
import type { EventStore } from '@tinkerbell/event-store';
import type { Leases6 } from '../dhcp6/decision6';
import { type PoolPorts, type PoolRules, SharedPool } from './shared-pool';

const rules: PoolRules<Lease6Command, Lease6State> = {
  ...{ decider: lease6Decider, saving: pool6Saving },
  takePool: (taken) => ({ type: 'TakePool', ...taken, duid: newDuid() }),
  sizeOf: ({ byAddress }) => byAddress.size,
};

export interface Pool6Ports extends PoolPorts {
  /** Ranges that machines without a reservation get their address from. */
  readonly pools: readonly Pool6[];
}

/** The IPv6 leases of one pool, in a stream beside that of its IPv4 leases; who answers for them is a question of its own. */
export class Lease6Pool extends SharedPool<Lease6Command, Lease6State> implements Leases6 {
  readonly #books: Lease6Books;
  /** The leases that the books were made of. */
  #booked: WeakRef<Lease6State['byAddress']> | undefined;

  private constructor(store: EventStore, name: string, ports: Pool6Ports) {
    super(store, name, rules, ports);
    this.#books = new Lease6Books(ports.pools);
    this.beforeActive(() => this.#makeBooks());
  }

  static async open(store: EventStore, pool: string, ports: Pool6Ports): Promise<Lease6Pool> {
    const made = new Lease6Pool(store, `${pool}-v6`, ports);
    await made.open(() => made.#makeBooks());
    if (!ports.post) await made.submit([{ type: 'NameServer', duid: newDuid() }]);
    return made;
  }

  override async submit(commands: readonly Lease6Command[]): Promise<void> {
    try {
      await super.submit(commands);
    } finally {
      // What was not stored is due again.
      for (const command of commands) {
        if ('holder' in command) this.#books.note(command.holder.ip, this.folded);
        if (command.type === 'ExpireAddresses') for (const ip of command.ips) this.#books.note(ip, this.folded);
      }
    }
  }

  /** What every server of this pool calls itself, for ever; '' before the first one was active. */
  get serverDuid(): string {
    return this.folded.serverDuid ?? '';
  }

  /** Addresses whose lease has run out and that nobody has said so of; at most `max`, each once. */
  due(now: Instant, max: number): readonly string[] {
    return this.#books.due(this.folded, now, max);
  }

  usage(pool: string): Readonly<Usage6> {
    return this.#books.usage(pool);
  }

  holderOf(address: string, now: string): Lease6 | undefined {
    return holder6Of(this.folded, address, now);
  }

  isFree(address: string, now: string): boolean {
    return isFree6(this.folded, address, now);
  }

  addressesOf(clientId: string): readonly string[] {
    return addressesOf(this.folded, clientId);
  }

  /** Anew when another instance, or an earlier run, wrote the leases until now. */
  async #makeBooks(): Promise<void> {
    const { byAddress } = this.folded;
    if (this.#booked?.deref() === byAddress) return;
    for (const _ of this.#books.rebuild(this.folded)) await new Promise((resolve) => setImmediate(resolve));
    this.#booked = new WeakRef(byAddress);
  }
}

/** DUID-UUID (RFC 6355). */
function newDuid(): string {
  return `0004${randomUUID().replaceAll('-', '')}`;
}
