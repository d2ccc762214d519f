import type { LeaseEvent, LeaseHolder, LeaseRefused, LeaseRelayed, LeaseRenewed } from '@tinkerbell/events';
import { assertNever, type Decider } from '../decider';
import { ConflictError, DomainError, InvalidError } from '../errors';
import { addSeconds, isBefore } from '../time';
import { endLease, nameOf, type EndLease } from './end-lease';
import { foreverSeconds, type ImportedLease, importLease, isForGood } from './import-lease';
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
import { LeaseBook } from './lease-book';
import { clientKey, type Lease } from './lease-table';

/** `now`: ISO 8601. */
export type SingleLeaseCommand =
  /** An ACK is about to leave. The rules here decide whether that binds or renews. */
  | (LeaseHolder & {
      readonly type: 'BindLease';
      readonly hostname: string;
      readonly leaseSeconds: number;
      readonly giaddr: string | null;
      /** What its relay says in option 82; without it: nothing. */
      readonly relayed?: Pick<LeaseRelayed['data'], 'circuitId' | 'remoteId'>;
      /** `bootp`: it knows no leases. */
      readonly clientState: LeaseRenewed['data']['clientState'] | 'bootp';
      readonly now: string;
    })
  | ({ readonly type: 'ImportLease' } & LeaseHolder & ImportedLease)
  | (LeaseHolder & { readonly type: 'ReleaseLease' })
  /** Its record's address is another machine's by now, which is about to take it. */
  | (LeaseHolder & { readonly type: 'MoveLease'; readonly now: string })
  | ({ readonly type: 'EndLease' } & EndLease)
  | (LeaseHolder & {
      readonly type: 'DeclineLease';
      readonly message: string;
      readonly quarantinedUntil: string | null;
    })
  /** A NAK is about to leave. */
  | (LeaseRefused['data'] & { readonly type: 'RefuseLease' })
  /** Says of those that ran out that they did; the others are left alone. */
  | { readonly type: 'ExpireLeases'; readonly ips: readonly string[]; readonly now: string }
  /** Somebody answered on an address that was to be offered. */
  | ({ readonly type: 'FindConflict'; readonly now: string } & ConflictFound)
  /** An address that a client declined is needed, and nobody was found on it. */
  | { readonly type: 'EndQuarantine'; readonly ip: string; readonly probed: boolean; readonly now: string }
  | DefinePool
  | KeepPools
  | CountPool;

type ConflictFound = Extract<LeaseEvent, { readonly type: 'LeaseConflictFound' }>['data'];
export type BindLease = Extract<SingleLeaseCommand, { readonly type: 'BindLease' }>;

export type LeaseCommand =
  | SingleLeaseCommand
  /** All or nothing. Use decideLeases to have each command judged for itself. */
  | { readonly type: 'LeaseBatch'; readonly commands: readonly SingleLeaseCommand[] };

export { clientKey, type Lease } from './lease-table';

/** An address has one lease at most; so has a client in each subnet. */
export interface LeaseState extends KnownPools {
  readonly book: LeaseBook;
}

export const leaseDecider: Decider<LeaseCommand, LeaseState, LeaseEvent> = {
  initial: { book: LeaseBook.empty(), pools: new Map() },
  decide(command, state) {
    if (command.type !== 'LeaseBatch') return decideOne(command, state);
    const events: LeaseEvent[] = [];
    let current = state;
    for (const single of command.commands) {
      const decided = decideOne(single, current);
      events.push(...decided);
      current = decided.reduce(evolve, current);
    }
    return events;
  },
  evolve,
  settle: settleLeases,
};

export function settleLeases(state: LeaseState): LeaseState {
  const book = state.book.settled();
  return book === state.book ? state : { ...state, book };
}

export type LeaseOutcome = { readonly events: readonly LeaseEvent[] } | { readonly error: DomainError };

export interface LeaseDecisions {
  /** Of all commands together: one commit. */
  readonly events: readonly LeaseEvent[];
  /** In the order of the commands: what each one led to, or why it was refused. */
  readonly outcomes: readonly LeaseOutcome[];
  readonly state: LeaseState;
}

