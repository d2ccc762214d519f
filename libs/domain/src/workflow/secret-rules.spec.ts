import { actionFailed, actionStarted, graph, hardwareId, workflowDeleted } from '@tinkerbell/testing';
import type { WorkflowEvent } from '@tinkerbell/events';
import { describe, expect, it } from 'vitest';
import { fold } from '../decider';
import { secretsOf } from './secret-rules';
import { workflowDecider } from './workflow.decider';

const created = graph({ first: { secrets: { PASSWORD: 'db-password' } }, second: { needs: [0] } });
const ask = { workflowId: 'w', workerId: hardwareId, index: 0, attempt: 1 };
const given = (...events: readonly WorkflowEvent[]) => fold(workflowDecider, events);
const asking = (events: readonly WorkflowEvent[], over: Partial<typeof ask> = {}) => {
  try {
    return secretsOf(given(...events), { ...ask, ...over });
  } catch (error) {
    return (error as { readonly code?: string }).code;
  }
};
const cancelRequested = { type: 'WorkflowCancelRequested', v: 1, data: { reason: 'x' } } as const;

describe('secrets of an attempt', () => {
  it('are given out while it runs, again and again, also while the workflow is being cancelled', () => {
    expect(asking([created, actionStarted(0)])).toEqual({ PASSWORD: 'db-password' });
    expect(asking([created, actionStarted(0), cancelRequested])).toEqual({ PASSWORD: 'db-password' });
  });

  it.each<[string, readonly WorkflowEvent[], Partial<typeof ask>, string]>([
    ['before its start is in the log', [created], {}, 'NOT_YET'],
    ['of an attempt that does not come next', [created], { attempt: 2 }, 'ILLEGAL_TRANSITION'],
    ['before its turn', [created], { index: 1 }, 'ILLEGAL_TRANSITION'],
    ['of another attempt', [created, actionStarted(0)], { attempt: 2 }, 'ILLEGAL_TRANSITION'],
    ['after its end', [created, actionStarted(0), actionFailed(0)], {}, 'ILLEGAL_TRANSITION'],
    ['of a deleted workflow', [created, actionStarted(0), workflowDeleted()], {}, 'ILLEGAL_TRANSITION'],
    ['of a workflow that is cancelled before', [created, cancelRequested], {}, 'ILLEGAL_TRANSITION'],
    ['to another worker', [created, actionStarted(0)], { workerId: 'other' }, 'FORBIDDEN'],
    ['of no action', [created, actionStarted(0)], { index: 7 }, 'FORBIDDEN'],
    ['of no workflow', [], {}, 'NOT_FOUND'],
  ])('are not given out %s', (_, events, over, code) => expect(asking(events, over)).toBe(code));
});
