import { randomUUID } from 'node:crypto';
import { reportId } from '@tinkerbell/messaging';

/** One try of one action. */
export interface Attempt {
  readonly workflowId: string;
  readonly index: number;
  readonly attempt: number;
}

/** A report that has to arrive. */
export interface Report {
  readonly kind: 'started' | 'finished';
  readonly id: string;
  readonly body: object;
  readonly of: Attempt;
}

/** What outlives a crash of the worker's process and not a reset of its machine: the journal, and the containers of its engine. */
export class Machine {
  bootId: string = randomUUID();
  /** Added to the clock of this machine, milliseconds. */
  clockMs = 0;
  /** Reports by id, in order; `acked` when TINK_IN has them. */
  readonly journal = new Map<string, { readonly report: Report; acked: boolean }>();
  /** Attempts whose container has run. */
  readonly ran = new Set<string>();

  /** Power off and on: an in-memory operating system forgets everything. */
  reset(): void {
    this.bootId = randomUUID();
    this.journal.clear();
    this.ran.clear();
  }

  now(): string {
    return new Date(Date.now() + this.clockMs).toISOString();
  }

  started({ workflowId, index, attempt }: Attempt): Report {
    const body = { workflowId, index, attempt, bootId: this.bootId, startedAt: this.now() };
    return this.write('started', { workflowId, index, attempt }, body);
  }

  finished({ workflowId, index, attempt }: Attempt, seconds: number, exitCode: number): Report {
    const outcome = exitCode === 0 ? 'succeeded' : 'failed';
    const body = {
      ...{ workflowId, index, attempt, outcome, reason: exitCode === 0 ? null : 'exit', exitCode },
      ...{ seconds, finishedAt: this.now(), message: '' },
    };
    return this.write('finished', { workflowId, index, attempt }, body);
  }

  /** What was written down first stays. */
  private write(kind: Report['kind'], of: Report['of'], body: object): Report {
    const id = reportId(of.workflowId, of.index, of.attempt, kind);
    const known = this.journal.get(id);
    if (known) return known.report;
    const report = { kind, id, body, of };
    this.journal.set(id, { report, acked: false });
    return report;
  }
}
