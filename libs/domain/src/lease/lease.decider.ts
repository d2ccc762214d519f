import type { LeaseEvent, LeaseHolder, LeaseRefused, LeaseRenewed } from '@tinkerbell/events';
import { assertNever, type Decider } from '../decider';
import { ConflictError, DomainError, InvalidError } from '../errors';
import { addSeconds, isBefore } from '../time';
import { Shards } from './shards';

interface Holder extends LeaseHolder {
  readonly mac: string;
}

export type LeaseCommand =
  /** An ACK is about to leave. The pool's own rules decide whether that binds or renews. `now`: ISO 8601. */
  | (Holder & {
      readonly type: 'BindLease';
      readonly hostname: string;
      readonly leaseSeconds: number;
      readonly giaddr: string | null;
      readonly clientState: LeaseRenewed['data']['clientState'];
      readonly now: string;
    })
  | (Holder & { readonly type: 'ReleaseLease' })
  | (Holder & { readonly type: 'DeclineLease'; readonly message: string })
  /** A NAK is about to leave. */
  | (Omit<LeaseRefused['data'], 'mac'> & { readonly type: 'RefuseLease'; readonly mac: string })
  /** All or nothing. Use decideLeases to have each command judged for itself. */
  | { readonly type: 'LeaseBatch'; readonly commands: readonly SingleLeaseCommand[] };

export type SingleLeaseCommand = Exclude<LeaseCommand, { readonly type: 'LeaseBatch' }>;

export interface Lease extends Holder {
  readonly hostname: string;
  readonly state: 'bound' | 'released' | 'expired' | 'declined';
  readonly expiresAt: string;
}

/** A whole pool. A machine has one lease at most; an address belongs to the machine that bound it last. */
export interface LeaseState {
  readonly byMac: Shards<Lease>;
  /** Address → MAC of the bound lease on it. */
  readonly byIp: Shards<string>;
}

export const leaseDecider: Decider<LeaseCommand, LeaseState, LeaseEvent> = {
  initial: { byMac: Shards.empty(), byIp: Shards.empty() },
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
};

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

/** The machine's lease when it is bound and not over at `now`. */
export function activeLease(state: LeaseState, mac: string, now: string): Lease | undefined {
  const lease = state.byMac.get(mac);
  return lease?.state === 'bound' && isBefore(now, lease.expiresAt) ? lease : undefined;
}

/** Which machine holds this address at `now`. */
export function leaseOfIp(state: LeaseState, ip: string, now: string): Lease | undefined {
  const mac = state.byIp.get(ip);
  return mac === undefined ? undefined : activeLease(state, mac, now);
}

function decideOne(command: SingleLeaseCommand, state: LeaseState): readonly LeaseEvent[] {
  const lease = state.byMac.get(command.mac);
  const isHeld = lease?.state === 'bound' && lease.ip === command.ip;
  switch (command.type) {
    case 'BindLease':
      return bind(command, state);
    case 'ReleaseLease':
      return isHeld ? [{ type: 'LeaseReleased', v: 2, data: holderOf(command) }] : [];
    case 'DeclineLease': {
      const { message } = command;
      if (!isHeld) return [];
      return [{ type: 'LeaseDeclined', v: 2, data: { ...holderOf(command), message, quarantinedUntil: null } }];
    }
    case 'RefuseLease': {
      const { type: _, ...data } = command;
      return [{ type: 'LeaseRefused', v: 2, data }];
    }
    default:
      return assertNever(command);
  }
}

function bind(
  command: Extract<LeaseCommand, { readonly type: 'BindLease' }>,
  state: LeaseState,
): readonly LeaseEvent[] {
  const { mac, hardwareId, ip, hostname, leaseSeconds, giaddr, clientState, now } = command;
  const self = holderOf(command);
  if (!Number.isInteger(leaseSeconds) || leaseSeconds < 1 || leaseSeconds > 0xffffffff) {
    throw new InvalidError('leaseSeconds', `leaseSeconds must be 1 to 4294967295, got ${leaseSeconds}`);
  }
  const holder = leaseOfIp(state, ip, now);
  if (holder && holder.mac !== mac) {
    throw new ConflictError(`${ip} is leased to ${holder.mac} until ${holder.expiresAt}`, 'ip');
  }
  const expiresAt = addSeconds(now, leaseSeconds);
  const active = activeLease(state, mac, now);
  if (active?.ip !== ip || active.hardwareId !== hardwareId) {
    const bound: LeaseEvent = {
      type: 'LeaseBound',
      v: 2,
      data: { ...self, hostname, leaseSeconds, expiresAt, giaddr },
    };
    if (!active || active.ip === ip) return [bound];
    const left = { ...holderOf(active), expiresAt: active.expiresAt, cause: 'moved' } as const;
    return [{ type: 'LeaseExpired', v: 1, data: left }, bound];
  }
  // The same request again, answered in the same instant.
  if (active.expiresAt === expiresAt) return [];
  return [{ type: 'LeaseRenewed', v: 2, data: { ...self, leaseSeconds, expiresAt, clientState } }];
}

function evolve(state: LeaseState, event: LeaseEvent): LeaseState {
  if (!('mac' in event.data) || event.data.mac === null) return state;
  const { mac } = event.data;
  const before = state.byMac.get(mac);
  switch (event.type) {
    case 'LeaseBound':
    case 'LeaseRenewed': {
      const hostname = event.type === 'LeaseBound' ? event.data.hostname : (before?.hostname ?? '');
      const { expiresAt } = event.data;
      const lease: Lease = { ...holderOf({ ...event.data, mac }), hostname, state: 'bound', expiresAt };
      const freed = before && before.ip !== lease.ip ? free(state.byIp, before) : state.byIp;
      return { byMac: state.byMac.with(mac, lease), byIp: freed.with(lease.ip, mac) };
    }
    case 'LeaseReleased':
    case 'LeaseExpired':
    case 'LeaseDeclined': {
      if (!before) return state;
      const ended = endings[event.type];
      return { byMac: state.byMac.with(mac, { ...before, state: ended }), byIp: free(state.byIp, before) };
    }
    default:
      return state;
  }
}

const endings = { LeaseReleased: 'released', LeaseExpired: 'expired', LeaseDeclined: 'declined' } as const;

function holderOf({ mac, hardwareId, clientId, ip, subnet, origin }: Holder): Holder {
  return { mac, hardwareId, clientId, ip, subnet, origin };
}

function free(byIp: Shards<string>, { ip, mac }: Lease): Shards<string> {
  return byIp.get(ip) === mac ? byIp.without(ip) : byIp;
}
