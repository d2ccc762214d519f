import type { WorkflowEvent } from '@tinkerbell/events';
import {
  actionFailed,
  actionSpec,
  actionStarted,
  actionSucceeded,
  hardwareId,
  workflowCreated,
  workflowDataUpdated,
  workflowDeleted,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { fold } from '../decider';
import { nextAssignment } from './next-assignment';
import { workflowDecider } from './workflow.decider';

const other = 'other-worker';
const now = '2026-01-01T00:00:00.000Z';
const next = (events: readonly WorkflowEvent[], workerId = hardwareId, bootId = 'boot-1') =>
  nextAssignment(fold(workflowDecider, events), { workflowId: 'w', workerId, bootId, now });
const waits = (reason: string) => ({ kind: 'wait', reason });

describe('what a worker does next', () => {
  const created = workflowCreated(2);
  it('the first action', () =>
    expect(next([created])).toEqual({
      kind: 'assignment',
      workflowId: 'w',
      index: 0,
      attempt: 1,
      total: 2,
      action: actionSpec({ name: 'action-0' }),
      dataVersion: 0,
      destructive: false,
      resumed: false,
      secretNames: [],
    }));
  it('the next one after a success, with the newest data, however many came before', () => {
    const three = [
      workflowCreated(3),
      actionStarted(0),
      actionSucceeded(0),
      workflowDataUpdated(4),
      actionStarted(1),
      actionSucceeded(1),
    ];
    expect(next(three)).toMatchObject({ kind: 'assignment', index: 2, attempt: 1, dataVersion: 4 });
  });
  it('goes on with the running attempt when it is the same boot', () =>
    expect(next([created, actionStarted(0)])).toMatchObject({ kind: 'assignment', index: 0, attempt: 1 }));
  it('gives up a running attempt of another boot', () =>
    expect(next([created, actionStarted(0)], hardwareId, 'boot-2')).toEqual({
      kind: 'abandon',
      index: 0,
      attempt: 1,
      startedAt: '2026-01-01T00:00:00.000Z',
    }));
  it('nothing after the end', () => {
    const failed = [created, actionStarted(0), actionFailed(0)];
    expect(next(failed)).toEqual(waits('workflow w has ended: failed'));
    expect(next([workflowCreated([])])).toEqual(waits('workflow w has ended: success'));
  });
  it('nothing of what is deleted or unknown', () => {
    expect(next([created, workflowDeleted()])).toEqual(waits('workflow w is deleted'));
    expect(next([])).toEqual(waits('workflow w does not exist'));
  });
  it('hands over from worker to worker, also after a task of several actions', () => {
    const specs = [actionSpec(), actionSpec({ name: 'b' }), actionSpec({ task: 'two', name: 'c', workerId: other })];
    const events: WorkflowEvent[] = [workflowCreated(specs), actionStarted(0), actionSucceeded(0)];
    expect(next(events, other)).toEqual(
      waits(`workflow w waits for worker ${hardwareId}, which has to run action 1 (hello world/b)`),
    );
    events.push(actionStarted(1));
    expect(next(events, other)).toEqual(
      waits(`workflow w waits for worker ${hardwareId}, which runs action 1 (hello world/b)`),
    );
    events.push(actionSucceeded(1));
    expect(next(events, other)).toMatchObject({ kind: 'assignment', index: 2 });
    expect(next(events)).toEqual(waits(`workflow w has nothing more for worker ${hardwareId}`));
  });
});
