import type { EnrolmentEvent, WorkerReady } from '@tinkerbell/events';
import { parseMac } from '../address/mac';
import type { BootToken } from '../boot/boot-tokens';
import { assertNever, type Decider } from '../decider';
import { ConflictError, ForbiddenError, InvalidError } from '../errors';
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
  readonly ready: WorkerReady['data'] | null;
}

const hashForm = /^[0-9a-f]{64}$/;

export const enrolmentDecider: Decider<EnrolmentCommand, EnrolmentState, EnrolmentEvent> = {
  initial: { issued: new Map(), used: new Map(), publicKey: null, ready: null },
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
        const { tokenHash, publicKey } = event.data;
        return { ...state, used: new Map(state.used).set(tokenHash, publicKey), publicKey };
      }
      case 'WorkerReady':
        return { ...state, ready: event.data };
      default:
        return assertNever(event);
    }
  },
};

function enrol(command: EnrolWorker, state: EnrolmentState): readonly EnrolmentEvent[] {
  const { hardwareId, tokenHash, publicKey, address, now, expiresAt, bootTokens } = command;
  const mac = parseMac(command.mac);
  if (mac === undefined) throw new InvalidError('mac', `${JSON.stringify(command.mac)} is not a MAC address`);
  if (!/^U[A-Z2-7]{55}$/.test(publicKey)) throw new InvalidError('publicKey', 'publicKey must be a user nkey, U…');
  const token = bootTokens.find((boot) => boot.tokenHash === tokenHash);
  if (token && token.hardwareId !== hardwareId) {
    throw new ForbiddenError(`the token was given to hardware ${token.hardwareId}, not to ${hardwareId}`);
  }
  const limit = token?.expiresAt ?? state.issued.get(tokenHash);
  if (limit === undefined) throw new ForbiddenError(`no such enrolment token for worker ${hardwareId}`);
  const usedBy = state.used.get(tokenHash);
  if (usedBy !== undefined && usedBy !== publicKey) {
    throw new ForbiddenError('the enrolment token was used by another key');
  }
  if (!isBefore(now, limit)) throw new ForbiddenError(`the enrolment token expired at ${limit}`);
  // The worker lost the answer and asks again with the same key; not when another key has fenced it since.
  if (usedBy === publicKey && state.publicKey === publicKey) return [];
  if (usedBy === publicKey) throw new ForbiddenError('a newer enrolment of this worker replaced this key');
  return [{ type: 'WorkerEnrolled', v: 1, data: { mac, publicKey, tokenHash, address, expiresAt } }];
}
