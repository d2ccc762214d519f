import type { DhcpServiceEvent, LeaseEvent, LeaseHolder, LeaseRenewed, PoolTaken } from '@tinkerbell/events';
import { assertNever, type Decider } from '../decider';
import { ConflictError, InvalidError } from '../errors';
import { addSeconds, isBefore } from '../time';
import { endLease, type EndLease } from './end-lease';
import { HashTrie } from './hash-trie';
import { type ImportedLease, importLease } from './import-lease';
import {
  type CountPool,
  countPool,
  type DefinePool,
  definePool,
  type KeepPools,
  keepPools,
  type KnownPools,
  withoutPool,
  withPool,
} from './known-pools';

/** An IPv6 address and the identity association that has it: `clientId` is `<DUID>:<IAID>`. */
export interface Holder6 extends LeaseHolder {
  readonly clientId: string;
}

export type Lease6Command =
  /** A Reply with the address is about to leave. `giaddr`: link address of the relay, null without one. `now`: ISO 8601. */
  | {
      readonly type: 'BindAddress';
      readonly holder: Holder6;
      readonly hostname: string;
      readonly leaseSeconds: number;
      readonly giaddr: string | null;
      readonly clientState: LeaseRenewed['data']['clientState'];
      readonly now: string;
    }
  | ({ readonly type: 'ImportAddress'; readonly holder: Holder6 } & ImportedLease)
  | { readonly type: 'ReleaseAddress'; readonly holder: Holder6 }
  | ({ readonly type: 'EndAddress' } & EndLease)
  /** `quarantineSeconds`: how long nobody is given the address; it is nothing for a reserved one. */
  | {
      readonly type: 'DeclineAddress';
      readonly holder: Holder6;
      readonly message: string;
      readonly quarantineSeconds: number;
      readonly now: string;
    }
  /** A Reply is about to leave by which the client is not to use these any more; those that are not its own are left alone. */
  | {
      readonly type: 'LeaveAddresses';
      readonly clientId: string;
      readonly ips: readonly string[];
      readonly now: string;
    }
  /** Says of those that ran out that they did; the others are left alone. */
  | { readonly type: 'ExpireAddresses'; readonly ips: readonly string[]; readonly now: string }
  | DefinePool
  | KeepPools
  | CountPool
  /** `duid`: what a server that has none yet is to call itself, hex. */
  | { readonly type: 'NameServer'; readonly duid: string }
  /** The same, by who answers from now on. */
  | ({ readonly type: 'TakePool'; readonly duid: string } & PoolTaken['data']);

export interface Lease6 extends Holder6 {
  readonly hostname: string;
  readonly state: 'bound' | 'released' | 'expired' | 'declined';
  /** Of a declined one: when it may be given out again. */
  readonly expiresAt: string;
}

export interface Lease6State {
  readonly byAddress: HashTrie<Lease6>;
  /** Every address that was last given to this identity association. */
  readonly byClient: HashTrie<readonly string[]>;
  /** What every server of this pool calls itself, hex; null: there was none yet. */
  readonly serverDuid: string | null;
  /** Who answers, by the last that said so; undefined: nobody ever did. */
  readonly taken: PoolTaken['data'] | undefined;
  readonly pools: KnownPools['pools'];
}

/** The addresses that DHCPv6 gives out. An address is one client's at a time; a client may have many. */
export const lease6Decider: Decider<Lease6Command, Lease6State, LeaseEvent | DhcpServiceEvent> = {
  initial: {
    ...{ byAddress: HashTrie.empty(), byClient: HashTrie.empty(), serverDuid: null },
    ...{ taken: undefined, pools: new Map() },
  },
  decide(command, state) {
    switch (command.type) {
      case 'BindAddress':
        return bind(command, state);
      case 'ImportAddress':
        return takeIn(command, state);
      case 'ReleaseAddress':
        return isHeld(command.holder, state) ? [{ type: 'LeaseReleased', v: 2, data: command.holder }] : [];
      case 'EndAddress':
        return endLease(command, state.byAddress.get(command.ip));
      case 'DeclineAddress':
        return isHeld(command.holder, state) ? [declined(command)] : [];
      case 'LeaveAddresses':
        return command.ips.flatMap((ip) => {
          const lease = state.byAddress.get(ip);
          return lease?.clientId === command.clientId ? endOf(lease, command.now) : [];
        });
      case 'ExpireAddresses':
        return command.ips.flatMap((ip) => ranOut(state.byAddress.get(ip), command.now));
      case 'DefinePool':
        return definePool(command, state);
      case 'KeepPools':
        return keepPools(command, state);
      case 'CountPool':
        return countPool(command, state);
      case 'NameServer':
        return named(command.duid, state);
      case 'TakePool': {
        const { address, epoch, duid } = command;
        return [{ type: 'PoolTaken', v: 1, data: { address, epoch } }, ...named(duid, state)];
      }
      default:
        return assertNever(command);
    }
  },
  evolve,
};

