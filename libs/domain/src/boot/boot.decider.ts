import type {
  BootEvent,
  BootFileServed,
  BootRequestFailed,
  BootScriptServed,
  MachinePhonedHome,
  NetbootOffered,
  OsieStarted,
} from '@tinkerbell/events';
import { assertNever, type Decider } from '../decider';
import { InvalidError } from '../errors';
import { sameJson } from '../same-json';

/** Each records one step that was seen on the wire. */
export type BootCommand =
  | ({ readonly type: 'OfferNetboot' } & NetbootOffered['data'])
  | ({ readonly type: 'RecordFileServed' } & BootFileServed['data'])
  | ({ readonly type: 'RecordScriptServed' } & BootScriptServed['data'])
  | ({ readonly type: 'RecordOsieStarted' } & OsieStarted['data'])
  | ({ readonly type: 'RecordPhoneHome' } & MachinePhonedHome['data'])
  | ({ readonly type: 'RecordRequestFailed' } & BootRequestFailed['data']);

export interface BootToken {
  /** SHA-256 of the one-time enrolment token, hex. */
  readonly tokenHash: string;
  readonly expiresAt: string;
  readonly hardwareId: string;
}

export interface BootState {
  readonly last: BootEvent | null;
  /** The newest 16, oldest first. */
  readonly tokens: readonly BootToken[];
}

/**
 * A log of steps. A machine may do any step at any time, so nothing is refused but a script without its token; what the machine
 * itself sends again until it is answered (OSIE's and the installed system's call, a script's token) is recorded once.
 */
export const bootDecider: Decider<BootCommand, BootState, BootEvent> = {
  initial: { last: null, tokens: [] },
  decide(command, state) {
    const event = eventOf(command);
    if (event.type === 'BootScriptServed') {
      const { script, tokenHash, expiresAt } = event.data;
      if (script === 'osie' && (tokenHash === null || expiresAt === null)) {
        throw new InvalidError('tokenHash', 'an osie script carries a token: its hash and its expiry are required');
      }
      return tokenHash !== null && state.tokens.some((token) => token.tokenHash === tokenHash) ? [] : [event];
    }
    const mayRepeat = event.type === 'OsieStarted' || event.type === 'MachinePhonedHome';
    return mayRepeat && sameJson(state.last, event) ? [] : [event];
  },
  evolve(state, event) {
    if (event.type !== 'BootScriptServed') return { ...state, last: event };
    const { tokenHash, expiresAt, hardwareId } = event.data;
    if (tokenHash === null || expiresAt === null) return { ...state, last: event };
    return { last: event, tokens: [...state.tokens.slice(-15), { tokenHash, expiresAt, hardwareId }] };
  },
};

function eventOf(command: BootCommand): BootEvent {
  switch (command.type) {
    case 'OfferNetboot': {
      const { type: _, ...data } = command;
      return { type: 'NetbootOffered', v: 1, data };
    }
    case 'RecordFileServed': {
      const { type: _, ...data } = command;
      return { type: 'BootFileServed', v: 1, data };
    }
    case 'RecordScriptServed': {
      const { type: _, ...data } = command;
      return { type: 'BootScriptServed', v: 1, data };
    }
    case 'RecordOsieStarted': {
      const { type: _, ...data } = command;
      return { type: 'OsieStarted', v: 1, data };
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
