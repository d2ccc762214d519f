import { setMaxListeners } from 'node:events';
import { subjects, type ReportKind } from '@tinkerbell/messaging';
import type { Bus } from './bus/bus';
import type { Journal, JournalReport } from './journal/journal';
import { errorText, insist, type Pace } from './pace';
import type { WorkerLog } from './worker-log';

/**
 * Brings reports to TINK_IN: written to the journal first, then published with their id until acknowledged, however long that takes.
 * A repeated one is stored once, so nothing is lost and nothing is doubled.
 */
export class Reporter {
  private readonly givingUp = new AbortController();

  constructor(
    private readonly bus: Bus,
    private readonly journal: Journal,
    private readonly workerId: string,
    private readonly pace: Pace,
    private readonly log: WorkerLog,
  ) {
    setMaxListeners(0, this.givingUp.signal);
  }

  /** Writes it down and nothing else: from here on it survives a crash. A report with this id that is there already stays. */
  record(kind: ReportKind, id: string, body: object, after?: object): JournalReport {
    const known = this.journal.report(id);
    if (known) return known;
    const report = { id, subject: subjects.report(this.workerId, kind), body, ...(after ? { after } : {}) };
    this.journal.append({ t: 'report', report });
    return report;
  }

  /** Resolves when the stream has it. Rejects only when told to give up; the report stays in the journal. */
  async deliver(report: JournalReport): Promise<void> {
    if (this.journal.isAcked(report.id)) return;
    await this.publish(report);
    this.journal.append({ t: 'acked', id: report.id });
  }

  /** Sends it although it was acknowledged: the server does not seem to know of it. */
  async publish(report: JournalReport): Promise<void> {
    const { id, subject, body } = report;
    await insist(
      this.pace,
      this.givingUp.signal,
      async () => {
        if (!this.bus.connected) throw new Error('the bus is away');
        await this.bus.publish(subject, body, id);
      },
      (error, tries) => {
        if (tries === 1 || tries % 20 === 0) this.log.warn(`report ${id} not acknowledged yet: ${errorText(error)}`);
      },
    );
  }

  giveUp(): void {
    this.givingUp.abort();
  }
}