/** Group commit: every command is judged on the state that the ones before it leave; a refused one does not harm the others. */
export function decideLeases(commands: readonly SingleLeaseCommand[], from: LeaseState): LeaseDecisions {
  let state = from;
  const outcomes = commands.map((command): LeaseOutcome => {
    try {
      const events = decideOne(command, state);
      state = events.reduce(evolve, state);
      return { events };
    } catch (error) {
      if (error instanceof DomainError) return { error };
      throw error;
    }
  });
  return { events: outcomes.flatMap((outcome) => ('events' in outcome ? outcome.events : [])), outcomes, state };
}

/** What this client was given last, whatever became of it. */
export function lastLease(state: LeaseState, key: string): Lease | undefined {
  return state.book.lastOf(key);
}

/** The reservation that this network card holds at `now`. */
export function activeLease(state: LeaseState, mac: string, now: string): Lease | undefined {
  const lease = lastLease(state, mac);
  return lease && isHeld(lease, now) ? lease : undefined;
}

/** Who holds this address at `now`. */
export function leaseOfIp(state: LeaseState, ip: string, now: string): Lease | undefined {
  const lease = state.book.get(ip);
  return lease && isHeld(lease, now) ? lease : undefined;
}

/** Whether it may be given to anybody: nobody holds it, and it is not in quarantine. */
export function isFree(lease: Lease | undefined, now: string): boolean {
  if (lease === undefined || lease.state === 'released' || lease.state === 'expired') return true;
  return !isBefore(now, lease.expiresAt);
}

function isHeld({ state, expiresAt }: Lease, now: string): boolean {
  return state === 'bound' && isBefore(now, expiresAt);
}

function decideOne(command: SingleLeaseCommand, state: LeaseState): readonly LeaseEvent[] {
  switch (command.type) {
    case 'BindLease':
      return bind(command, state);
    case 'ImportLease':
      return takeIn(command, state);
    case 'ReleaseLease':
      return holds(command, state) ? [{ type: 'LeaseReleased', v: 2, data: holderOf(command) }] : [];
    case 'MoveLease':
      return holds(command, state) ? over(state.book.get(command.ip), command.now) : [];
    case 'EndLease':
      return endLease(command, state.book.get(command.ip));
    case 'DeclineLease': {
      const { message, quarantinedUntil } = command;
      if (!holds(command, state)) return [];
      return [{ type: 'LeaseDeclined', v: 2, data: { ...holderOf(command), message, quarantinedUntil } }];
    }
    case 'RefuseLease': {
      const { type: _, ...data } = command;
      return [{ type: 'LeaseRefused', v: 2, data }];
    }
    case 'ExpireLeases':
      return command.ips.flatMap((ip) => expiry(state.book.get(ip), command.now));
    case 'FindConflict': {
      const { type: _, now, ...data } = command;
      const lease = state.book.get(data.ip);
      // Bound meanwhile: what answered is its holder. Declined: a client said so before.
      return isFree(lease, now) || lease?.state === 'declined'
        ? [...expiry(lease, now), { type: 'LeaseConflictFound', v: 1, data }]
        : [];
    }
    case 'EndQuarantine':
      return endQuarantine(command, state.book.get(command.ip));
    case 'DefinePool':
      return definePool(command, state);
    case 'KeepPools':
      return keepPools(command, state);
    case 'CountPool':
      return countPool(command, state);
    default:
      return assertNever(command);
  }
}

function holds(client: LeaseHolder, state: LeaseState): boolean {
  const lease = state.book.get(client.ip);
  return lease?.state === 'bound' && isSameClient(lease, client);
}

function isSameClient(lease: Lease, client: LeaseHolder): boolean {
  if (lease.origin === 'pool' && client.origin === 'pool') return clientKey(lease) === clientKey(client);
  return isLeaseOf(lease, client);
}

/**
 * Whether a lease is of a network card, by whatever it came to it: a machine keeps the address that it has from a pool when that becomes
 * its reservation. Where nobody knows the card, what the client calls itself decides.
 */
export function isLeaseOf(
  { mac, clientId }: Pick<Lease, 'mac' | 'clientId'>,
  client: Pick<LeaseHolder, 'mac' | 'clientId'>,
): boolean {
  return mac !== null ? mac === client.mac : clientId !== null && clientId === client.clientId;
}

