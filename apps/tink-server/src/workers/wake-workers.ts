import type { WorkflowRow } from '@tinkerbell/projections';
import type { ReadSide } from '../read-side';

/** The workers that want to know: all that take part. The one whose action ended it must stop, the one whose turn it is must begin. */
export function concerned(rows: readonly (WorkflowRow | undefined)[]): readonly string[] {
  return [...new Set(rows.flatMap((row) => row?.actions.map(({ spec }) => spec.workerId) ?? []))];
}

/** Calls `wake` for every worker that a changed workflow concerns, after the read models show the change. Returns the end of it. */
export function wakeWorkers(reads: ReadSide, wake: (workerId: string) => void): () => void {
  return reads.workflows.onChange((changed) => concerned(changed.map(({ row }) => row)).forEach(wake));
}
