import type {
  BootEvent,
  BootFileServed,
  BootRequestFailed,
  BootScriptServed,
  MachineDiscovered,
  MachinePhonedHome,
  NetbootOffered,
  OsieStarted,
} from '@tinkerbell/events';
import { assertNever, type Decider } from '../decider';
import { InvalidError } from '../errors';
import { sameJson } from '../same-json';
import { isBefore } from '../time';

/** Each records one step that was seen on the wire. */
export type BootCommand =
  | ({ readonly type: 'OfferNetboot' } & NetbootOffered['data'])
  | ({ readonly type: 'RecordFileServed' } & BootFileServed['data'])
  | ({ readonly type: 'RecordScriptServed' } & BootScriptServed['data'])
  | ({ readonly type: 'RecordDiscovery' } & MachineDiscovered['data'])
  | ({ readonly type: 'RecordOsieStarted' } & OsieStarted['data'])
  | ({ readonly type: 'RecordPhoneHome' } & MachinePhonedHome['data'])
  | ({ readonly type: 'RecordRequestFailed' } & BootRequestFailed['data']);

/** What the script's URL of the newest boot carries. */
export interface ScriptTicket {
  /** SHA-256, hex. */
  readonly hash: string;
  readonly address: string;
  readonly expiresAt: string;
  /** `used`: the script went out and may be fetched again; `spent`: the machine has booted it. */
  readonly state: 'fresh' | 'used' | 'spent';
}

/** A script, and the first file after it. */
export interface Told {
  readonly script: BootScriptServed['data'];
  readonly file: BootFileServed['data'] | null;
}

export interface BootState {
  readonly last: BootEvent | null;
  /** What the machine was told, until it does something with it: a program that looks first whether there is something asks twice. */
  readonly told: Told | null;
  /** Hashes of the newest 16, oldest first. */
  readonly tokens: readonly string[];
  readonly ticket: ScriptTicket | null;
  /** What the report of a discovery has to show. */
  readonly discovery: { readonly tokenHash: string; readonly expiresAt: string } | null;
}

/**
 * A log of steps. A machine may do any step at any time, so nothing is refused but a script without its token; what the machine
 * itself sends again until it is answered (OSIE's and the installed system's call, a script's token) is recorded once.
 */
export const bootDecider: Decider<BootCommand, BootState, BootEvent> = {
  initial: { last: null, told: null, tokens: [], ticket: null, discovery: null },
  decide(command, state) {
    const event = eventOf(command);
    if (event.type === 'BootScriptServed') {
      const { script, tokenHash, expiresAt } = event.data;
      if (script === 'osie' && (tokenHash === null || expiresAt === null)) {
        throw new InvalidError('tokenHash', 'an osie script carries a token: its hash and its expiry are required');
      }
      return tokenHash !== null && state.tokens.includes(tokenHash) ? [] : [event];
    }
    if (event.type === 'BootFileServed' && isRepeated(state.told, event.data)) return [];
    return mayRepeat.has(event.type) && sameJson(state.last, event) ? [] : [event];
  },
  evolve(state, event) {
    const { ticket } = state;
    switch (event.type) {
      case 'NetbootOffered':
        return { ...state, last: event, told: null, ticket: ticketOf(event) ?? ticket };
      case 'BootScriptServed':
        return {
          last: event,
          told: { script: event.data, file: null },
          tokens: withToken(state.tokens, event.data.tokenHash),
          ticket: usedBy(ticket, event.data),
          discovery: discoveryOf(event.data) ?? state.discovery,
        };
      case 'OsieStarted':
      case 'MachinePhonedHome':
        return { ...state, last: event, told: null, ticket: ticket && { ...ticket, state: 'spent' } };
      case 'BootFileServed':
        return { ...state, last: event, told: toldWith(state.told, event.data) };
      default:
        return { ...state, last: event };
    }
  },
};

const mayRepeat: ReadonlySet<BootEvent['type']> = new Set(['OsieStarted', 'MachinePhonedHome', 'MachineDiscovered']);

function toldWith(told: Told | null, file: BootFileServed['data']): Told | null {
  if (file.role !== 'other') return null;
  return told && { ...told, file: told.file ?? file };
}

/** How long it took is of no account. */
function isRepeated(told: Told | null, { seconds: _, ...again }: BootFileServed['data']): boolean {
  if (!told?.file) return false;
  const { seconds: __, ...before } = told.file;
  return sameJson(before, again);
}

/**
 * Why the bearer of a ticket does not get the machine's script; undefined: it does. One boot may fetch it more than once, as iPXE does
 * when a transfer breaks off; the next boot brings another ticket.
 */
export function refusalOf(ticket: ScriptTicket | null, shown: string | null, address: string, now: string) {
  if (shown === null) return 'the URL has no ticket';
  if (ticket?.hash !== shown) return 'the ticket is not that of the newest boot of this machine';
  if (ticket.address !== address) return `the ticket is for ${ticket.address}`;
  if (ticket.state === 'spent') return 'the ticket was used: the machine has booted with it';
  if (!isBefore(now, ticket.expiresAt))
    return `the ticket ${ticket.state === 'used' ? 'was used and ' : ''}expired at ${ticket.expiresAt}`;
  return undefined;
}

function ticketOf({ data }: NetbootOffered): ScriptTicket | undefined {
  const { ticketHash, ticketExpiresAt, ip } = data;
  if (ticketHash === null || ticketExpiresAt === null) return undefined;
  return { hash: ticketHash, address: ip, expiresAt: ticketExpiresAt, state: 'fresh' };
}

function usedBy(ticket: ScriptTicket | null, { ticketHash, ticketExpiresAt }: BootScriptServed['data']) {
  if (ticket?.hash !== ticketHash || ticket?.state !== 'fresh') return ticket;
  return { ...ticket, state: 'used' as const, expiresAt: ticketExpiresAt ?? ticket.expiresAt };
}

function discoveryOf({ script, tokenHash, expiresAt }: BootScriptServed['data']) {
  return script === 'discovery' && tokenHash !== null && expiresAt !== null ? { tokenHash, expiresAt } : undefined;
}

function withToken(tokens: BootState['tokens'], hash: string | null) {
  return hash === null ? tokens : [...tokens.slice(-15), hash];
}

function eventOf(command: BootCommand): BootEvent {
  switch (command.type) {
    case 'OfferNetboot': {
      const { type: _, ...data } = command;
      return { type: 'NetbootOffered', v: 3, data };
    }
    case 'RecordFileServed': {
      const { type: _, ...data } = command;
      return { type: 'BootFileServed', v: 2, data };
    }
    case 'RecordScriptServed': {
      const { type: _, ...data } = command;
      return { type: 'BootScriptServed', v: 3, data };
    }
    case 'RecordDiscovery': {
      const { type: _, ...data } = command;
      return { type: 'MachineDiscovered', v: 1, data };
    }
    case 'RecordOsieStarted': {
      const { type: _, ...data } = command;
      return { type: 'OsieStarted', v: 2, data };
    }
    case 'RecordPhoneHome': {
      const { type: _, ...data } = command;
      return { type: 'MachinePhonedHome', v: 1, data };
    }
    case 'RecordRequestFailed': {
      const { type: _, ...data } = command;
      return { type: 'BootRequestFailed', v: 1, data };
    }
    default:
      return assertNever(command);
  }
}
