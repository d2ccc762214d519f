import { bundleLines, redactBundle, type BundleHeader, type OutputLine } from '@tinkerbell/history';
import type { WorkflowRow } from '@tinkerbell/projections';
import type { ReadSide } from '../read-side';
import type { ActionLogs } from '../workflow/action-logs';
import type { Patience } from './explanations';
import { findMachine, unknownWorkflow } from './find-machine';
import { durationsAbout, eventsAbout, workersOf } from './gathered';

/** Slices of the log with what the actions wrote, without secrets, to be looked at elsewhere. */
export class Bundles {
  constructor(
    private readonly reads: ReadSide,
    private readonly logs: ActionLogs,
    private readonly patience: Patience,
    private readonly now: () => number = Date.now,
  ) {}

  /** All that is known of a machine and of every workflow that it ever had. Throws UnknownNameError. */
  async *machine(name: string, signal: AbortSignal): AsyncGenerator<object> {
    const { id } = findMachine(this.reads, name);
    const workflows = this.reads.workflows.findAll(`worker:${id}`);
    yield* this.lines('machine', id, [id], workflows, signal);
  }

  /** All that is known of a workflow, deleted or not, and of its machines. Throws UnknownNameError. */
  async *workflow(id: string, signal: AbortSignal): AsyncGenerator<object> {
    const row = this.reads.workflows.get(id);
    if (!row) throw unknownWorkflow(this.reads, id);
    yield* this.lines('workflow', id, workersOf(row), [row], signal);
  }

  private async *lines(
    kind: BundleHeader['kind'],
    id: string,
    machineIds: readonly string[],
    workflows: readonly WorkflowRow[],
    signal: AbortSignal,
  ): AsyncGenerator<object> {
    const position = this.reads.position();
    const events = eventsAbout(this.reads, machineIds, workflows);
    const durations = durationsAbout(this.reads.history, workflows);
    const lines: OutputLine[] = [];
    for (const row of workflows) {
      for await (const line of this.logs.lines(row, { follow: false, signal })) lines.push(line);
    }
    const at = new Date(this.now()).toISOString();
    const header = { bundle: 1, kind, id, at, position, ...this.patience } as const;
    yield* bundleLines(redactBundle({ header, events, lines, durations }).bundle);
  }
}
