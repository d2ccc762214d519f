import { randomUUID } from 'node:crypto';
import type { PlannedAction, WorkflowEvent } from '@tinkerbell/events';
import type { Story } from '../sample-log';
import { machineCount, machineOf, machines } from './machines';
import { actionCount, image, templateName } from './template';

const at = '2026-01-01T00:00:00.000Z';

/** All machines, and workflows as the bench runs them, from their creation to their end, of each machine by turns. */
export function* storedSite(count: number): Generator<Story> {
  yield* machines();
  for (let n = 0; n < count; n++) yield workflow(n);
}

function workflow(n: number): Story {
  const { id: workerId, mac } = machineOf(n % machineCount);
  const bootId = `boot-${n % machineCount}`;
  const created: WorkflowEvent = {
    type: 'WorkflowCreated',
    v: 2,
    data: {
      ...{ templateId: 'stored', templateName, templateVersion: 1, globalTimeoutSeconds: 0, origin: null },
      devices: { device_1: mac },
      actions: Array.from({ length: actionCount }, (_, index) => action(index, workerId)),
    },
  };
  const reports = Array.from({ length: actionCount }, (_, index): readonly WorkflowEvent[] => [
    { type: 'ActionStarted', v: 1, data: { index, attempt: 1, workerId, bootId, startedAt: at } },
    {
      type: 'ActionSucceeded',
      v: 2,
      data: { index, attempt: 1, workerId, seconds: 0.1, finishedAt: at, message: '', outputs: {} },
    },
  ]);
  // Few commits: rows and their past, which this is about, are the same, and a log of 100,000 is there in minutes.
  return { aggregate: 'workflow', id: randomUUID(), events: [created, ...reports.flat()], together: 7 };
}

function action(index: number, workerId: string): PlannedAction {
  return {
    ...{ task: 'task', name: `action-${index}`, image, workerId, timeoutSeconds: 3600, pid: '' },
    ...{ command: [], onTimeout: [], onFailure: [], volumes: ['/dev:/dev'], environment: ['DEST_DISK=/dev/sda'] },
    plan: {
      ...{ id: `task/action-${index}`, needs: index === 0 ? [] : [index - 1], runs: 'success', condition: '' },
      ...{ retry: null, approval: null, destructive: false, onReboot: 'fail', secrets: {} },
    },
  };
}
