import {
  addressesOf,
  holder6Of,
  isFree6,
  type Lease6,
  type Lease6Command,
  lease6Decider,
  type Lease6State,
} from '@tinkerbell/domain';
import type { LeaseEvent } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import type { Leases6 } from '../dhcp6/decision6';
import { StreamWriter } from './stream-writer';

/** The IPv6 leases of one pool, in a stream beside that of its IPv4 leases; boots is its only writer. */
export class Lease6Pool implements Leases6 {
  private constructor(private readonly writer: StreamWriter<Lease6Command, Lease6State, LeaseEvent>) {}

  static async open(store: EventStore, pool: string): Promise<Lease6Pool> {
    const writer = new StreamWriter(store, lease6Decider, subjects.stream('lease', `${pool}-v6`), 'boots');
    await writer.load();
    return new Lease6Pool(writer);
  }

  /** Resolves when the facts are stored; throws DomainError when the pool's rules refuse them. */
  submit(commands: readonly Lease6Command[]): Promise<void> {
    return commands.length === 0 ? Promise.resolve() : this.writer.submit(...commands);
  }

  /** Takes in what another instance stored. */
  reload(): Promise<void> {
    return this.writer.load();
  }

  /** What every server of this pool calls itself, for ever: `made` when none has been named yet. */
  async serverDuid(made: string): Promise<string> {
    if (this.writer.state.serverDuid === null) await this.writer.submit({ type: 'NameServer', duid: made });
    return this.writer.state.serverDuid ?? made;
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
}
