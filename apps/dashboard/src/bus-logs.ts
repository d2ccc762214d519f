import { subjects, type NatsBus } from '@tinkerbell/messaging';
import { ActionLogs } from './action-logs';
import type { OutputLine } from './wire';

/** The output of actions as it lies in `TINK_LOG`. */
export class BusLogs extends ActionLogs {
  constructor(private readonly bus: Pick<NatsBus, 'logs'>) {
    super();
  }

  async *follow(
    workflowId: string,
    index: number,
    { after, signal }: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncIterable<OutputLine> {
    const lines = this.bus.logs({ subject: subjects.logOfAction(workflowId, index), follow: true, after, signal });
    for await (const { seq, at, stream, attempt, line } of lines) yield { seq, at, stream, attempt, line };
  }
}
