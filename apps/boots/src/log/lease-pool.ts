import {
  activeLease,
  type Lease,
  leaseOfIp,
  type LeaseState,
  type PoolCommand,
  poolDecider,
  poolSaving,
  type PoolState,
} from '@tinkerbell/domain';
import type { EventStore } from '@tinkerbell/event-store';
import { type PoolPorts, type PoolRules, SharedPool } from './shared-pool';

const rules: PoolRules<PoolCommand, PoolState> = {
  ...{ decider: poolDecider, saving: poolSaving },
  takePool: (taken) => ({ type: 'TakePool', ...taken }),
  sizeOf: ({ leases }) => leases.book.size,
};

/** The IPv4 leases of one pool. */
export class LeasePool extends SharedPool<PoolCommand, PoolState> {
  static open(store: EventStore, name: string, ports: PoolPorts = {}): Promise<LeasePool> {
    return new LeasePool(store, name, rules, ports).open();
  }

  lease(mac: string, now: string): Lease | undefined {
    return activeLease(this.state, mac, now);
  }

  holderOf(address: string, now: string): Lease | undefined {
    return leaseOfIp(this.state, address, now);
  }

  /** Every address that an instance of this pool ever answered from. */
  get own(): ReadonlySet<string> {
    return this.folded.own;
  }

  /** All leases, as of the last commit. */
  get state(): LeaseState {
    return this.folded.leases;
  }
}
