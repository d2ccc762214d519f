import { fold, workflowDecider, type WorkflowCommand } from '@tinkerbell/domain';
import type { WorkflowEvent } from '@tinkerbell/events';
import {
  actionFailed,
  actionStarted,
  actionSucceeded,
  hardwareId,
  workflowCreated,
  workflowDeleted,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { isEarly } from './early-report';

const at = '2026-01-01T00:00:00.000Z';
const common = { workerId: hardwareId, attempt: 1 };
const start = (index: number): WorkflowCommand => ({
  type: 'StartAction',
  ...common,
  index,
  bootId: 'b',
  startedAt: at,
});
const finish = (index: number): WorkflowCommand => ({
  type: 'FinishAction',
  ...common,
  ...{ index, outcome: 'succeeded', reason: null, exitCode: 0, seconds: 1, finishedAt: at, message: '' },
});
const handler = (index: number): WorkflowCommand => ({
  type: 'FinishHandler',
  ...common,
  ...{ index, handler: 'on-failure', exitCode: 0, seconds: 1, message: '' },
});
const after = (...events: readonly WorkflowEvent[]) => fold(workflowDecider, events);
const created = workflowCreated(2);

describe('isEarly', () => {
  it.each([
    ['a result before its start', finish(0), after(created), true],
    ['the next start before the result', start(1), after(created, actionStarted(0)), true],
    ['a handler before its result', handler(0), after(created, actionStarted(0)), true],
    ['a handler before the start', handler(0), after(created), true],
    ['a result again', finish(0), after(created, actionStarted(0), actionSucceeded(0)), false],
    ['a start again', start(0), after(created, actionStarted(0), actionSucceeded(0)), false],
    ['a result after the end', finish(1), after(created, actionStarted(0), actionFailed(0)), false],
    ['a start after the end', start(1), after(created, actionStarted(0), actionFailed(0)), false],
    ['anything after the deletion', finish(0), after(created, workflowDeleted()), false],
    ['anything about no workflow', finish(0), after(), false],
  ] as const)('%s: %s', (_, command, state, early) => expect(isEarly(command, state)).toBe(early));
});