function expiry(lease: Lease | undefined, now: string): readonly LeaseEvent[] {
  if (lease?.state !== 'bound' || isBefore(now, lease.expiresAt)) return [];
  return [{ type: 'LeaseExpired', v: 1, data: { ...holderOf(lease), expiresAt: lease.expiresAt, cause: 'time' } }];
}

/** What somebody was seen on stays out: only the word of a client can be doubted. */
function endQuarantine(
  { ip, probed, now }: Extract<SingleLeaseCommand, { readonly type: 'EndQuarantine' }>,
  lease: Lease | undefined,
): readonly LeaseEvent[] {
  if (lease?.state !== 'declined' || isFree(lease, now)) return [];
  const { subnet, expiresAt: quarantinedUntil } = lease;
  return [{ type: 'QuarantineEnded', v: 1, data: { ip, subnet, quarantinedUntil, probed } }];
}

function bind(command: BindLease, state: LeaseState): readonly LeaseEvent[] {
  const { ip, hostname, leaseSeconds, giaddr, relayed, clientState, now } = command;
  if (!Number.isInteger(leaseSeconds) || leaseSeconds < 1 || leaseSeconds > foreverSeconds) {
    throw new InvalidError('leaseSeconds', `leaseSeconds must be 1 to 4294967295, got ${leaseSeconds}`);
  }
  const lease = state.book.get(ip);
  const isOwn = lease !== undefined && isSameClient(lease, command);
  if (lease && !(isOwn && lease.state === 'bound') && !mayHave(command, lease)) {
    throw new ConflictError(standing(lease), 'ip');
  }
  // Not spread together: this is what runs for every lease (ADR 0023).
  const { mac, hardwareId, clientId, subnet, origin } = command;
  const expiresAt = addSeconds(now, leaseSeconds);
  const isActive = isOwn && isHeld(lease, now);
  const isNamed = hostname === '' || hostname === lease?.hostname;
  const isKnown = isActive && lease.mac === mac && lease.hardwareId === hardwareId && lease.origin === origin;
  // It cannot renew: it asks at each start, and has its address for good.
  if (clientState === 'bootp' && isKnown && isNamed && isForGood(lease, now)) return [];
  const plugged = relayed && giaddr !== null ? { ip, subnet, giaddr, ...relayed } : undefined;
  if (clientState === 'bootp' || !isKnown || !isNamed) {
    const data = { mac, hardwareId, clientId, ip, subnet, origin, hostname, leaseSeconds, expiresAt, giaddr };
    const bound: LeaseEvent = { type: 'LeaseBound', v: 2, data };
    const before = [...expiry(lease, now), ...left(command, state)];
    return behind(before.length === 0 ? [bound] : [...before, bound], plugged);
  }
  // The same request again, answered in the same instant.
  if (lease.expiresAt === expiresAt) return [];
  const data = { mac, hardwareId, clientId, ip, subnet, origin, leaseSeconds, expiresAt, clientState };
  const renewed: LeaseEvent = { type: 'LeaseRenewed', v: 2, data };
  // Who begins anew, or asks everybody, may have been plugged in elsewhere.
  return behind([renewed], clientState === 'renewing' ? undefined : plugged);
}

function behind(events: readonly LeaseEvent[], plugged: LeaseRelayed['data'] | undefined): readonly LeaseEvent[] {
  return plugged ? [...events, { type: 'LeaseRelayed', v: 1, data: plugged }] : events;
}

/** What is reserved has no quarantine: what the operator wrote is not ours to change. */
function mayHave({ origin, now }: Pick<BindLease, 'origin' | 'now'>, lease: Lease): boolean {
  return isFree(lease, now) || (origin === 'reservation' && lease.state !== 'bound');
}

function standing(lease: Lease): string {
  const how = lease.state === 'bound' ? `leased to ${nameOf(lease)}` : 'in quarantine';
  return `${lease.ip} is ${how} until ${lease.expiresAt}`;
}

function takeIn(
  command: Extract<SingleLeaseCommand, { readonly type: 'ImportLease' }>,
  state: LeaseState,
): readonly LeaseEvent[] {
  const { ip, now } = command;
  const lease = state.book.get(ip);
  const before = lastLease(state, clientKey(command));
  return importLease(command, {
    holder: holderOf(command),
    own: lease && isHeld(lease, now) && isSameClient(lease, command) ? lease : undefined,
    taken: lease && !mayHave(command, lease) ? standing(lease) : undefined,
    other: before && isHeld(before, now) ? before.ip : undefined,
    over: [...expiry(lease, now), ...(before?.ip === ip ? [] : expiry(before, now))],
  });
}

