import {
  DomainError,
  enrolmentDecider,
  IllegalTransitionError,
  NotFoundError,
  workflowDecider,
} from '@tinkerbell/domain';
import { CommandIdReusedError, CommitTooLargeError, handle, type EventStore } from '@tinkerbell/event-store';
import {
  ReportsTakenOverError,
  subjects,
  type Lease,
  type NatsBus,
  type Report as Message,
  pause,
} from '@tinkerbell/messaging';
import { MalformedJsonError } from '../http/json-text';
import type { Metrics } from '../metrics';
import { loadWorkflow } from '../workflow/load-workflow';
import { isEarly } from './early-report';
import { readReport, UnknownReportError, type Report } from './report';
import { ServerLogger } from '../log';

/** Redeliveries, two seconds apart: longer than the broker takes to hand out again what a crash left unacknowledged. */
const patience = 30;
const slowestRetryMilliseconds = 10_000;

type Result = 'recorded' | 'repeated' | 'refused' | 'malformed';

/** Thrown to have the broker hand the report out again. */
class PutOffError extends Error {}

/**
 * Takes the workers' reports into the log, in order. One that can never be recorded is logged, counted and done with; while the log cannot
 * be reached the same report is tried again.
 */
export class IngressLoop {
  private readonly logger = new ServerLogger('ingress');

  constructor(
    private readonly store: EventStore,
    private readonly bus: NatsBus,
    private readonly metrics: Metrics,
    private readonly now: () => number,
  ) {}

  /** For one term of the lease: of all servers one takes reports, so that those of a worker stay in order. */
  async run({ signal, epoch }: Lease): Promise<void> {
    try {
      await this.bus.consumeReports((message) => this.take(message, signal), { signal, epoch });
    } catch (error) {
      if (!(error instanceof ReportsTakenOverError)) throw error;
      this.logger.warn(`another server takes the reports: ${error.message}`);
    }
  }

  private async take(message: Message, signal: AbortSignal): Promise<void> {
    for (let failures = 0; ; failures++) {
      if (signal.aborted) throw new PutOffError('the lease is lost');
      try {
        const result = await this.record(message);
        this.metrics.count('tink_reports_total', 'Reports of workers by result', { kind: kindOf(message), result });
        return;
      } catch (error) {
        if (error instanceof PutOffError || signal.aborted) throw error;
        this.logger.warn(`${message.subject} ${message.id} not recorded yet: ${String(error)}`);
        await pause(Math.min(100 * 2 ** failures, slowestRetryMilliseconds), signal);
      }
    }
  }

  private async record(message: Message): Promise<Result> {
    const report = this.read(message);
    if (!report) return 'malformed';
    try {
      return (await this.append(report, message.workerId)) ? 'recorded' : 'repeated';
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const mayPass = error instanceof IllegalTransitionError && message.redeliveries < patience;
      if (mayPass && (await this.isEarly(report))) {
        this.logger.debug(`${message.subject} ${message.id} put off: ${error.message}`);
        throw new PutOffError(error.message);
      }
      this.logger.warn(`${message.subject} ${message.id} refused: ${error.message}`);
      await this.remember(report, message, error);
      return 'refused';
    }
  }

  private read(message: Message): Report | undefined {
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(message.bytes);
      return readReport(message.workerId, message.kind, text, message.id, new Date(this.now()).toISOString());
    } catch (error) {
      const isTheirs = error instanceof DomainError || error instanceof MalformedJsonError;
      if (!isTheirs && !(error instanceof UnknownReportError) && !(error instanceof TypeError)) throw error;
      this.logger.warn(`${message.subject} ${message.id} malformed: ${error.message}`);
      return undefined;
    }
  }

  private async append(report: Report, workerId: string): Promise<boolean> {
    const actor = `worker:${workerId}`;
    if (report.aggregate === 'enrolment') {
      const metadata = { id: report.id, actor };
      const stream = subjects.stream('enrolment', workerId);
      return (await handle(this.store, enrolmentDecider, stream, report.command, metadata)).changed;
    }
    const metadata = { id: report.id, actor, correlationId: report.workflowId };
    const stream = subjects.stream('workflow', report.workflowId);
    return (await handle(this.store, workflowDecider, stream, report.command, metadata)).changed;
  }

  /** A refused report changes nothing, and is part of the story of its workflow. */
  private async remember(report: Report, { workerId, kind, id }: Message, error: Error): Promise<void> {
    if (report.aggregate !== 'workflow' || error instanceof NotFoundError) return;
    const { command } = report;
    if (!('index' in command) || !('attempt' in command)) return;
    const { index, attempt } = command;
    const outcome = command.type === 'FinishAction' ? command.outcome : null;
    const code = error instanceof DomainError ? error.code : 'CONFLICT';
    const refused = {
      type: 'RecordRefusal',
      kind,
      index,
      attempt,
      workerId,
      outcome,
      code,
      message: error.message,
    } as const;
    const metadata = { id: `${workerId}:${id}:refused`, actor: `worker:${workerId}`, correlationId: report.workflowId };
    await handle(this.store, workflowDecider, subjects.stream('workflow', report.workflowId), refused, metadata);
  }

  private async isEarly(report: Report): Promise<boolean> {
    if (report.aggregate !== 'workflow') return false;
    return isEarly(report.command, await loadWorkflow(this.store, report.workflowId));
  }
}

function isRefusal(error: unknown): error is Error {
  return error instanceof DomainError || error instanceof CommandIdReusedError || error instanceof CommitTooLargeError;
}

/** A worker names its kinds freely within its subjects; metrics take only those that exist. */
function kindOf({ kind }: Message): string {
  return ['ready', 'started', 'finished', 'handler'].includes(kind) ? kind : 'other';
}
