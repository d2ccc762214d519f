import type { LeaseEvent, LeaseRenewed } from '@tinkerbell/events';
import { assertNever, type Decider } from '../decider';
import { ConflictError, DomainError, InvalidError } from '../errors';
import { addSeconds, isBefore } from '../time';
import { Shards } from './shards';

interface Holder {
  /** `aa-bb-cc-dd-ee-ff`. */
  readonly mac: string;
  readonly hardwareId: string;
  readonly ip: string;
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
  | (Holder & { readonly type: 'RefuseLease'; readonly requested: string; readonly reason: string })
  /** All or nothing. Use decideLeases to have each command judged for itself. */
  | { readonly type: 'LeaseBatch'; readonly commands: readonly SingleLeaseCommand[] };

export type SingleLeaseCommand = Exclude<LeaseCommand, { readonly type: 'LeaseBatch' }>;

export interface Lease extends Holder {
  readonly hostname: string;
  readonly state: 'bound' | 'released' | 'declined';
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
  const { mac, hardwareId, ip } = command;
  const lease = state.byMac.get(mac);
  const isHeld = lease?.state === 'bound' && lease.ip === ip;
  switch (command.type) {
    case 'BindLease':
      return bind(command, state);
    case 'ReleaseLease':
      return isHeld ? [{ type: 'LeaseReleased', v: 1, data: { mac, hardwareId, ip } }] : [];
    case 'DeclineLease':
      return isHeld ? [{ type: 'LeaseDeclined', v: 1, data: { mac, hardwareId, ip, message: command.message } }] : [];
    case 'RefuseLease': {
      const { requested, reason } = command;
      return [{ type: 'LeaseRefused', v: 1, data: { mac, hardwareId, ip, requested, reason } }];
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
    const data = { mac, hardwareId, ip, hostname, leaseSeconds, expiresAt, giaddr };
    return [{ type: 'LeaseBound', v: 1, data }];
  }
  // The same request again, answered in the same instant.
  if (active.expiresAt === expiresAt) return [];
  return [{ type: 'LeaseRenewed', v: 1, data: { mac, hardwareId, ip, leaseSeconds, expiresAt, clientState } }];
}

function evolve(state: LeaseState, event: LeaseEvent): LeaseState {
  const { mac, hardwareId, ip } = event.data;
  const before = state.byMac.get(mac);
  switch (event.type) {
    case 'LeaseBound':
    case 'LeaseRenewed': {
      const hostname = event.type === 'LeaseBound' ? event.data.hostname : (before?.hostname ?? '');
      const lease: Lease = { mac, hardwareId, ip, hostname, state: 'bound', expiresAt: event.data.expiresAt };
      const freed = before && before.ip !== ip ? free(state.byIp, before) : state.byIp;
      return { byMac: state.byMac.with(mac, lease), byIp: freed.with(ip, mac) };
    }
    case 'LeaseReleased':
    case 'LeaseDeclined': {
      if (!before) return state;
      const ended = event.type === 'LeaseReleased' ? 'released' : 'declined';
      return { byMac: state.byMac.with(mac, { ...before, state: ended }), byIp: free(state.byIp, before) };
    }
    case 'LeaseRefused':
      return state;
    default:
      return assertNever(event);
  }
}

function free(byIp: Shards<string>, { ip, mac }: Lease): Shards<string> {
  return byIp.get(ip) === mac ? byIp.without(ip) : byIp;
}
