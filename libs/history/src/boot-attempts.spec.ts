import { addDuration, durationKeys, type DurationRow } from '@tinkerbell/projections';
import {
  actionImageServed,
  bootFileServed,
  bootRequestFailed,
  bootScriptServed,
  bootWays,
  hardwareId,
  leaseBound,
  leaseEnded,
  leaseRenewed,
  machinePhonedHome,
  netbootOffered,
  osieStarted,
  workerCredentialRenewed,
  workerEnrolled,
  workerReady,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { bootAttempts } from './boot-attempts';
import { failedRequests } from './failed-requests';
import { tell } from './telling/tell';
import { booted, evidence, mac, made, working, type Fact } from './testing/told-log';

const step = (from: 'tftp' | 'http' | 'dhcp', to: 'http' | 'osie' | 'tftp', seconds: number) => {
  const row = addDuration(addDuration(undefined, seconds), seconds);
  return (key: string): DurationRow | undefined => (key === durationKeys.step(from, to) ? row : undefined);
};
const fromBoots = (event: Fact[2]): Fact => ['boot', mac, event, 1, 'boots'];
const offered = [...made, fromBoots(netbootOffered())];
const loaded = [...offered, fromBoots(bootFileServed())];

describe('the boot attempts of a machine', () => {
  it('are none when it was never seen', () => expect(bootAttempts(evidence(made))).toEqual([]));

  it('have every step with the time since the beginning', () => {
    const [attempt, ...others] = bootAttempts(evidence(booted));
    expect(others).toEqual([]);
    expect(attempt?.steps.map((each) => [each.step, each.seconds])).toEqual([
      ['dhcp', 0],
      ['tftp', 10],
      ['http', 20],
    ]);
  });

  it('are there when the worker is, or when its own system called back', () => {
    expect(bootAttempts(evidence(working))).toMatchObject([{ outcome: 'worker', next: null, hint: null }]);
    expect(bootAttempts(evidence([...working, fromBoots(machinePhonedHome())]))).toMatchObject([{ outcome: 'disk' }]);
    const local = bootScriptServed({ script: 'local', tokenHash: null, expiresAt: null });
    expect(bootAttempts(evidence([...loaded, fromBoots(local)]))).toMatchObject([
      {
        outcome: 'disk',
        verdict: expect.stringMatching(
          /^it was told to boot its own disk .* ago; whether that came up is not known, as its system has not phoned home$/,
        ),
        steps: [{}, {}, { step: 'disk', detail: 'told to boot its own disk' }],
        ...{ next: null, hint: null },
      },
    ]);
    expect(bootAttempts(evidence([...loaded, fromBoots(local), fromBoots(machinePhonedHome())]))).toMatchObject([
      { outcome: 'disk', verdict: expect.stringContaining('its own system called back') },
    ]);
  });

  it.each(Object.entries(bootWays()))('by %s do not go back when the worker fetches an image', (_, way) => {
    const facts: readonly Fact[] = [
      ...made,
      ...way.map(fromBoots),
      ['enrolment', hardwareId, workerEnrolled(), 1, 'tink-server'],
      ['enrolment', hardwareId, workerReady(), 2, `worker:${hardwareId}`],
    ];
    const now = '2026-01-02T00:00:00.000Z';
    const before = bootAttempts(evidence(facts, { now }));
    expect(before).toMatchObject([{ outcome: 'worker', next: null, hint: null }]);
    const fetched = [...facts, fromBoots(actionImageServed()), fromBoots(actionImageServed())];
    expect(bootAttempts(evidence(fetched, { now }))).toEqual(before);
    const again = bootAttempts(evidence([...fetched, fromBoots(netbootOffered())], { now }));
    expect(again).toMatchObject([{ outcome: 'worker', steps: before[0]?.steps }, { steps: [{ step: 'dhcp' }] }]);
  });

  it('are over with a script that hands the machine on, whatever is fetched after it', () => {
    const outcome = (script: 'local' | 'custom') => {
      const served = bootScriptServed({ script, tokenHash: null, expiresAt: null });
      return bootAttempts(evidence([...loaded, fromBoots(served), fromBoots(actionImageServed())])).at(-1)?.outcome;
    };
    expect([outcome('local'), outcome('custom')]).toEqual(['disk', 'own-script']);
  });

  it('do not begin or end with another credential of a worker that is up', () => {
    const renewed: Fact = ['enrolment', hardwareId, workerCredentialRenewed(), 1, 'tink-server'];
    const now = '2026-01-02T00:00:00.000Z';
    expect(bootAttempts(evidence([...working, renewed], { now }))).toEqual(bootAttempts(evidence(working, { now })));
  });

  it('have stopped when the next step is long overdue, and say what is normal', () => {
    // The boot program went out at 00:50.
    const at = (now: string) => bootAttempts(evidence(loaded, { now, duration: step('tftp', 'http', 4) }))[0];
    expect(at('2026-01-01T00:00:58.000Z')).toMatchObject({
      outcome: 'under-way',
      verdict: expect.stringMatching(/^reached tftp 8s ago, normally http follows after [34]\.\d+?s$/),
      hint: null,
    });
    expect(at('2026-01-01T00:01:28.000Z')).toMatchObject({
      outcome: 'stopped',
      verdict: expect.stringMatching(/^stopped after tftp 38s ago, normally http follows after [34]\.\ds$/),
      hint: expect.stringContaining('network boot program went out whole'),
    });
  });

  it('are given three minutes where nothing is known yet', () => {
    const at = (now: string) => bootAttempts(evidence(offered, { now }))[0]?.outcome;
    expect(at('2026-01-01T00:03:00.000Z')).toBe('under-way');
    expect(at('2026-01-01T00:04:00.000Z')).toBe('stopped');
  });

  it('that came as far as the in-memory OS say when the token of its worker expired', () => {
    // The script went out at 01:20 and its token was good until 15:00; the in-memory OS came up at 01:30.
    const up = [...booted, fromBoots(osieStarted(6))];
    const hintAt = (now: string, facts = up) => bootAttempts(evidence(facts, { now }))[0]?.hint;
    const without =
      'its in-memory OS is up and the worker has not enrolled: can it reach HTTPS of tink-server, and is its clock right?';
    expect(hintAt('2026-01-01T00:15:09.000Z')).toBe(without);
    const late = hintAt('2026-01-01T00:15:10.000Z');
    expect(late).toContain(
      'the worker has not enrolled, and its one-time token expired at 2026-01-01T00:15:10.000Z: can',
    );
    // It booted again before that.
    const again = [...up, fromBoots(netbootOffered()), fromBoots(bootFileServed())];
    expect(hintAt('2026-01-01T01:00:00.000Z', again)).toBe(without);
  });

  it('name what boots refused as the reason', () => {
    const client = { mac, hardwareId, clientId: null, ip: '192.168.1.5', subnet: '' };
    const refused = { ...client, requested: '192.168.9.9', reason: 'wrong network' };
    const facts: readonly Fact[] = [
      ...offered,
      ['lease', 'default', { type: 'LeaseRefused', v: 2, data: refused }, 1, 'boots'],
    ];
    expect(bootAttempts(evidence(facts, { now: '2026-01-01T01:00:00.000Z' }))).toMatchObject([
      {
        outcome: 'stopped',
        hint: 'DHCP refused 192.168.9.9: wrong network',
        troubles: [{ at: '2026-01-01T00:00:50.000Z' }],
      },
    ]);
  });

  it('name who ended the lease that a machine boots with', () => {
    const facts: readonly Fact[] = [...offered, ['lease', 'default', leaseEnded(), 1, 'user:ann']];
    expect(bootAttempts(evidence(facts, { now: '2026-01-01T01:00:00.000Z' }))).toMatchObject([
      { outcome: 'stopped', hint: 'DHCP lease ended by ann: 192.168.1.5 of 08:00:27:00:00:01' },
    ]);
  });

  it('name what boots did not serve, once, however often it was asked', () => {
    const facts: readonly Fact[] = [
      ...offered,
      fromBoots(bootRequestFailed({ protocol: 'tftp', reason: 'no-such-file', detail: 'grub.cfg' })),
      fromBoots(bootRequestFailed({ protocol: 'tftp', reason: 'no-such-file', detail: 'grub.cfg', count: 4 })),
    ];
    const now = '2026-01-01T01:00:00.000Z';
    expect(bootAttempts(evidence(facts, { now }))).toMatchObject([
      { hint: 'TFTP: there is no such file (grub.cfg)', troubles: [{ at: '2026-01-01T00:01:00.000Z' }] },
    ]);
  });

  it('that end at the own disk have no trouble with that, in logs of before either', () => {
    const local = bootScriptServed({ script: 'local', tokenHash: null, expiresAt: null });
    const noted = { protocol: 'http', reason: 'may-not-netboot', detail: 'workflow w-1 is success' } as const;
    const facts = [...loaded, fromBoots(local), fromBoots(bootRequestFailed(noted))];
    const seen = evidence(facts, { now: '2026-01-02T00:00:00.000Z' });
    expect(bootAttempts(seen)).toMatchObject([{ outcome: 'disk', troubles: [], hint: null }]);
    expect(failedRequests(seen.events)).toEqual([]);
    const last = seen.events.at(-1);
    expect(last && tell(last, () => undefined)).toEqual({
      text: 'told to boot its own disk (workflow w-1 is success)',
      tone: 'neutral',
    });
  });

  it('tell when the kernel started, by what its init said', () => {
    const script = fromBoots(bootScriptServed());
    const [attempt] = bootAttempts(evidence([...loaded, script, fromBoots(osieStarted(4))]));
    expect(attempt?.steps.slice(-3).map(({ step, seconds }) => [step, seconds])).toEqual([
      ['http', 20],
      ['kernel', 26],
      ['osie', 30],
    ]);
    const [late] = bootAttempts(evidence([...loaded, script, fromBoots(osieStarted(400))]));
    expect(late?.steps.at(-2)).toMatchObject({ step: 'kernel', seconds: 20 });
  });

  it('begin anew with each power-on; the one before is told as what it was', () => {
    const again = bootAttempts(evidence([...loaded, fromBoots(netbootOffered())]));
    expect(again).toMatchObject([
      { outcome: 'replaced', verdict: 'got as far as tftp, then began anew', steps: [{}, {}] },
      { outcome: 'under-way', steps: [{ step: 'dhcp', seconds: 0 }] },
    ]);
    const installed = bootAttempts(evidence([...working, fromBoots(netbootOffered())]));
    expect(installed).toMatchObject([{ outcome: 'worker' }, { outcome: 'under-way' }]);
  });

  it('do not begin with the lease of an operating system, which is stopped at nothing', () => {
    const leased: Fact = ['lease', 'default', leaseBound(), 1, 'boots'];
    const now = '2026-01-02T00:00:00.000Z';
    expect(bootAttempts(evidence([...made, leased], { now }))).toEqual([]);
    const facts = [...made, leased, fromBoots(bootRequestFailed())];
    expect(bootAttempts(evidence(facts, { now }))).toMatchObject([
      { outcome: 'stopped', hint: expect.stringContaining('there is no boot program for its architecture') },
    ]);
  });

  it('do not begin with a lease that is renewed', () => {
    const renewed: Fact = ['lease', 'default', leaseRenewed(), 2, 'boots'];
    expect(bootAttempts(evidence([...working, renewed]))).toHaveLength(1);
  });
});
