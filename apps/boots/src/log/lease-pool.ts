import {
  activeLease,
  type Lease,
  type LeaseCommand,
  leaseDecider,
  leaseOfIp,
  type LeaseState,
} from '@tinkerbell/domain';
import type { LeaseEvent } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { StreamWriter } from './stream-writer';

/** The leases of one pool; boots is the only writer of its stream. */
export class LeasePool {
  private constructor(private readonly writer: StreamWriter<LeaseCommand, LeaseState, LeaseEvent>) {}

  static async open(store: EventStore, pool: string): Promise<LeasePool> {
    const writer = new StreamWriter(store, leaseDecider, subjects.stream('lease', pool), 'boots');
    await writer.load();
    return new LeasePool(writer);
  }

  /** Resolves when the facts are stored; throws DomainError when the pool's rules refuse them. */
  submit(commands: readonly LeaseCommand[]): Promise<void> {
    return commands.length === 0 ? Promise.resolve() : this.writer.submit(...commands);
  }

  lease(mac: string, now: string): Lease | undefined {
    return activeLease(this.writer.state, mac, now);
  }

  holderOf(address: string, now: string): Lease | undefined {
    return leaseOfIp(this.writer.state, address, now);
  }

  /** All leases, as of the last commit. */
  get state(): LeaseState {
    return this.writer.state;
  }

  /** How often this instance became the writer: what was made from `state` before is out of date. */
  get takeovers(): number {
    return 1;
  }

  get isActive(): boolean {
    return true;
  }

  get size(): number {
    return this.writer.state.byIp.size;
  }
}
