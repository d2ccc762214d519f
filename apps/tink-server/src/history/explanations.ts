import { explainMachine, explainWorkflow, type Evidence, type Explanation } from '@tinkerbell/history';
import type { WorkflowRow } from '@tinkerbell/projections';
import type { Query } from '../http/query';
import type { ReadSide } from '../read-side';
import type { AsOf } from './as-of';
import { findMachine, unknownWorkflow } from './find-machine';
import { durationIn, eventsAbout, presentWorkflows, workersOf } from './gathered';

/** How long the server waits for workers and machines. */
export type Patience = Pick<Evidence, 'graceSeconds' | 'cancelGraceSeconds' | 'delaySeconds'>;

/** Why things are as they are: gathers what was recorded and hands it to the explanation. */
export class Explanations {
  constructor(
    private readonly current: ReadSide,
    private readonly asOf: AsOf,
    private readonly patience: Patience,
    private readonly now: () => number = Date.now,
  ) {}

  /** `name`: id, MAC, IP address or host name. Throws UnknownNameError. */
  async machine(name: string, query: Query): Promise<Explanation> {
    const { reads, time } = await this.standpoint(query);
    const { id } = findMachine(reads, name);
    const evidence = this.evidence(reads, time, [id], presentWorkflows(reads, id));
    return explainMachine(id, evidence) ?? never(id);
  }

  /** Also of a deleted workflow. Throws UnknownNameError. */
  async workflow(id: string, query: Query): Promise<Explanation> {
    const { reads, time } = await this.standpoint(query);
    const row = reads.workflows.get(id);
    if (!row) throw unknownWorkflow(reads, id);
    const workers = workersOf(row);
    const others = workers.flatMap((worker) => presentWorkflows(reads, worker));
    const workflows = [row, ...others.filter((other) => other.id !== id)];
    return explainWorkflow(id, this.evidence(reads, time, workers, workflows)) ?? never(id);
  }

  private async standpoint(query: Query): Promise<{ readonly reads: ReadSide; readonly time: number | undefined }> {
    const moment = await this.asOf.moment(query, 'at');
    if (!moment) return { reads: this.current, time: this.now() };
    return { reads: this.current.at(moment.position), time: moment.time };
  }

  private evidence(
    reads: ReadSide,
    time: number | undefined,
    machineIds: readonly string[],
    workflows: readonly WorkflowRow[],
  ): Evidence {
    const events = eventsAbout(reads, machineIds, workflows);
    // Of a position only the log knows the time: it is that of the last thing that had happened.
    const now = time === undefined ? (events.at(-1)?.at ?? new Date(0).toISOString()) : new Date(time).toISOString();
    return { events, now, duration: durationIn(reads.history), ...this.patience };
  }
}

function never(id: string): never {
  throw new Error(`${id} has a row, but nothing was recorded about it`);
}
