import { createHash } from 'node:crypto';
import type { Event, Recorded } from '@tinkerbell/events';
import type { Commit } from '@tinkerbell/event-store';
import { actionFailed, actionStarted, actionSucceeded, hardwareRegistered, workflowCreated } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../ledger';
import { violationsOf } from './violations';

const workflow = 'tink.ev.default.workflow.wf';

/** A log as the store would have made it: [stream, command id, events]. */
function logOf(...steps: readonly (readonly [string, string, ...Event[]])[]): readonly Commit[] {
  const heads = new Map<string, { version: number; hash: string }>();
  return steps.map(([stream, id, ...events], i) => {
    const { version, hash: prev } = heads.get(stream) ?? { version: 0, hash: '' };
    const position = i + 1;
    const hash = createHash('sha256').update(`${stream} ${id} ${i}`).digest('hex');
    heads.set(stream, { version: version + 1, hash });
    const [, , , aggregate = '', aggregateId = ''] = stream.split('.');
    const metadata = { id, actor: 'test' };
    const at = '2026-01-01T00:00:00.000Z';
    const recorded = events.map((event, index): Recorded => ({
      stream,
      aggregate,
      aggregateId,
      position,
      version: version + 1,
      index,
      at,
      event,
      metadata,
    }));
    return { stream, position, version: version + 1, at, metadata, events: recorded, prev, hash };
  });
}

const good = logOf(
  [workflow, 'create', workflowCreated(2)],
  [workflow, 'wf:0:1:started', actionStarted(0)],
  [workflow, 'wf:0:1:finished', actionSucceeded(0)],
  [workflow, 'wf:1:1:started', actionStarted(1)],
  [workflow, 'wf:1:1:finished', actionSucceeded(1)],
);
const report = (kind: 'started' | 'finished', index: number): Entry => ({
  ...{ t: 'report', kind, id: `wf:${index}:1:${kind}`, workflowId: 'wf', index, attempt: 1, worker: 'w' },
});
const ledger: readonly Entry[] = [
  { t: 'created', workflowId: 'wf', position: 1 },
  ...[0, 1].flatMap((index) => [report('started', index), report('finished', index)]),
];
const rules = (commits: readonly Commit[], entries: readonly Entry[] = ledger) => [
  ...new Set(violationsOf(commits, entries).map(({ rule }) => rule)),
];

describe('the checker', () => {
  it('has nothing to say of a good log', () => expect(violationsOf(good, ledger)).toEqual([]));

  it('takes a refused report for no second result', () => {
    const data = { kind: 'finished', index: 1, attempt: 1, workerId: 'w', outcome: 'failed', code: 'X', message: '' };
    const told = logOf(
      ...good.map(
        ({ stream, metadata, events }) => [stream, metadata.id, ...events.map(({ event }) => event)] as const,
      ),
      [workflow, 'w:wf:1:1:finished:refused', { type: 'ReportRefused', v: 1, data }],
    );
    expect(violationsOf(told, ledger)).toEqual([]);
  });

  it('sees a result that was acknowledged and is not there', () => {
    const lost = logOf(
      [workflow, 'create', workflowCreated(2)],
      [workflow, 'wf:0:1:started', actionStarted(0)],
      [workflow, 'wf:0:1:finished', actionSucceeded(0)],
      [workflow, 'wf:1:1:started', actionStarted(1)],
      [workflow, 'wf:1:1:timeout', actionFailed(1)],
    );
    expect(violationsOf(lost, ledger)).toEqual([{ rule: 'lost', what: 'report wf:1:1:finished of worker w' }]);
  });

  it('sees a workflow and a machine that were acknowledged and are not there', () => {
    expect(rules([], [{ t: 'created', workflowId: 'wf', position: 1 }])).toEqual(['lost']);
    expect(rules([], [{ t: 'hardware', id: 'hw', mac: 'm', position: 1 }])).toEqual(['lost']);
    // At another place than the answer said: what was acknowledged is not what is there.
    expect(
      rules(
        logOf(['tink.ev.default.hardware.x', 'x', hardwareRegistered()], [workflow, 'create', workflowCreated([])]),
        [{ t: 'created', workflowId: 'wf', position: 1 }],
      ),
    ).toEqual(['lost']);
  });

  it('lets go a report of a boot whose attempt was given up', () => {
    const given = logOf(
      [workflow, 'create', workflowCreated(2)],
      [workflow, 'wf:0:1:started', actionStarted(0)],
      [workflow, 'wf:0:1:abandoned', actionFailed(0, { reason: 'unknown-outcome', exitCode: null })],
    );
    expect(violationsOf(given, [report('started', 0), report('finished', 0)])).toEqual([]);
  });

  it('sees one command twice', () =>
    expect(
      rules(
        logOf([workflow, 'c', workflowCreated([])], ['tink.ev.default.workflow.other', 'c', workflowCreated([])]),
        [],
      ),
    ).toEqual(['doubled']));

  it('sees a result twice', () => {
    const doubled = logOf(
      [workflow, 'create', workflowCreated(2)],
      [workflow, 'wf:0:1:started', actionStarted(0)],
      [workflow, 'wf:0:1:finished', actionSucceeded(0)],
      [workflow, 'again', actionSucceeded(0)],
      [workflow, 'wf:1:1:started', actionStarted(1)],
      [workflow, 'wf:1:1:finished', actionSucceeded(1)],
    );
    expect(rules(doubled)).toEqual(['doubled', 'illegal']);
  });

  it.each([
    ['a result without a start', logOf([workflow, 'create', workflowCreated(1)], [workflow, 'f', actionSucceeded(0)])],
    [
      'an action that is not the next',
      logOf(
        [workflow, 'create', workflowCreated(2)],
        [workflow, 's', actionStarted(1)],
        [workflow, 'f', actionFailed(1)],
      ),
    ],
    [
      'a start after the end',
      logOf(
        ...good.map(
          ({ stream, metadata, events }) => [stream, metadata.id, ...events.map(({ event }) => event)] as const,
        ),
        [workflow, 'late', actionStarted(1)],
      ),
    ],
    ['a start before the creation', logOf([workflow, 's', actionStarted(0)])],
  ])('sees %s', (_, commits) => expect(rules(commits, [])).toContain('illegal'));

  it('sees a workflow that never ended', () => {
    expect(violationsOf(good.slice(0, 4), [])).toEqual([{ rule: 'unfinished', what: `${workflow} is running` }]);
  });

  it('sees a hole and a changed commit', () => {
    expect(rules(good.filter((_, i) => i !== 2))).toContain('broken chain');
    expect(rules(good.map((commit, i) => (i === 2 ? { ...commit, hash: 'other' } : commit)))).toContain('broken chain');
  });

  it('sees one MAC with two machines', () =>
    expect(
      rules(
        logOf(
          ['tink.ev.default.hardware.a', 'a', hardwareRegistered()],
          ['tink.ev.default.hardware.b', 'b', hardwareRegistered()],
        ),
        [],
      ),
    ).toEqual(['not unique']));

  it('sees an effect that a machine repeated, but not that of a twin', () => {
    const effect = { t: 'effect', workflowId: 'wf', index: 0, attempt: 1, worker: 'w', twin: false } as const;
    expect(rules(good, [effect, effect])).toEqual(['effect repeated']);
    expect(rules(good, [effect, { ...effect, twin: true }])).toEqual([]);
  });
});
