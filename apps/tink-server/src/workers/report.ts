import { InvalidDocumentError, type EnrolmentCommand, type WorkflowCommand } from '@tinkerbell/domain';
import { isDeeper, maxOutputsBytes, maxOutputsDepth, reportId } from '@tinkerbell/messaging';
import { checked } from '../http/checked.dto';
import { parseJson } from '../http/json-text';
import { FinishedReportDto, HandlerReportDto, ReadyReportDto, StartedReportDto } from './worker-reports.dto';

/** What a worker's report asks for. `id`: the command id, so that a report that arrives twice is recorded once. */
export type Report =
  | {
      readonly aggregate: 'workflow';
      readonly workflowId: string;
      readonly id: string;
      readonly command: WorkflowCommand;
    }
  | { readonly aggregate: 'enrolment'; readonly id: string; readonly command: EnrolmentCommand };

export class UnknownReportError extends Error {}

/**
 * Reads one message of TINK_IN. The worker is the one of the subject: the broker lets nobody else publish there. The command id is made
 * of the content, not taken from the header, lest a worker use up another's id. `now`: the server's clock, ISO 8601. Throws InvalidDocumentError and MalformedJsonError.
 */
export function readReport(workerId: string, kind: string, text: string, messageId: string, now: string): Report {
  const body = parseJson(text);
  refuseDeep(body, kind);
  switch (kind) {
    case 'ready': {
      const { bootId: _, ...ready } = checked(ReadyReportDto, body, 'ready report');
      return { aggregate: 'enrolment', id: `${workerId}:${messageId}`, command: { type: 'RecordReady', ...ready } };
    }
    case 'started': {
      const { workflowId, ...started } = checked(StartedReportDto, body, 'started report');
      return workflowReport(workflowId, kind, { type: 'StartAction', workerId, ...started });
    }
    case 'finished': {
      const { workflowId, ...finished } = checked(FinishedReportDto, body, 'finished report');
      refuseLargeOutputs(finished.outputs);
      return workflowReport(workflowId, kind, { type: 'FinishAction', workerId, ...finished, now });
    }
    case 'handler': {
      const { workflowId, ...handler } = checked(HandlerReportDto, body, 'handler report');
      return workflowReport(workflowId, kind, { type: 'FinishHandler', workerId, ...handler });
    }
    default:
      throw new UnknownReportError(`there is no report ${JSON.stringify(kind)}`);
  }
}

/** Before anything walks it: a stack that overflows is no fault that passes, and the report would be tried for ever. */
function refuseDeep(body: unknown, kind: string): void {
  if (!isDeeper(body, maxOutputsDepth + 1)) return;
  const message = `is nested deeper than ${maxOutputsDepth}`;
  throw new InvalidDocumentError(`${kind} report`, [{ path: 'outputs', message }]);
}

function refuseLargeOutputs(outputs: object | undefined): void {
  const bytes = outputs === undefined ? 0 : Buffer.byteLength(JSON.stringify(outputs));
  if (bytes <= maxOutputsBytes) return;
  const message = `${bytes} bytes are more than the ${maxOutputsBytes} that an action may hand on`;
  throw new InvalidDocumentError('finished report', [{ path: 'outputs', message }]);
}

function workflowReport(
  workflowId: string,
  kind: string,
  command: Extract<WorkflowCommand, { readonly index: number; readonly attempt: number }>,
): Report {
  return { aggregate: 'workflow', workflowId, id: reportId(workflowId, command.index, command.attempt, kind), command };
}
