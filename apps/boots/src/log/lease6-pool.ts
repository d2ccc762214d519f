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
import { InTurn } from '../in-turn';
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
  #books: Lease6Books;
  readonly #making = new InTurn();
  /** What was stored while other books are made beside these. */
  #noted: Set<string> | undefined;
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

  override async submit(commands: readonly Lease6Command[], actor?: string): Promise<void> {
    try {
      await super.submit(commands, actor);
    } finally {
      // What was not stored is due again.
      for (const ip of commands.flatMap(addressesIn)) {
        this.#books.note(ip, this.folded);
        this.#noted?.add(ip);
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

  /** Other ranges from now on. They are counted beside the old ones, which go on until then; `apply` is called in the same turn. */
  changePools(pools: readonly Pool6[], apply: () => void): Promise<void> {
    return this.#making.do(async () => {
      const books = new Lease6Books(pools);
      const noted = (this.#noted = new Set<string>());
      await inSteps(books.rebuild(this.folded));
      this.#noted = undefined;
      for (const ip of noted) books.note(ip, this.folded);
      this.#books = books;
      this.#booked = undefined;
      apply();
    });
  }

  /** Anew when another instance, or an earlier run, wrote the leases until now. */
  #makeBooks(): Promise<void> {
    return this.#making.do(async () => {
      const { byAddress } = this.folded;
      if (this.#booked?.deref() === byAddress) return;
      await inSteps(this.#books.rebuild(this.folded));
      this.#booked = new WeakRef(byAddress);
    });
  }
}

function addressesIn(command: Lease6Command): readonly string[] {
  if ('holder' in command) return [command.holder.ip];
  if ('ip' in command) return [command.ip];
  return 'ips' in command ? command.ips : [];
}

async function inSteps(steps: Iterable<void>): Promise<void> {
  for (const _ of steps) await new Promise((resolve) => setImmediate(resolve));
}

/** DUID-UUID (RFC 6355). */
function newDuid(): string {
  return `0004${randomUUID().replaceAll('-', '')}`;
}