/** What the client has in the same subnet and gives up by taking this address: from a pool, and by the record of its card. */
function left(command: BindLease, state: LeaseState): readonly LeaseEvent[] {
  const { mac, clientId, subnet, origin } = command;
  const events = givenUp(lastLease(state, clientKey(command)), command);
  if (mac === null) return events;
  const others =
    origin === 'pool'
      ? [lastLease(state, mac)]
      : [...new Set([clientId, null])].map((id) =>
          lastLease(state, clientKey({ mac, clientId: id, subnet, origin: 'pool' })),
        );
  const isIts = (lease: Lease) => lease.mac === mac && lease.subnet === subnet && lease.origin !== origin;
  return others.reduce((all, lease) => (lease && isIts(lease) ? [...all, ...givenUp(lease, command)] : all), events);
}

function givenUp(lease: Lease | undefined, { ip, now }: Pick<BindLease, 'ip' | 'now'>): readonly LeaseEvent[] {
  return lease?.ip === ip ? [] : over(lease, now);
}

/** Before its time, or by that. */
function over(lease: Lease | undefined, now: string): readonly LeaseEvent[] {
  if (lease?.state !== 'bound') return [];
  const ran = expiry(lease, now);
  if (ran.length > 0) return ran;
  return [{ type: 'LeaseExpired', v: 1, data: { ...holderOf(lease), expiresAt: lease.expiresAt, cause: 'moved' } }];
}

function evolve(state: LeaseState, event: LeaseEvent): LeaseState {
  switch (event.type) {
    case 'LeaseBound': {
      const { mac, hardwareId, clientId, ip, subnet, origin, hostname, expiresAt } = event.data;
      const lease: Lease = { mac, hardwareId, clientId, ip, subnet, origin, hostname, state: 'bound', expiresAt };
      return { book: state.book.withLast(lease), pools: state.pools };
    }
    case 'LeaseRenewed': {
      const { clientId, hardwareId, expiresAt, ip } = event.data;
      const lease = state.book.get(ip);
      if (!lease) return state;
      const { mac, subnet, origin, hostname } = lease;
      const renewed: Lease = { mac, hardwareId, clientId, ip, subnet, origin, hostname, state: 'bound', expiresAt };
      return { book: state.book.with(renewed), pools: state.pools };
    }
    case 'LeaseReleased':
    case 'LeaseEnded':
      return changed(state, event.data.ip, { state: 'released' });
    case 'LeaseExpired':
    case 'QuarantineEnded':
      return changed(state, event.data.ip, { state: 'expired' });
    case 'LeaseDeclined': {
      const { ip, quarantinedUntil } = event.data;
      if (quarantinedUntil === null) return changed(state, ip, { state: 'released' });
      return changed(state, ip, { state: 'declined', expiresAt: quarantinedUntil });
    }
    case 'LeaseConflictFound': {
      const { ip, subnet, quarantinedUntil } = event.data;
      const lease = {
        ...(state.book.get(ip) ?? nobody),
        ip,
        subnet,
        state: 'conflict',
        expiresAt: quarantinedUntil,
      } as const;
      return { ...state, book: state.book.with(lease) };
    }
    case 'PoolDefined':
      return withPool(state, event.data.pool, { defined: event.data });
    case 'PoolDropped':
      return withoutPool(state, event.data.pool);
    case 'PoolUtilisationCrossed':
      return withPool(state, event.data.pool, { level: event.data.level });
    default:
      return state;
  }
}

const nobody = { mac: null, hardwareId: null, clientId: null, origin: 'pool', hostname: '' } as const;

function changed(state: LeaseState, ip: string, over: Partial<Lease>): LeaseState {
  const lease = state.book.get(ip);
  return lease ? { ...state, book: state.book.with({ ...lease, ...over }) } : state;
}

function holderOf({ mac, hardwareId, clientId, ip, subnet, origin }: LeaseHolder): LeaseHolder {
  return { mac, hardwareId, clientId, ip, subnet, origin };
}
