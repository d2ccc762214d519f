import type { Commit } from '@tinkerbell/event-store';
import type { WorkflowRow } from '@tinkerbell/projections';
import type { TinkReadModels } from '../projected-reads';

/** The workers that want to know: all that take part. The one whose action ended it must stop, the one whose turn it is must begin. */
export function concerned(rows: readonly (WorkflowRow | undefined)[]): readonly string[] {
  return [...new Set(rows.flatMap((row) => row?.actions.map(({ spec }) => spec.workerId) ?? []))];
}

/** The workflows in which something changed that a worker does not know: a start, which only its own worker reports, is nobody's turn. */
export function changedWorkflows(commits: readonly Commit[]): readonly string[] {
  const news = commits.flatMap(({ events }) =>
    events.filter(({ aggregate, event }) => aggregate === 'workflow' && event.type !== 'ActionStarted'),
  );
  return [...new Set(news.map(({ aggregateId }) => aggregateId))];
}

/** Calls `wake` for every worker that a changed workflow concerns, after the read models show the change. Returns the end of it. */
export function wakeWorkers(
  { models, onCommits }: Pick<TinkReadModels, 'models' | 'onCommits'>,
  wake: (workerId: string) => void,
): () => void {
  return onCommits((commits) => {
    const rows = changedWorkflows(commits).map((id) => models.workflows.get(id));
    concerned(rows).forEach(wake);
  });
}