/** Who has this address at `now`. */
export function holder6Of(state: Lease6State, ip: string, now: string): Lease6 | undefined {
  const lease = state.byAddress.get(ip);
  return lease?.state === 'bound' && isBefore(now, lease.expiresAt) ? lease : undefined;
}

/** Whether nobody has it, and nobody was warned off it. */
export function isFree6(state: Lease6State, ip: string, now: string): boolean {
  const lease = state.byAddress.get(ip);
  return lease === undefined || isOver(lease, now);
}

function isOver({ state, expiresAt }: Lease6, now: string): boolean {
  return (state !== 'bound' && state !== 'declined') || !isBefore(now, expiresAt);
}

/** Addresses that this identity association had last, the newest at the end. */
export function addressesOf(state: Lease6State, clientId: string): readonly string[] {
  return (state.byClient.get(clientId) ?? []).filter((ip) => state.byAddress.get(ip)?.clientId === clientId);
}

function bind(command: Extract<Lease6Command, { type: 'BindAddress' }>, state: Lease6State): readonly LeaseEvent[] {
  const { holder, hostname, leaseSeconds, giaddr, clientState, now } = command;
  if (!Number.isInteger(leaseSeconds) || leaseSeconds < 1 || leaseSeconds > 0xffffffff) {
    throw new InvalidError('leaseSeconds', `leaseSeconds must be 1 to 4294967295, got ${leaseSeconds}`);
  }
  const { mac, hardwareId, clientId, ip, subnet, origin } = holder;
  const expiresAt = addSeconds(now, leaseSeconds);
  const held = holder6Of(state, ip, now);
  if (held && held.clientId === clientId && held.hardwareId === hardwareId) {
    // The same request again, answered in the same instant.
    if (held.expiresAt === expiresAt) return [];
    const data = { mac, hardwareId, clientId, ip, subnet, origin, leaseSeconds, expiresAt, clientState };
    return [{ type: 'LeaseRenewed', v: 2, data }];
  }
  const before = state.byAddress.get(ip);
  if (before && !(held && isSameClient(held, holder)) && !mayHave(holder, before, now)) {
    throw new ConflictError(standing(before), 'ip');
  }
  const data = { mac, hardwareId, clientId, ip, subnet, origin, hostname, leaseSeconds, expiresAt, giaddr };
  const over = held?.clientId === clientId ? [] : endOf(before, now);
  return [...over, { type: 'LeaseBound', v: 2, data }];
}

/** What is reserved is the machine's, whichever of its DUIDs asks. */
function isSameClient(lease: Lease6, { clientId, mac, origin }: Holder6): boolean {
  return lease.clientId === clientId || (origin === 'reservation' && lease.mac !== null && lease.mac === mac);
}

/** What is reserved has no quarantine: what the operator wrote is not ours to change. */
function mayHave({ origin }: Holder6, lease: Lease6, now: string): boolean {
  return isOver(lease, now) || (origin === 'reservation' && lease.state !== 'bound');
}

function standing({ ip, state, clientId, expiresAt }: Lease6): string {
  return `${ip} is ${state === 'bound' ? `leased to ${clientId}` : 'in quarantine'} until ${expiresAt}`;
}

function takeIn(command: Extract<Lease6Command, { type: 'ImportAddress' }>, state: Lease6State): readonly LeaseEvent[] {
  const { holder, now } = command;
  const { ip, clientId } = holder;
  const held = holder6Of(state, ip, now);
  const before = state.byAddress.get(ip);
  return importLease(command, {
    holder: holderOf(holder),
    own: held?.clientId === clientId ? held : undefined,
    taken: isFree6(state, ip, now) ? undefined : `${ip} is ${before?.state} until ${before?.expiresAt}`,
    // It may have several.
    other: undefined,
    over: ranOut(before, now),
  });
}

