import type { AnyEvent, Aggregate, Recorded } from '@tinkerbell/events';
import { addDuration, durationKeys, type DurationRow } from '@tinkerbell/projections';
import {
  actionAttemptFailed,
  actionCancelled,
  actionFailed,
  actionSpec,
  actionStarted,
  actionSucceeded,
  actionTimedOut,
  bootFileServed,
  bootScriptServed,
  hardwareId,
  hardwareInterface,
  hardwareRecord,
  hardwareRegistered,
  leaseBound,
  leaseRenewed,
  machinePhonedHome,
  netbootOffered,
  osieStarted,
  planned,
  templateCreated,
  templateId,
  templateUpdated,
  workerEnrolled,
  workerReady,
  workflowCreated,
  workflowDeleted,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { explainMachine, explainWorkflow } from './explain';
import type { Evidence } from './explanation';
import { tellExplanation } from './tell-explanation';

const mac = '08-00-27-00-00-01';
type Fact = readonly [Aggregate, string, AnyEvent, version?: number, actor?: string];

/** Ten seconds apart from 2026-01-01T00:00:10Z, at positions from 1. */
const log = (...facts: readonly Fact[]): readonly Recorded<AnyEvent>[] =>
  facts.map(([aggregate, aggregateId, event, version = 1, actor = 'user:admin'], i) => ({
    stream: `tink.ev.default.${aggregate}.${aggregateId}`,
    aggregate,
    aggregateId,
    position: i + 1,
    version,
    index: 0,
    at: new Date(Date.UTC(2026, 0, 1) + (i + 1) * 10_000).toISOString(),
    event,
    metadata: { id: `c${i}`, actor },
  }));

const specs = [
  actionSpec({ name: 'disk-wipe', image: 'wipe:1', timeoutSeconds: 90 }),
  actionSpec({ name: 'write-image', image: 'image2disk:1', timeoutSeconds: 600 }),
];
const made: readonly Fact[] = [
  ['hardware', hardwareId, hardwareRegistered()],
  ['template', templateId, templateCreated('install')],
  ['template', templateId, templateUpdated('install'), 2],
];
const ordered: readonly Fact[] = [
  ...made,
  [
    'workflow',
    'w-1',
    workflowCreated(specs, { templateName: 'install', templateVersion: 2, globalTimeoutSeconds: 1800 }),
  ],
];
const booted: readonly Fact[] = [
  ...ordered,
  ['lease', 'default', leaseBound(), 1, 'boots'],
  ['boot', mac, netbootOffered(), 1, 'boots'],
  ['boot', mac, bootFileServed(), 2, 'boots'],
  ['boot', mac, bootScriptServed({ expiresAt: '2026-01-01T00:15:00.000Z' }), 3, 'boots'],
];
const working: readonly Fact[] = [
  ...booted,
  ['boot', mac, osieStarted(6), 4, 'boots'],
  ['enrolment', hardwareId, workerEnrolled({ expiresAt: '2026-01-01T12:00:00.000Z' }), 1, 'tink-server'],
  ['enrolment', hardwareId, workerReady(), 2, `worker:${hardwareId}`],
  ['workflow', 'w-1', actionStarted(0), 2],
  ['workflow', 'w-1', actionSucceeded(0, { seconds: 9 }), 3],
  ['workflow', 'w-1', actionStarted(1), 4],
];

const evidence = (facts: readonly Fact[], over: Partial<Evidence> = {}): Evidence => ({
  events: log(...facts),
  now: '2026-01-01T00:03:00.000Z',
  duration: () => undefined,
  graceSeconds: 30,
  cancelGraceSeconds: 60,
  ...over,
});
const textsOf = (causes: readonly { readonly text: string }[] = []) => causes.map(({ text }) => text);

describe('a workflow that runs', () => {
  const told = explainWorkflow('w-1', evidence(working));

  it('is explained from the first order to the action that runs', () => {
    expect(told?.state).toBe('Workflow w-1 ("install") has run action 2 of 2, "write-image" (image2disk:1), for 40s.');
    expect(textsOf(told?.causes)).toEqual([
      'admin registered the machine: server001 08:00:27:00:00:01 192.168.1.5',
      // The version that was used, not what the template was before.
      'admin changed the template "install" (version 2)',
      'admin created workflow w-1 from version 2 of the template "install" for device_1=08:00:27:00:00:01: 2 actions',
      'the machine asked for an address and was leased 192.168.1.5 for 1d',
      'the machine asked to boot from the network (PXEClient, architecture 0) and was offered undionly.kpxe',
      'it loaded undionly.kpxe (nbp, 70000 bytes) by TFTP in 0.2s',
      'it was told to boot the in-memory OS, with a one-time token that is good until 2026-01-01T00:15:00.000Z',
      'the in-memory OS was up 6.0s after its kernel started',
      'its worker enrolled from 192.168.1.5 and got a credential that is good until 2026-01-01T12:00:00.000Z',
      'its worker asked for work (podman, kernel 6.1.0)',
      '"disk-wipe" succeeded in 9.0s',
      'the worker started "write-image"',
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
    expect(lines).toContain('  2026-01-01T00:02:20.000Z  the worker started "write-image"');
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
      '"disk-wipe" runs',
      'the machine has the in-memory OS up',
    ]);
    expect(told?.expected.at(-1)?.usual?.count).toBe(1);
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

describe('a workflow that is held back', () => {
  const wf = (event: AnyEvent, version = 5): Fact => ['workflow', 'w-1', event, version, 'user:eve'];
  const told = (...more: readonly Fact[]) => {
    const found = explainWorkflow('w-1', evidence([...working, ...more]));
    if (!found) throw new Error('no such workflow');
    return found;
  };
  // The event after `working` is stored then, the next one ten seconds later.
  const [first, second] = ['2026-01-01T00:02:30.000Z', '2026-01-01T00:02:40.000Z'];
  const paused = wf({ type: 'WorkflowPaused', v: 1, data: { reason: 'lunch' } });
  const retry = wf(actionAttemptFailed(1, { exitCode: 3, message: 'no link', retryAt: '2026-01-01T00:10:00.000Z' }));

  it('by nothing, while its action runs on although it is paused', () => {
    const { state, waiting } = told(paused);
    expect(state).toContain('has run action 2 of 2, "write-image"');
    expect(state).toContain('It is paused.');
    expect(waiting).toBeNull();
  });

  it('is paused, and waits for somebody who resumes it', () => {
    const { waiting, causes, expected } = told(retry, paused);
    expect(waiting).toEqual({ text: expect.stringContaining('tink workflow resume') as string, since: second });
    expect(textsOf(causes).at(-1)).toBe('eve paused the workflow: no further action starts (lunch)');
    expect(expected.map(({ text }) => text)).toContain('"write-image" runs once the workflow is resumed');
  });

  it('is being cancelled: its worker has until the server gives up', () => {
    const { state, waiting, expected, causes } = told(
      wf({ type: 'WorkflowCancelRequested', v: 1, data: { reason: 'wrong machine' } }),
    );
    expect(state).toContain('It is being cancelled, since 30s.');
    expect(waiting).toEqual({ text: expect.stringContaining('has to stop what runs') as string, since: first });
    expect(expected[0]).toMatchObject({
      text: '"write-image" is stopped by its worker, or the server gives it up',
      by: '2026-01-01T00:03:30.000Z',
    });
    expect(textsOf(causes).at(-1)).toBe('eve cancelled the workflow (wrong machine)');
  });

  it('was cancelled', () => {
    const cancel = wf({ type: 'WorkflowCancelRequested', v: 1, data: { reason: '' } });
    const { state, waiting, causes } = told(cancel, wf(actionCancelled(1, { confirmed: false, message: '' }), 6));
    expect(state).toBe('Workflow w-1 ("install") was cancelled after 40s, 20s ago, in action 2 of 2, "write-image".');
    expect(waiting).toBeNull();
    expect(textsOf(causes).at(-1)).toContain('its worker did not confirm that it has stopped');
  });

  it('needs an approval', () => {
    const careful = [specs[0], planned(actionSpec({ name: 'erase' }), 1, { approval: 'is it the old rack?' })].flatMap(
      (spec) => spec ?? [],
    );
    const facts: readonly Fact[] = [
      ...made,
      ['workflow', 'w-1', workflowCreated(careful)],
      ['workflow', 'w-1', actionStarted(0), 2],
      ['workflow', 'w-1', actionSucceeded(0), 3],
      wf({ type: 'ActionApprovalRequested', v: 1, data: { index: 1, message: 'is it the old rack?' } }, 3),
    ];
    const found = explainWorkflow('w-1', evidence(facts));
    expect(found?.state).toContain(`needs a person's approval of action 2 of 2, "erase"`);
    expect(found?.waiting).toEqual({
      text: 'somebody has to approve "erase": is it the old rack?',
      since: '2026-01-01T00:01:10.000Z',
    });
    expect(found?.expected.map(({ text }) => text)).toContain(
      '"erase" runs once it is approved, or fails when it is rejected',
    );
  });

  it('does not know what became of its action', () => {
    const { state, waiting, expected, causes } = told(
      wf({
        type: 'ActionOutcomeUnknown',
        v: 1,
        data: { index: 1, attempt: 1, workerId: hardwareId, bootId: 'boot-2', seconds: 9, message: '' },
      }),
    );
    expect(state).toContain('does not know what became of action 2 of 2');
    expect(waiting).toEqual({ text: expect.stringContaining('tink workflow resolve') as string, since: first });
    expect(expected.map(({ text }) => text)).toContain('"write-image" is resolved as done or failed, or runs again');
    expect(textsOf(causes).at(-1)).toBe(
      'the machine was started anew 9.0s into "write-image": nobody knows what it has done',
    );
    expect(textsOf(causes)).not.toContain('the worker started "write-image"');
  });

  it('pauses before the next try, and says until when', () => {
    const { state, waiting, expected, causes } = told(retry);
    expect(state).toContain('is about to try action 2 of 2, "write-image" again');
    expect(waiting).toEqual({
      text: 'the pause before the next try of "write-image", until 2026-01-01T00:10:00.000Z',
      since: first,
    });
    expect(expected.map(({ text }) => text)).toContain(
      '"write-image" is tried again (attempt 2), not before 2026-01-01T00:10:00.000Z',
    );
    expect(textsOf(causes).at(-1)).toMatch(
      /^attempt 1 of "write-image" failed after .*: exit code 3 \(no link\); it is/,
    );
  });

  it('is late, and says whose fault that is', () => {
    const data = {
      cause: 'machine-never-booted',
      workerId: hardwareId,
      afterSeconds: 600,
      message: 'nothing was heard of the machine for 600 s',
    } as const;
    const found = explainWorkflow('w-1', evidence([...ordered, wf({ type: 'WorkflowDelayed', v: 1, data }, 2)]));
    expect(found?.waiting?.text).toBe(
      'the machine has to be powered on, or restarted, to boot from the network; ' +
        'that is late: nothing was heard of the machine for 600 s',
    );
    expect(textsOf(found?.causes).at(-1)).toContain('the workflow is late: its machine has not booted for 10m');
  });

  it('tells a refused report once, however often it came', () => {
    const data = {
      kind: 'finish',
      index: 0,
      attempt: 1,
      workerId: hardwareId,
      outcome: 'success',
      code: 'out-of-order',
      message: 'it has ended',
    };
    const refused = (version: number) => wf({ type: 'ReportRefused', v: 1, data }, version);
    const { state, causes } = told(refused(5), refused(6));
    expect(state).toContain('2 reports of its workers were refused.');
    expect(textsOf(causes).filter((text) => text.includes('refused'))).toEqual([
      'a report of the worker about "disk-wipe", attempt 1, was refused and changed nothing: finish (success), out-of-order (it has ended)',
    ]);
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
      '"write-image" ran out of time after 1m and was given up by the server',
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
    expect(texts.at(-1)).toBe('it was told to boot its own disk');
  });
  it('of which nothing was heard yet says so', () => {
    const told = explainMachine(hardwareId, evidence(made));
    expect(told?.state).toContain('is registered; nothing was heard of it yet.');
    expect(told && tellExplanation(told).at(-1)).toBe('  nothing, until somebody wants something');
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
