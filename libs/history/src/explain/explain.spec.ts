import type { AnyEvent } from '@tinkerbell/events';
import { addDuration, durationKeys, type DurationRow } from '@tinkerbell/projections';
import {
  actionFailed,
  actionImageServed,
  actionSpec,
  actionStarted,
  actionSucceeded,
  actionTimedOut,
  bootScriptServed,
  hardwareId,
  hardwareInterface,
  hardwareRecord,
  hardwareRegistered,
  leaseBound,
  leaseRenewed,
  machinePhonedHome,
  netbootOffered,
  workerCredentialRenewed,
  workflowCreated,
  workflowDeleted,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { booted, evidence, mac, made, ordered, specs, textsOf, working, type Fact } from '../testing/told-log';
import { explainMachine, explainWorkflow } from './explain';
import type { Evidence } from './explanation';
import { tellExplanation } from './tell-explanation';

describe('a workflow that runs', () => {
  const told = explainWorkflow('w-1', evidence(working));

  it('is explained from the first order to the action that runs', () => {
    expect(told?.state).toBe('Workflow w-1 ("install") has run action 2 of 2, "write-image" (image2disk:1), for 40s.');
    expect(textsOf(told?.causes)).toEqual([
      'hardware registered by admin: server001 08:00:27:00:00:01 192.168.1.5',
      // The version that was used, not what the template was before.
      'template install changed by admin, version 2',
      'workflow created by admin from template install, version 2, for device_1=08:00:27:00:00:01: 2 actions',
      'DHCP lease: 192.168.1.5 for 08:00:27:00:00:01, 1d',
      'boot file offered: undionly.kpxe (PXEClient, architecture 0)',
      'nbp served: undionly.kpxe, 70.0 kB by TFTP in 0.2s',
      'iPXE script served: boot the in-memory OS, with a one-time token for its worker',
      'in-memory OS is up, 6.0s after its kernel started',
      'worker enrolled from 192.168.1.5: one-time token exchanged for a credential of its own',
      'worker ready: server001, podman, kernel 6.1.0, node 24.0.0, 1024 MiB of memory',
      '"disk-wipe" succeeded in 9.0s',
      '"write-image" started',
    ]);
    expect(told?.waiting).toBeNull();
  });

  it('says what ends by when: the action, the workflow, the credential, the lease', () => {
    expect(told?.expected.map(({ text, by }) => [by, text.split(',')[0]])).toEqual([
      ['2026-01-01T00:12:20.000Z', '"write-image" ends'],
      ['2026-01-01T00:32:00.000Z', 'the whole workflow ends'],
      ['2026-01-01T12:00:00.000Z', 'the worker needs a new credential'],
      ['2026-01-02T00:00:00.000Z', 'the machine renews its lease of 192.168.1.5'],
    ]);
    expect(told?.expected[0]?.text).toContain('the server gives it up at 2026-01-01T00:12:50.000Z');
  });

  it('is explained the same when its action has fetched an image', () => {
    const facts: readonly Fact[] = [...working, ['boot', mac, actionImageServed(), 5, 'boots']];
    const then = explainWorkflow('w-1', evidence(facts));
    expect([then?.expected, then?.waiting]).toEqual([told?.expected, null]);
    expect(explainMachine(hardwareId, evidence(facts))?.state).toContain('is at the step "worker"');
  });

  it('says when the worker needs a new credential after one that was renewed', () => {
    const renewed = workerCredentialRenewed({ expiresAt: '2026-01-02T12:00:00.000Z' });
    const facts: readonly Fact[] = [...working, ['enrolment', hardwareId, renewed, 1, 'tink-server']];
    const { expected } = explainWorkflow('w-1', evidence(facts)) ?? {};
    expect(expected?.find(({ text }) => text.includes('credential'))?.by).toBe('2026-01-02T12:00:00.000Z');
  });

  it('says how long the action usually takes: in this template, else with this image', () => {
    const action = durationKeys.action({ template: 'install', name: 'write-image', image: 'image2disk:1' });
    const rows = (key: string) =>
      new Map<string, DurationRow>([
        [key, [10, 12, 14, 300].reduce<DurationRow | undefined>(addDuration, undefined) ?? { count: 0, buckets: {} }],
      ]);
    for (const key of [action, 'image:image2disk:1']) {
      const known = rows(key);
      const { expected = [] } =
        explainWorkflow('w-1', evidence(working, { duration: (wanted) => known.get(wanted) })) ?? {};
      expect(expected[0]?.usual).toMatchObject({ count: 4 });
      expect(Math.abs((expected[0]?.usual?.median ?? 0) / 12 - 1)).toBeLessThan(0.06);
    }
    expect(told?.expected[0]?.usual).toBeNull();
  });

  it('is told in sentences', () => {
    const lines = told ? tellExplanation(told) : [];
    expect(lines).toContain('How it came to this:');
    expect(lines).toContain('  2026-01-01T00:02:20.000Z  "write-image" started');
    expect(lines.find((line) => line.includes('"write-image" ends'))).toMatch(
      / By 2026-01-01T00:12:20.000Z, in 9m20s\. It has taken 40s so far\.$/,
    );
  });

  it('is overdue when the time is over', () => {
    const late = explainWorkflow('w-1', evidence(working, { now: '2026-01-01T01:00:00.000Z' }));
    expect(late && tellExplanation(late).join('\n')).toContain('which was 47m ago');
  });
});

describe('what a workflow waits for', () => {
  const waiting = (facts: readonly Fact[], over: Partial<Evidence> = {}) =>
    explainWorkflow('w-1', evidence(facts, over))?.waiting;

  it('is a machine that has to be powered on', () => {
    expect(waiting(ordered)).toEqual({
      text: 'the machine has to be powered on, or restarted, to boot from the network',
      since: '2026-01-01T00:00:40.000Z',
    });
  });
  it('is a machine on its way, and says what usually comes next', () => {
    const duration = (key: string) => (key === 'step:http>osie' ? addDuration(undefined, 6) : undefined);
    const told = explainWorkflow('w-1', evidence(booted, { duration }));
    expect(told?.waiting).toEqual({
      text: 'the machine is on its way: it has reached the step "http"',
      since: '2026-01-01T00:01:20.000Z',
    });
    expect(told?.expected.map(({ text }) => text)).toEqual([
      'the worker enrols with its one-time token, which is worth nothing afterwards',
      'the machine renews its lease of 192.168.1.5, or loses it',
      'the machine has the in-memory OS up',
      '"disk-wipe" runs',
    ]);
    expect(told?.expected.at(-2)?.usual?.count).toBe(1);
    // Written at 00:01:20 and good until 00:15:00; the in-memory OS came up at 00:01:30.
    expect(told?.expected[0]?.by).toBe('2026-01-01T00:15:00.000Z');
    const [up] = explainWorkflow('w-1', evidence(working.slice(0, booted.length + 1)))?.expected ?? [];
    expect(up).toMatchObject({ text: told?.expected[0]?.text, by: '2026-01-01T00:15:10.000Z' });
  });
  it('is a record that lets it boot', () => {
    const never = hardwareInterface(mac, '192.168.1.5', { allow_pxe: false });
    const record = hardwareRecord({ network: { interfaces: [never] } });
    const text = waiting([['hardware', hardwareId, hardwareRegistered(record)], ...ordered.slice(1)])?.text;
    expect(text).toContain('allow_pxe is false');
  });
  it('is a machine that nobody registered', () =>
    expect(waiting(ordered.slice(1))?.text).toContain('is not registered'));
  it('is another workflow of the machine', () => {
    const first: Fact = ['workflow', 'w-0', workflowCreated(specs)];
    expect(waiting([...made, first, ...ordered.slice(3)])?.text).toBe(
      `workflow w-0 on machine ${hardwareId} has to end first; this one is number 2 in its queue`,
    );
  });
  it('is a worker that asks, once it is there', () => {
    expect(waiting(working.slice(0, -1))).toEqual({
      text: 'the worker has to ask for "write-image"',
      since: '2026-01-01T00:02:10.000Z',
    });
  });
});

describe('a workflow that has ended', () => {
  const failed: readonly Fact[] = [
    ...working,
    ['workflow', 'w-1', actionFailed(1, { exitCode: 17, message: 'no disk' }), 5],
  ];
  it('says what failed and why, and expects nothing more of it', () => {
    const told = explainWorkflow('w-1', evidence(failed));
    expect(told?.state).toBe(
      'Workflow w-1 ("install") failed after 30s, 30s ago, in action 2 of 2, "write-image": exit code 17 (no disk).',
    );
    expect(textsOf(told?.causes).at(-1)).toBe('"write-image" failed after 3.0s: exit code 17 (no disk)');
    expect(told?.expected.map(({ text }) => text)).toEqual([
      'the machine renews its lease of 192.168.1.5, or loses it',
    ]);
  });
  it('has nothing to do with what the machine did afterwards', () => {
    const later: Fact = ['boot', mac, netbootOffered({ client: 'iPXE' }), 5, 'boots'];
    expect(explainWorkflow('w-1', evidence([...failed, later]))?.causes).toEqual(
      explainWorkflow('w-1', evidence(failed))?.causes,
    );
  });
  it('tells its worker from the server when the time was over', () => {
    const late: Fact = [
      'workflow',
      'w-1',
      actionTimedOut(1, { firedBy: 'server', message: '' }),
      5,
      'reactor:action-timeout',
    ];
    expect(textsOf(explainWorkflow('w-1', evidence([...working, late]))?.causes).at(-1)).toBe(
      '"write-image" timed out after 1m, given up by the server',
    );
  });
  it('is gone when it was deleted', () => {
    const gone: Fact = ['workflow', 'w-1', workflowDeleted(), 5];
    expect(explainWorkflow('w-1', evidence([...failed, gone]))?.state).toContain('was deleted');
  });
});

describe('a machine', () => {
  it('is explained by where it is and by its workflow', () => {
    const told = explainMachine(hardwareId, evidence(working));
    expect(told?.state).toMatch(/^Machine .* is at the step "worker", of which .*\. Workflow w-1 .* for 40s\.$/);
    expect(told?.causes).toEqual(explainWorkflow('w-1', evidence(working))?.causes);
  });
  it('is told from its last power-on, with its newest lease only', () => {
    const again: readonly Fact[] = [
      ...working,
      ['workflow', 'w-1', actionSucceeded(1), 5],
      ['boot', mac, machinePhonedHome(), 5, 'boots'],
      ['lease', 'default', leaseRenewed({ clientState: 'renewing' }), 2, 'boots'],
      ['lease', 'default', leaseRenewed({ clientState: 'rebinding' }), 3, 'boots'],
      ['boot', mac, netbootOffered(), 6, 'boots'],
      ['boot', mac, bootScriptServed({ script: 'local', tokenHash: null, expiresAt: null }), 7, 'boots'],
    ];
    const texts = textsOf(explainMachine(hardwareId, evidence(again))?.causes);
    expect(texts.filter((text) => text.includes('renewed'))).toHaveLength(1);
    expect(texts.filter((text) => text.includes('offered'))).toHaveLength(1);
    expect(texts.at(-1)).toBe('iPXE script served: boot your own disk');
  });
  it('that was told to boot its own disk is there, and nothing more is known until it calls home', () => {
    const script = bootScriptServed({ script: 'local', tokenHash: null, expiresAt: null });
    const facts: readonly Fact[] = [
      ...made,
      ['boot', mac, netbootOffered(), 1, 'boots'],
      ['boot', mac, script, 2, 'boots'],
    ];
    expect(explainMachine(hardwareId, evidence(facts))?.state).toMatch(
      /^Machine .* was told to boot its own disk 2m10s ago; whether that came up is not known, as its system has not phoned home\.$/,
    );
    const order: Fact = ['workflow', 'w-1', workflowCreated(specs, { templateName: 'install' })];
    const due = explainMachine(hardwareId, evidence([...facts, order], { delaySeconds: { boot: 900, worker: 600 } }));
    expect(due?.waiting?.text).toContain('has to be powered on, or restarted');
    expect(textsOf(due?.expected)).toEqual([
      'the machine begins to boot, or the workflow is recorded as late',
      'the machine asks for an address',
      '"disk-wipe" runs',
    ]);
    const home: readonly Fact[] = [...facts, ['boot', mac, machinePhonedHome(), 3, 'boots']];
    expect(explainMachine(hardwareId, evidence(home))?.state).toMatch(/ is at the step "disk", .* ago: phoned home\.$/);
  });
  it('of which nothing was heard yet says so', () => {
    const told = explainMachine(hardwareId, evidence(made));
    expect(told?.state).toContain('is registered; nothing was heard of it yet.');
    expect(told && tellExplanation(told).at(-1)).toBe('  nothing, until somebody wants something');
  });
  it('whose operating system leases an address has not begun to boot', () => {
    const told = explainMachine(hardwareId, evidence([...ordered, ['lease', 'default', leaseBound(), 1, 'boots']]));
    expect(told?.state).toContain('leases 192.168.1.5; it was not seen to boot from the network.');
    expect(told?.waiting?.text).toContain('has to be powered on, or restarted');
    expect(textsOf(told?.expected)).toEqual([
      expect.stringContaining('renews its lease'),
      'the machine asks for an address',
      '"disk-wipe" runs',
    ]);
  });
  it('that is not in the log is not explained', () => {
    expect(explainMachine('nobody', evidence(working))).toBeUndefined();
    expect(explainWorkflow('nothing', evidence(working))).toBeUndefined();
  });
});

it('an event of a newer release is told by its name', () => {
  const newer = { type: 'ActionRetried', v: 1, data: { index: 1 } } as unknown as AnyEvent;
  const told = explainWorkflow('w-1', evidence([...working, ['workflow', 'w-1', newer, 5, 'user:eve']]));
  expect(told?.causes.at(-1)?.text).toBe('action retried ("write-image"), by eve');
});

it('many successes are one sentence', () => {
  const many = Array.from({ length: 9 }, (_, i) => actionSpec({ name: `step-${i}` }));
  const done = many.flatMap((_, i): Fact[] => [
    ['workflow', 'w-1', actionStarted(i)],
    ['workflow', 'w-1', actionSucceeded(i)],
  ]);
  const facts: readonly Fact[] = [...made, ['workflow', 'w-1', workflowCreated(many)], ...done.slice(0, -2)];
  const texts = textsOf(explainWorkflow('w-1', evidence(facts))?.causes);
  expect(texts.slice(-2)).toEqual(['7 actions succeeded, from "step-0" to "step-6"', '"step-7" succeeded in 3.0s']);
});