/** Of the lease that was on the address. A reserved one goes from one DUID of a machine to its next, as firmware, iPXE and system come up. */
function endOf(before: Lease6 | undefined, now: string): readonly LeaseEvent[] {
  if (before?.state !== 'bound') return [];
  const { expiresAt } = before;
  const cause = isBefore(now, expiresAt) ? 'moved' : 'time';
  return [{ type: 'LeaseExpired', v: 1, data: { ...holderOf(before), expiresAt, cause } }];
}

function ranOut(lease: Lease6 | undefined, now: string): readonly LeaseEvent[] {
  return lease && !isBefore(now, lease.expiresAt) ? endOf(lease, now) : [];
}

function named(duid: string, { serverDuid }: Lease6State): readonly LeaseEvent[] {
  return serverDuid === null ? [{ type: 'ServerNamed', v: 1, data: { duid } }] : [];
}

function declined(command: Extract<Lease6Command, { type: 'DeclineAddress' }>): LeaseEvent {
  const { holder, message, quarantineSeconds, now } = command;
  const quarantinedUntil = holder.origin === 'reservation' ? null : addSeconds(now, quarantineSeconds);
  return { type: 'LeaseDeclined', v: 2, data: { ...holder, message, quarantinedUntil } };
}

function isHeld({ ip, clientId }: Holder6, { byAddress }: Lease6State): boolean {
  const lease = byAddress.get(ip);
  return lease?.state === 'bound' && lease.clientId === clientId;
}

function evolve(state: Lease6State, event: LeaseEvent | DhcpServiceEvent): Lease6State {
  switch (event.type) {
    case 'ServerNamed':
      return { ...state, serverDuid: event.data.duid };
    case 'PoolTaken':
      return { ...state, taken: event.data };
    case 'PoolDefined':
      return withPool(state, event.data.pool, { defined: event.data });
    case 'PoolDropped':
      return withoutPool(state, event.data.pool);
    case 'PoolUtilisationCrossed':
      return withPool(state, event.data.pool, { level: event.data.level });
    default:
      return evolveLease(state, event);
  }
}

function evolveLease(state: Lease6State, event: LeaseEvent | DhcpServiceEvent): Lease6State {
  if (!('origin' in event.data) || event.data.clientId === null) return state;
  const { mac, hardwareId, clientId, ip, subnet, origin } = event.data;
  const before = state.byAddress.get(ip);
  switch (event.type) {
    case 'LeaseBound':
    case 'LeaseRenewed': {
      const hostname = event.type === 'LeaseBound' ? event.data.hostname : (before?.hostname ?? '');
      const { expiresAt } = event.data;
      const lease: Lease6 = { mac, hardwareId, clientId, ip, subnet, origin, hostname, state: 'bound', expiresAt };
      const others = addressesOf(state, clientId).filter((address) => address !== ip);
      const byClient = before && before.clientId !== clientId ? forgotten(state, before) : state.byClient;
      return {
        ...state,
        byAddress: state.byAddress.with(ip, lease),
        byClient: byClient.with(clientId, [...others, ip]),
      };
    }
    case 'LeaseReleased':
    case 'LeaseEnded':
    case 'LeaseExpired':
      return before
        ? ended(state, { ...before, state: event.type === 'LeaseExpired' ? 'expired' : 'released' })
        : state;
    case 'LeaseDeclined': {
      if (!before) return state;
      const { quarantinedUntil } = event.data;
      return ended(state, { ...before, state: 'declined', expiresAt: quarantinedUntil ?? before.expiresAt });
    }
    default:
      return state;
  }
}

/** Who had the address before has it no longer: clients that never come back would be kept for good. */
function forgotten(state: Lease6State, { ip, clientId }: Lease6): Lease6State['byClient'] {
  const left = addressesOf(state, clientId).filter((address) => address !== ip);
  return left.length === 0 ? state.byClient.without(clientId) : state.byClient.with(clientId, left);
}

function ended(state: Lease6State, lease: Lease6): Lease6State {
  return { ...state, byAddress: state.byAddress.with(lease.ip, lease) };
}

function holderOf({ mac, hardwareId, clientId, ip, subnet, origin }: Holder6): Holder6 {
  return { mac, hardwareId, clientId, ip, subnet, origin };
}
