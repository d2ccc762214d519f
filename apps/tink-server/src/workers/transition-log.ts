import type { AnyEvent, BootEvent, DhcpServiceEvent, LeaseEvent, Recorded } from '@tinkerbell/events';
import type { TinkReadModels } from '../projected-reads';
import { ServerLogger } from '../log';

/**
 * Writes one line at info level for every fact about hardware, templates, workflows and workers. Returns the end of it. The read models
 * have read the log already: it is not asked for a second time.
 */
export function logTransitions(readModels: Pick<TinkReadModels, 'onCommits'>): () => void {
  const logger = new ServerLogger('log');
  return readModels.onCommits((commits) => {
    for (const recorded of commits.flatMap(({ events }) => events)) {
      const line = transitionText(recorded);
      if (line !== undefined) logger.log(line);
    }
  });
}

/** undefined for what boots writes and logs itself. Names and numbers only: the rest of an event may hold secrets. */
export function transitionText({ aggregate, aggregateId, event, position, metadata }: Recorded): string | undefined {
  if (aggregate === 'lease' || aggregate === 'boot') return undefined;
  const known = Object.hasOwn(details, event.type);
  // The table has for each type the text that takes its events.
  const text = known ? (details[event.type as Logged['type']] as (event: AnyEvent) => string)(event as AnyEvent) : '';
  return `${position} ${aggregate} ${aggregateId} ${event.type}${text === '' ? '' : ` ${text}`} by ${metadata.actor}`;
}

type Logged = Exclude<AnyEvent, BootEvent | LeaseEvent | DhcpServiceEvent>;
type Details = { readonly [T in Logged['type']]: (event: Extract<AnyEvent, { readonly type: T }>) => string };

const nothing = () => '';
const attempt = ({ data }: { readonly data: { readonly index: number; readonly attempt: number } }) =>
  `action ${data.index} attempt ${data.attempt}`;
const action = ({ data }: { readonly data: { readonly index: number } }) => `action ${data.index}`;

/** A new event type goes here: without, this does not compile. */
const details = {
  HardwareRegistered: nothing,
  HardwareUpdated: nothing,
  HardwareDeleted: nothing,
  TemplateCreated: ({ data }) => data.name,
  TemplateUpdated: ({ data }) => data.name,
  TemplateDeleted: nothing,
  EnrolmentTokenIssued: nothing,
  WorkerEnrolled: ({ data }) => `from ${data.address}`,
  WorkerCredentialRenewed: ({ data }) => `from ${data.address}, good until ${data.expiresAt}`,
  WorkerReady: nothing,
  ClaimTaken: ({ data }) => `${data.kind} ${data.value} for ${data.owner}`,
  SecretSet: ({ data }) => `version ${data.version}`,
  SecretDeleted: nothing,
  SubscriptionCreated: nothing,
  SubscriptionChanged: nothing,
  SubscriptionDisabled: nothing,
  SubscriptionEnabled: nothing,
  SubscriptionDeleted: nothing,
  DeliveryFailed: ({ data }) => `of ${data.eventId} after ${data.attempts} attempts, status ${data.status}`,
  DeadLetterRedelivered: ({ data }) => `of ${data.eventId}`,
  AuditCheckpointed: ({ data }) => `up to ${data.position}`,
  WorkflowCreated: ({ data: { templateName, actions, origin } }) =>
    `of template ${templateName}, ${actions.length} actions` +
    (origin === null ? '' : `, repeats ${origin.workflowId} from action ${origin.from}`),
  ActionStarted: attempt,
  ActionSucceeded: attempt,
  ActionFailed: (event) => `${attempt(event)}: ${event.data.reason}, exit code ${event.data.exitCode}`,
  ActionTimedOut: (event) => `${attempt(event)}, fired by the ${event.data.firedBy}`,
  ActionAttemptFailed: (event) =>
    `${attempt(event)}: ${event.data.outcome}, ${event.data.reason ?? 'no reason'}, exit code ${event.data.exitCode}, ` +
    `next try at ${event.data.retryAt}`,
  ActionSkipped: (event) => `${action(event)} by ${event.data.by}`,
  ActionInherited: (event) => `${action(event)} from ${event.data.workflowId}`,
  ActionApprovalRequested: action,
  ActionApproved: action,
  ActionRejected: action,
  ActionOutcomeUnknown: attempt,
  ActionOutcomeResolved: (event) => `${attempt(event)} as ${event.data.as} by ${event.data.by}`,
  ActionPermitGranted: (event) =>
    `${attempt(event)} for ${event.data.disks.length} disks until ${event.data.expiresAt}`,
  ActionCancelled: (event) =>
    `${attempt(event)}, ${event.data.confirmed ? 'confirmed' : 'not confirmed'} by its worker`,
  ActionHandlerFinished: ({ data }) => `action ${data.index} ${data.handler}: exit code ${data.exitCode}`,
  WorkflowTimedOut: ({ data }) => `after ${data.globalTimeoutSeconds} s`,
  WorkflowDataUpdated: ({ data }) => `version ${data.version}, ${data.size} bytes`,
  WorkflowDeleted: nothing,
  WorkflowPaused: nothing,
  WorkflowResumed: nothing,
  WorkflowCancelRequested: nothing,
  WorkflowFinished: ({ data }) => `${data.status}${data.index === null ? '' : ` at action ${data.index}`}`,
  MachinesTaken: ({ data }) => data.workerIds.join(', '),
  WorkflowDelayed: ({ data }) => `${data.cause} of ${data.workerId} for ${data.afterSeconds} s`,
  ReportRefused: (event) => `${event.data.kind} of ${attempt(event)} from ${event.data.workerId}: ${event.data.code}`,
} as const satisfies Details;
