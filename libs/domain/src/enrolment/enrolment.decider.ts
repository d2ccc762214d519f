import type { EnrolmentEvent, WorkerReady } from '@tinkerbell/events';
import { parseMac } from '../address/mac';
import type { BootToken } from '../boot/boot-tokens';
import { assertNever, type Decider } from '../decider';
import { ConflictError, ForbiddenError, InvalidError, TokenExpiredError } from '../errors';
import { sameJson } from '../same-json';
import { isBefore } from '../time';

export type EnrolmentCommand =
  | { readonly type: 'IssueToken'; readonly tokenHash: string; readonly expiresAt: string; readonly now: string }
  | EnrolWorker
  | ({ readonly type: 'RecordReady' } & WorkerReady['data']);

export interface EnrolWorker {
  readonly type: 'EnrolWorker';
  readonly hardwareId: string;
  /** SHA-256 of the token that the worker showed, hex. */
  readonly tokenHash: string;
  /** User nkey, `U…`. */
  readonly publicKey: string;
  readonly mac: string;
  /** Where it called from. */
  readonly address: string;
  readonly now: string;
  /** Of the credential that it is about to get. */
  readonly expiresAt: string;
  /** Those in the boot stream of that MAC. */
  readonly bootTokens: readonly BootToken[];
}

export interface EnrolmentState {
  /** Issued by an operator: hash → expiry. */
  readonly issued: ReadonlyMap<string, string>;
  /** Hash → the public key that used it. */
  readonly used: ReadonlyMap<string, string>;
  /** Key of the newest enrolment; older ones are fenced by it. */
  readonly publicKey: string | null;
  /** The one that it was for, `aa-bb-cc-dd-ee-ff`; '' before the first. */
  readonly mac: string;
  /** Of its credential, as far as the log knows. */
  readonly expiresAt: string;
  readonly ready: WorkerReady['data'] | null;
}

const hashForm = /^[0-9a-f]{64}$/;
/** Until a machine boots anew whose token is over; doubled with each boot in a row that came to nothing. */
const [leastSeconds, mostSeconds] = [60, 3600];

export const enrolmentDecider: Decider<EnrolmentCommand, EnrolmentState, EnrolmentEvent> = {
  initial: { issued: new Map(), used: new Map(), publicKey: null, mac: '', expiresAt: '', ready: null },
  decide(command, state) {
    switch (command.type) {
      case 'IssueToken': {
        const { tokenHash, expiresAt, now } = command;
        if (!hashForm.test(tokenHash))
          throw new InvalidError('tokenHash', 'tokenHash must be 64 lower-case hex digits');
        if (!isBefore(now, expiresAt))
          throw new InvalidError('expiresAt', `expiresAt ${expiresAt} is not in the future`);
        if (state.issued.get(tokenHash) === expiresAt) return [];
        if (state.issued.has(tokenHash)) throw new ConflictError('this token was issued before', 'tokenHash');
        return [{ type: 'EnrolmentTokenIssued', v: 1, data: { tokenHash, expiresAt } }];
      }
      case 'EnrolWorker':
        return enrol(command, state);
      case 'RecordReady': {
        const { type: _, ...data } = command;
        return sameJson(state.ready, data) ? [] : [{ type: 'WorkerReady', v: 1, data }];
      }
      default:
        return assertNever(command);
    }
  },
  evolve(state, event) {
    switch (event.type) {
      case 'EnrolmentTokenIssued':
        return { ...state, issued: new Map(state.issued).set(event.data.tokenHash, event.data.expiresAt) };
      case 'WorkerEnrolled': {
        const { tokenHash, publicKey, mac, expiresAt } = event.data;
        return { ...state, used: new Map(state.used).set(tokenHash, publicKey), publicKey, mac, expiresAt };
      }
      case 'WorkerCredentialRenewed':
        return { ...state, expiresAt: event.data.expiresAt };
      case 'WorkerReady':
        return { ...state, ready: event.data };
      default:
        return assertNever(event);
    }
  },
};

function enrol(command: EnrolWorker, state: EnrolmentState): readonly EnrolmentEvent[] {
  const { tokenHash, publicKey, address, now, expiresAt } = command;
  const mac = parseMac(command.mac);
  if (mac === undefined) throw new InvalidError('mac', `${JSON.stringify(command.mac)} is not a MAC address`);
  if (!/^U[A-Z2-7]{55}$/.test(publicKey)) throw new InvalidError('publicKey', 'publicKey must be a user nkey, U…');
  const usedBy = state.used.get(tokenHash);
  if (usedBy !== undefined && usedBy !== publicKey) {
    throw new ForbiddenError('the enrolment token was used by another key');
  }
  if (usedBy !== undefined) {
    if (state.publicKey !== publicKey) {
      throw new ForbiddenError('a newer enrolment of this worker replaced this key');
    }
    // It lost the answer and asks again; or its credential is over, and another one is of no use to anybody but the holder of the key.
    if (isBefore(now, state.expiresAt)) return [];
    return [{ type: 'WorkerCredentialRenewed', v: 1, data: { mac, publicKey, address, expiresAt } }];
  }
  checkToken(command, state);
  return [{ type: 'WorkerEnrolled', v: 1, data: { mac, publicKey, tokenHash, address, expiresAt } }];
}

/** Of a token that nobody has used. */
function checkToken({ hardwareId, tokenHash, now, bootTokens }: EnrolWorker, state: EnrolmentState): void {
  const token = bootTokens.find((boot) => boot.tokenHash === tokenHash);
  if (token && token.hardwareId !== hardwareId) {
    throw new ForbiddenError(`the token was given to hardware ${token.hardwareId}, not to ${hardwareId}`);
  }
  const limit = token?.expiresAt ?? state.issued.get(tokenHash);
  if (limit === undefined) throw new ForbiddenError(`no such enrolment token for worker ${hardwareId}`);
  if (isBefore(now, limit)) return;
  if (!token) throw new ForbiddenError(`the enrolment token expired at ${limit}`);
  const inVain = bootTokens.length - 1 - bootTokens.findLastIndex((boot) => state.used.has(boot.tokenHash));
  throw new TokenExpiredError(limit, Math.min(mostSeconds, leastSeconds * 2 ** (inVain - 1)));
}
