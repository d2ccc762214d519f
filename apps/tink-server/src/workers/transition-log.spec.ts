import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { aggregates, catalogue, decodeEvent, type Event } from '@tinkerbell/events';
import { recorded } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { transitionText } from './transition-log';

const fixtures = join(__dirname, '..', '..', '..', '..', 'events', 'fixtures');
const files = readdirSync(fixtures).filter((file) => file.endsWith('.json'));
const lineOf = (file: string, over: object = {}) => {
  const aggregate = aggregates.find((each) => Object.hasOwn(catalogue[each], file.replace(/\..*/, '')));
  if (!aggregate) throw new Error(`${file} is of no aggregate`);
  const { type, v, data }: Event = decodeEvent(aggregate, readFileSync(join(fixtures, file)));
  const [one] = recorded(aggregate, 'some-id', [{ type, v, data: { ...(data as object), ...over } }]);
  return one && transitionText(one);
};

describe('the log of transitions', () => {
  it.each([
    ['ActionAttemptFailed', /action 0 attempt 1: failed, exit, exit code 75, next try at 2026-\S+ by user:test$/],
    ['ActionCancelled', /action \d+ attempt \d+, (not )?confirmed by its worker by /],
    ['ActionOutcomeResolved', /action \d+ attempt \d+ as \w+ by \w+ by /],
    ['ActionPermitGranted', /action \d+ attempt \d+ for \d+ disks until 2026-/],
    ['ReportRefused', /\w+ of action \d+ attempt \d+ from \S+: [A-Z_]+ by /],
    ['WorkflowFinished', /failed at action 0 by /],
    ['WorkerCredentialRenewed', / WorkerCredentialRenewed from [\d.]+, good until 2026-\S+ by /],
    ['WorkflowDelayed', /(machine|worker)-[a-z-]+ of \S+ for \d+ s by /],
  ])('%s', (type, line) => expect(lineOf(`${type}.v1.json`)).toMatch(line));

  it('holds no text that people, workers or actions wrote', () => {
    expect(files.length).toBeGreaterThan(40);
    for (const file of files) {
      const line = lineOf(file, { message: 'hush', outputs: { token: 'hush' } }) ?? '';
      expect(line).not.toMatch(/undefined|\[object/);
      expect(line).not.toContain('hush');
    }
  });
});
