import type { WorkflowEvent } from '@tinkerbell/events';
import { actionStarted, graph, hardwareId, recorded, workflowCreated } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import type { WorkflowRow } from './rows';
import { placeAmong, standingOf, waitOf } from './work-order';
import { workflowList } from './workflow-list.projection';
import { workflowNotes } from './workflow-notes';

function rowOf(id: string, first: number, ...events: readonly WorkflowEvent[]): WorkflowRow {
  const row = recorded('workflow', id, events, first).reduce<WorkflowRow | undefined>(
    (before, each) => workflowList.evolve(before, each),
    undefined,
  );
  if (!row) throw new Error('no row');
  return row;
}
function notesOf(row: WorkflowRow, others: readonly WorkflowRow[] = []) {
  const placeAt = () => placeAmong([...others, row], row);
  return workflowNotes({ ...row, ...standingOf(waitOf(row), placeAt, () => ({ step: 'worker', registered: true })) });
}

describe('notes on a workflow', () => {
  it('name the workflow that a machine does first', () => {
    const busy = rowOf('w1', 1, workflowCreated(1), actionStarted(0));
    expect(notesOf(busy)).toEqual([]);
    expect(notesOf(rowOf('w2', 3, workflowCreated(1)), [busy])).toEqual([
      {
        key: expect.stringContaining('waiting') as string,
        text: 'waiting for workflow w1 on this machine, position 2',
        ...{ tone: 'wait', at: null, command: null },
      },
    ]);
    expect(notesOf(rowOf('w2', 3, workflowCreated(1))).map(({ text }) => text)).toEqual([
      `waiting: worker ${hardwareId} to ask for work`,
    ]);
  });

  it('quote in a command what a shell would take for its own', () => {
    const asked = rowOf('w1', 1, graph({ "it's $HOME": { approval: 'sure?' } }), {
      type: 'ActionApprovalRequested',
      v: 1,
      data: { index: 0, message: 'sure?' },
    });
    expect(notesOf(asked)).toMatchObject([
      {
        tone: 'ask',
        command: `tink workflow approve w1 'it'\\''s $HOME'`,
        text: expect.stringMatching(/: sure\?$/) as string,
      },
    ]);
  });

  it('of one that is being cancelled ask nobody for anything', () => {
    const row = rowOf(
      'w1',
      1,
      graph({ a: {}, b: { approval: 'sure?' } }),
      { type: 'ActionApprovalRequested', v: 1, data: { index: 1, message: 'sure?' } },
      actionStarted(0),
      { type: 'WorkflowCancelRequested', v: 1, data: { reason: '' } },
    );
    expect(notesOf(row)).toMatchObject([
      { key: 'cancelling', text: 'cancelling: its worker is told to stop a', at: '2026-01-01T00:00:04.000Z' },
    ]);
  });
});
