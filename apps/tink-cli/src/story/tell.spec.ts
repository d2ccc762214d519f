import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { aggregates, catalogue, decodeEvent, type AnyEvent } from '@tinkerbell/events';
import { recorded } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { workflowId } from '../testing/samples';
import { tell } from './tell';

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
    }
  });

  it.each([
    ['ActionAttemptFailed', /^attempt 1 of probe failed: exit code 75 \(.*busy\); next try not before 2026-/],
    ['ActionApprovalRequested', /^\w+ awaits approval \(/],
    ['ActionOutcomeUnknown', /^outcome of \w+ UNKNOWN: its machine was started anew/],
    ['ActionPermitGranted', /permitted to destroy data, attempt 1, disk \S+; good until/],
    ['ActionInherited', /taken over from workflow [0-9a-f-]{36}, where it succeeded/],
    ['WorkflowFinished', /^workflow FAILED: os-installation\/stream-image failed$/],
    ['ReportRefused', /^report ".*finished" of \w+, attempt \d+, refused: [A-Z_]+ \(/],
    ['WorkflowDelayed', /^workflow is late: /],
  ])('%s', (type, line) => {
    const sample = samples.find((event) => event.type === type);
    expect(sample && told(sample)).toMatch(line);
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
      'write cancelled after 3.0s: its worker did NOT confirm that it stopped',
    ]);
    const resolved = (by: 'policy' | 'operator', as: 'restart' | 'failed') =>
      told({ type: 'ActionOutcomeResolved', v: 1, data: { index: 1, attempt: 1, as, by, reason: '' } });
    expect([resolved('policy', 'restart'), resolved('operator', 'failed')]).toEqual([
      'outcome of write resolved by its onReboot: it runs once more',
      'outcome of write resolved by a person: it has failed',
    ]);
  });

  it('names an event of a newer release', () =>
    expect(told({ type: 'ActionReversed', v: 1, data: {} } as unknown as AnyEvent)).toBe('ActionReversed'));
});
