import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { aggregates, catalogue, decodeEvent, type AnyEvent } from '@tinkerbell/events';
import { bootScriptServed, hardwareId, leaseEnded, recorded, workflowDeleted } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { tell } from './tell';

const workflowId = '2b3b6c1e-45a6-11eb-b13d-0242ac120003';
const fixtures = join(__dirname, '..', '..', '..', '..', 'events', 'fixtures');
const samples = readdirSync(fixtures)
  .filter((file) => file.endsWith('.json'))
  .map((file): AnyEvent => {
    const aggregate = aggregates.find((each) => Object.hasOwn(catalogue[each], file.replace(/\..*/, ''))) ?? '';
    return decodeEvent(aggregate, readFileSync(join(fixtures, file)));
  });
const told = (event: AnyEvent) => {
  const [one] = recorded('workflow', workflowId, [event]);
  return one ? tell(one, (_, index) => ['probe', 'write'][index]).text : '';
};

describe('the story', () => {
  it('has a line for every event', () => {
    expect(samples.length).toBeGreaterThan(40);
    for (const event of samples) {
      expect(told(event)).not.toContain(event.type);
      expect(told(event)).not.toMatch(/undefined|null|\[object/);
      // MAC addresses have colons wherever people read them.
      expect(told(event)).not.toMatch(/\b[0-9a-f]{2}(-[0-9a-f]{2}){5}\b/);
    }
  });

  it.each([
    [
      'ActionAttemptFailed',
      /^attempt 1 of probe failed after [\d.]+s: exit code 75 \(.*busy\); next try not before 2026-/,
    ],
    ['ActionApprovalRequested', /^\w+ awaits approval \(/],
    ['ActionOutcomeUnknown', /^outcome of \w+ unknown: its machine was started anew/],
    ['ActionPermitGranted', /permitted to destroy data once, in attempt 1, on disk \S+; to begin before 2026-/],
    ['ActionInherited', /taken over from workflow [0-9a-f-]{36}, where it succeeded/],
    ['WorkflowFinished', /^workflow failed: os-installation\/stream-image failed$/],
    ['ReportRefused', /^report of \w+, attempt \d+, refused and without effect: \w+ \(\w+\), [A-Z_]+ \(/],
    ['WorkerCredentialRenewed', /^worker's credential renewed from [\d.]+, good until 2026-/],
    ['WorkflowDelayed', /^workflow is late: /],
  ])('%s', (type, line) => {
    const sample = samples.find((event) => event.type === type);
    expect(sample && told(sample)).toMatch(line);
  });

  it('calls what a machine was given by the name of its program, or by none that is not known', () => {
    const names = (['iPXE', 'PXELINUX', 'GRUB', 'Raspberry Pi', null] as const).map(
      (format) => told(bootScriptServed({ script: 'local', format, tokenHash: null })).split(' served: ')[0],
    );
    const configurations = ['PXELINUX configuration', 'GRUB configuration', 'Raspberry Pi configuration'];
    expect(names).toEqual(['iPXE script', ...configurations, 'boot script']);
  });

  it('tells who ended a lease, or a quarantine', () => {
    expect([told(leaseEnded()), told(leaseEnded({ was: 'conflict', mac: null }))]).toEqual([
      'DHCP lease ended by test: 192.168.1.5 of 08:00:27:00:00:01',
      'quarantine of 192.168.1.5 ended by test: it may be leased again',
    ]);
  });

  it('tells who stopped an action, and who decided what became of it', () => {
    const cancelled = (confirmed: boolean) =>
      told({
        type: 'ActionCancelled',
        v: 1,
        data: { index: 1, attempt: 1, workerId: 'w', seconds: 3, confirmed, message: '' },
      });
    expect([cancelled(true), cancelled(false)]).toEqual([
      'write cancelled after 3.0s: its worker has stopped it',
      'write cancelled after 3.0s: its worker did not confirm that it has stopped',
    ]);
    const resolved = (by: 'policy' | 'operator', as: 'restart' | 'failed') =>
      told({ type: 'ActionOutcomeResolved', v: 1, data: { index: 1, attempt: 1, as, by, reason: '' } });
    expect([resolved('policy', 'restart'), resolved('operator', 'failed')]).toEqual([
      'outcome of write resolved by its onReboot: it runs once more',
      'outcome of write resolved by test: it has failed',
    ]);
  });

  it('does not say twice that a workflow succeeded', () => {
    const data = { status: 'success', index: null, reason: 'the workflow succeeded' } as const;
    expect(told({ type: 'WorkflowFinished', v: 1, data })).toBe('workflow succeeded');
  });

  it('says by whom', () => {
    const by = (actor: string) => {
      const [one] = recorded('workflow', workflowId, [workflowDeleted()]);
      return one && tell({ ...one, metadata: { ...one.metadata, actor } }, () => undefined).text;
    };
    expect(['user:eve', `worker:${hardwareId}`, 'reactor:timeouts', 'boots'].map(by)).toEqual([
      'workflow deleted by eve',
      'workflow deleted by the worker',
      'workflow deleted by the server',
      'workflow deleted by boots',
    ]);
  });

  it('names an event of a newer release', () =>
    expect(told({ type: 'ActionReversed', v: 1, data: {} } as unknown as AnyEvent)).toBe('action reversed, by test'));
});
