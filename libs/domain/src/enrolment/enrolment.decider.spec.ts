import type { EnrolmentEvent } from '@tinkerbell/events';
import {
  enrolmentTokenIssued,
  hardwareId,
  machineMac,
  specify,
  workerCredentialRenewed,
  workerEnrolled,
  workerReady,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { fold } from '../decider';
import { TokenExpiredError } from '../errors';
import { enrolmentDecider, type EnrolWorker } from './enrolment.decider';

const given = specify(enrolmentDecider);
const now = '2026-01-01T00:00:00.000Z';
const expiresAt = '2026-01-02T00:00:00.000Z';
const bootToken = { tokenHash: 'a'.repeat(64), expiresAt, hardwareId };
const otherKey = `U${'B'.repeat(55)}`;
const enrol = (over: Partial<EnrolWorker> = {}): EnrolWorker => ({
  type: 'EnrolWorker',
  hardwareId,
  tokenHash: 'a'.repeat(64),
  publicKey: `U${'A'.repeat(55)}`,
  mac: '08:00:27:00:00:01',
  address: '192.168.1.5',
  now,
  expiresAt,
  bootTokens: [bootToken],
  ...over,
});
const issue = (over: object = {}) =>
  ({ type: 'IssueToken', tokenHash: 'b'.repeat(64), expiresAt, now, ...over }) as const;
const ready = { type: 'RecordReady', ...workerReady().data } as const;

describe('enrolment', () => {
  it('with the token of the boot script', () =>
    given()
      .when(enrol())
      .then(workerEnrolled({ mac: machineMac })));
  it('with a token that an operator issued', () =>
    given(enrolmentTokenIssued())
      .when(enrol({ tokenHash: 'b'.repeat(64), bootTokens: [] }))
      .then(workerEnrolled({ tokenHash: 'b'.repeat(64) })));
  it('is answered again when the answer was lost', () => given(workerEnrolled()).when(enrol()).thenNothing());
  it('with a new token after the next boot', () => {
    const tokenHash = 'c'.repeat(64);
    given(workerEnrolled())
      .when(enrol({ tokenHash, publicKey: otherKey, bootTokens: [{ ...bootToken, tokenHash }] }))
      .then(workerEnrolled({ tokenHash, publicKey: otherKey }));
  });
  it('refuses a token that another key has used', () =>
    given(workerEnrolled())
      .when(enrol({ publicKey: otherKey }))
      .thenThrows('FORBIDDEN', 'was used by another key'));
  it('does not let a replaced key back with its old token', () =>
    given(workerEnrolled(), workerEnrolled({ tokenHash: 'c'.repeat(64), publicKey: otherKey }))
      .when(enrol())
      .thenThrows('FORBIDDEN', 'a newer enrolment of this worker replaced this key'));
  it('refuses an unknown token', () => {
    given()
      .when(enrol({ bootTokens: [] }))
      .thenThrows('FORBIDDEN', 'no such enrolment token');
    given()
      .when(enrol({ tokenHash: 'd'.repeat(64) }))
      .thenThrows('FORBIDDEN');
  });
  it('refuses a token of other hardware', () =>
    given()
      .when(enrol({ bootTokens: [{ ...bootToken, hardwareId: 'other' }] }))
      .thenThrows('FORBIDDEN', 'was given to hardware other'));
  it('refuses an expired token', () => {
    given()
      .when(enrol({ now: expiresAt }))
      .thenThrows('TOKEN_EXPIRED', `expired at ${expiresAt}`);
    given(enrolmentTokenIssued())
      .when(enrol({ tokenHash: 'b'.repeat(64), bootTokens: [], now: expiresAt }))
      .thenThrows('FORBIDDEN', `expired at ${expiresAt}`);
  });
  it('gives the key that holds the worker another credential when its own is over, long after its token', () => {
    const later = '2026-02-01T00:00:00.000Z';
    given(workerEnrolled())
      .when(enrol({ now: expiresAt, expiresAt: later, bootTokens: [] }))
      .then(workerCredentialRenewed({ mac: machineMac, expiresAt: later }));
    given(workerEnrolled(), workerCredentialRenewed({ expiresAt: later }))
      .when(enrol({ now: expiresAt, expiresAt: later }))
      .thenNothing();
    // As it was told before there was an event of its own.
    given(workerEnrolled(), workerEnrolled({ expiresAt: later }))
      .when(enrol({ now: expiresAt, expiresAt: later }))
      .thenNothing();
    given(workerEnrolled(), workerEnrolled({ tokenHash: 'c'.repeat(64), publicKey: otherKey }))
      .when(enrol({ now: expiresAt }))
      .thenThrows('FORBIDDEN', 'replaced this key');
  });
  it('tells a machine with an expired token to boot anew, later with each boot that came to nothing', () => {
    const inVain = (boots: number, enrolledBefore: readonly EnrolmentEvent[] = []) => {
      const tokens = Array.from({ length: boots }, (_, i) => ({ ...bootToken, tokenHash: String(i).repeat(64) }));
      const state = fold(enrolmentDecider, enrolledBefore);
      const command = enrol({ now: expiresAt, tokenHash: String(boots - 1).repeat(64), bootTokens: tokens });
      try {
        enrolmentDecider.decide(command, state);
      } catch (error) {
        return error instanceof TokenExpiredError ? error.bootAgainSeconds : error;
      }
      return undefined;
    };
    expect([1, 2, 3, 6, 7, 9].map((boots) => inVain(boots))).toEqual([60, 120, 240, 1920, 3600, 3600]);
    expect(inVain(3, [workerEnrolled({ tokenHash: '1'.repeat(64) })])).toBe(60);
  });
  it.each(['', 'U123', `N${'A'.repeat(55)}`, `U${'a'.repeat(55)}`])('refuses the key %j', (publicKey) =>
    given().when(enrol({ publicKey })).thenThrows('INVALID', 'user nkey'),
  );
  it('refuses what is no MAC', () =>
    given()
      .when(enrol({ mac: 'x' }))
      .thenThrows('INVALID', '"x" is not a MAC address'));

  it('issues a token once', () => {
    given().when(issue()).then(enrolmentTokenIssued());
    given(enrolmentTokenIssued()).when(issue()).thenNothing();
    given(enrolmentTokenIssued())
      .when(issue({ expiresAt: '2026-01-03T00:00:00.000Z' }))
      .thenThrows('CONFLICT');
  });
  it('refuses a token that is none, or over already', () => {
    given()
      .when(issue({ tokenHash: 'secret' }))
      .thenThrows('INVALID', '64 lower-case hex digits');
    given()
      .when(issue({ expiresAt: now }))
      .thenThrows('INVALID', 'is not in the future');
  });
  it('records a worker that is ready, and a report that comes again once', () => {
    given().when(ready).then(workerReady());
    given(workerEnrolled(), workerReady()).when(ready).thenNothing();
    given(workerReady({ uptimeSeconds: 1 }))
      .when(ready)
      .then(workerReady());
  });
});
