import type { DhcpServerFound, DhcpServiceEvent, LeaseEvent, PoolTaken } from '@tinkerbell/events';
import type { Decider } from '../decider';
import { addSeconds, isBefore } from '../time';
import { type LeaseCommand, leaseDecider, type LeaseState, settleLeases } from './lease.decider';

export type PoolCommand =
  | LeaseCommand
  | ({ readonly type: 'TakePool' } & PoolTaken['data'])
  | ({ readonly type: 'TellOfServer' } & DhcpServerFound['data']);

export interface PoolState {
  readonly leases: LeaseState;
  /** Who answers, by the last that said so; undefined: nobody ever did. */
  readonly taken: PoolTaken['data'] | undefined;
  /** Every address that one of ours ever answered from. */
  readonly own: ReadonlySet<string>;
  /** Other servers → when they were told of last, oldest first. */
  readonly told: ReadonlyMap<string, string>;
}

/** What boots calls itself when it asks the wire for other DHCP servers: locally administered, `tink` and a number. */
export const serverProbeMac = '02-74-69-6e-6b-01';

const daySeconds = 86_400;
/** Somebody may make servers up. */
const maxTold = 64;

/** A pool's leases, and who answers for them. */
export const poolDecider: Decider<PoolCommand, PoolState, LeaseEvent | DhcpServiceEvent> = {
  initial: { leases: leaseDecider.initial, taken: undefined, own: new Set(), told: new Map() },
  decide(command, state) {
    switch (command.type) {
      case 'TakePool': {
        const { address, epoch } = command;
        return [{ type: 'PoolTaken', v: 1, data: { address, epoch } }];
      }
      case 'TellOfServer':
        return tellOfServer(command, state);
      default:
        return leaseDecider.decide(command, state.leases);
    }
  },
  evolve(state, event) {
    switch (event.type) {
      case 'PoolTaken':
        return { ...state, taken: event.data, own: new Set(state.own).add(event.data.address) };
      case 'DhcpServerFound':
        return { ...state, told: toldOf(state.told, event.data) };
      default:
        return withLeases(state, leaseDecider.evolve(state.leases, event));
    }
  },
  settle(state) {
    const leases = settleLeases(state.leases);
    return leases === state.leases ? state : withLeases(state, leases);
  },
};

function withLeases({ taken, own, told }: PoolState, leases: LeaseState): PoolState {
  return { leases, taken, own, told };
}

function tellOfServer(
  { server, sign, clientMac, offered, seenAt }: Extract<PoolCommand, { readonly type: 'TellOfServer' }>,
  { own, told }: PoolState,
): readonly DhcpServiceEvent[] {
  const isRecent = (at: string) => isBefore(seenAt, addSeconds(at, daySeconds));
  const before = told.get(server);
  const [oldest] = told.values();
  const isFull = told.size >= maxTold && oldest !== undefined && isRecent(oldest);
  if (own.has(server) || (before === undefined ? isFull : isRecent(before))) return [];
  return [{ type: 'DhcpServerFound', v: 1, data: { server, sign, clientMac, offered, seenAt } }];
}

function toldOf(
  told: ReadonlyMap<string, string>,
  { server, seenAt }: DhcpServerFound['data'],
): ReadonlyMap<string, string> {
  const others = [...told].filter(([known]) => known !== server);
  return new Map([...others.slice(-(maxTold - 1)), [server, seenAt]]);
}
