import type { Commit } from '@tinkerbell/event-store';
import type { WorkflowRow } from '@tinkerbell/projections';
import type { TinkReadModels } from '../projected-reads';
import type { ReadSide } from '../read-side';

/** The workers that want to know: all that take part. The one whose action ended it must stop, the one whose turn it is must begin. */
export function concerned(rows: readonly (WorkflowRow | undefined)[]): readonly string[] {
  return [...new Set(rows.flatMap((row) => row?.actions.map(({ spec }) => spec.workerId) ?? []))];
}

/** Workflows in which more happened than that actions began: that lets nobody begin and tells nobody to stop. */
export function stirred(commits: readonly Commit[]): readonly string[] {
  const ids = commits.flatMap(({ events }) =>
    events.flatMap(({ aggregate, aggregateId, event }) =>
      aggregate === 'workflow' && event.type !== 'ActionStarted' ? [aggregateId] : [],
    ),
  );
  return [...new Set(ids)];
}

/** Calls `wake` for every worker that a change of a workflow concerns, after the read models show it. Returns the end of it. */
export function wakeWorkers(
  readModels: Pick<TinkReadModels, 'onCommits'>,
  reads: ReadSide,
  wake: (workerId: string) => void,
): () => void {
  return readModels.onCommits((commits) => {
    concerned(stirred(commits).map((id) => reads.workflows.get(id))).forEach(wake);
  });
}
