import { handlerOf, isTerminal } from '@tinkerbell/domain';
import { subjects, type NatsBus } from '@tinkerbell/messaging';
import type { WorkflowRow } from '@tinkerbell/projections';
import type { ReadSide } from '../read-side';

/** One line that an action wrote, as the API shows it. */
export interface ActionLine {
  readonly workflowId: string;
  readonly index: number;
  readonly action: string;
  readonly task: string;
  readonly at: string;
  readonly stream: string;
  readonly line: string;
}

export interface LinesOptions {
  /** One action only. */
  readonly index?: number | undefined;
  /** Milliseconds since 1970. */
  readonly since?: number | undefined;
  /** Goes on with new lines until the workflow has ended or the signal aborts. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** Milliseconds that lines may come after the end of their workflow; with an on-failure command to run it takes longer. */
const linger = { quiet: 2_000, handler: 60_000 };

/** The output of a workflow's actions, stored and as it comes. */
export class ActionLogs {
  constructor(
    private readonly bus: NatsBus,
    private readonly reads: ReadSide,
  ) {}

  async *lines(row: WorkflowRow, { index, since, follow, signal }: LinesOptions): AsyncGenerator<ActionLine> {
    const subject = index === undefined ? subjects.logOfWorkflow(row.id) : subjects.logOfAction(row.id, index);
    const end = follow ? this.endOf(row.id) : undefined;
    const query = {
      subject,
      follow,
      signal: end ? AbortSignal.any([signal, end.signal]) : signal,
      ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    };
    try {
      for await (const line of this.bus.logs(query)) {
        const spec = row.actions[line.index]?.spec;
        // A worker may publish below its own name only, but with any workflow id in it.
        if (spec?.workerId !== line.workerId) continue;
        const { at, stream } = line;
        yield {
          workflowId: row.id,
          index: line.index,
          action: spec.name,
          task: spec.task,
          at,
          stream,
          line: line.line,
        };
      }
    } finally {
      end?.stop();
    }
  }

  /** Aborts a moment after the workflow has nothing more to write. */
  private endOf(id: string): { readonly signal: AbortSignal; stop(): void } {
    const end = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const look = (row: WorkflowRow | undefined): void => {
      const milliseconds = lingering(row);
      if (milliseconds === undefined) return;
      clearTimeout(timer);
      timer = setTimeout(() => end.abort(), milliseconds);
    };
    const stopListening = this.reads.workflows.onChange((changed) => {
      for (const { key, row } of changed) if (key === id) look(row);
    });
    look(this.reads.workflows.get(id));
    return {
      signal: end.signal,
      stop() {
        stopListening();
        clearTimeout(timer);
      },
    };
  }
}

/** How long to wait for more lines; undefined: for ever. */
export function lingering(row: WorkflowRow | undefined): number | undefined {
  if (!row || row.deletedAt !== null) return linger.quiet;
  if (!isTerminal(row.status)) return undefined;
  const action = row.actions[row.current];
  if (!action || action.handler !== null || row.status === 'success') return linger.quiet;
  const handler = handlerOf(action.spec, row.status === 'timeout' ? 'timed-out' : 'failed');
  return handler === undefined ? linger.quiet : linger.handler;
}
