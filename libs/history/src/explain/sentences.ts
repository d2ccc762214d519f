import { formatMac } from '@tinkerbell/domain';
import type { AnyEvent, FailureReason, HardwareRecord, Recorded } from '@tinkerbell/events';
import { took } from '../duration-text';

/** Words for what events name by number only. */
export interface Names {
  /** Of an action of a workflow, in quotes; `action 3` when it is not known. */
  action(workflowId: string, index: number): string;
}

type Sentence<E extends AnyEvent> = (recorded: Recorded<E>, names: Names) => string;
type Sentences = { readonly [T in AnyEvent['type']]: Sentence<Extract<AnyEvent, { readonly type: T }>> };

/** What people, rules and restarts of machines decide of a workflow and its actions. */
const decisions = {
  ActionAttemptFailed: ({ event: { data }, aggregateId }, names) =>
    `attempt ${data.attempt} of ${names.action(aggregateId, data.index)} ` +
    `${data.outcome === 'timed-out' ? 'ran out of time' : 'failed'} after ${took(data.seconds)}` +
    `${data.outcome === 'failed' ? `: ${howItFailed(data.exitCode, data.reason)}` : ''}${because(data.message)}; ` +
    `it is tried again, not before ${data.retryAt}`,
  ActionSkipped: ({ event: { data }, aggregateId, metadata }, names) =>
    data.by === 'condition'
      ? `${names.action(aggregateId, data.index)} was skipped by its condition${because(data.reason)}`
      : `${who(metadata.actor)} skipped ${names.action(aggregateId, data.index)}${because(data.reason)}`,
  ActionInherited: ({ event: { data }, aggregateId }, names) =>
    `${names.action(aggregateId, data.index)} was taken over: it had succeeded in workflow ${data.workflowId}`,
  ActionApprovalRequested: ({ event: { data }, aggregateId }, names) =>
    `${names.action(aggregateId, data.index)} needs the approval of a person${because(data.message)}`,
  ActionApproved: ({ event: { data }, aggregateId, metadata }, names) =>
    `${who(metadata.actor)} approved ${names.action(aggregateId, data.index)}${because(data.reason)}`,
  ActionRejected: ({ event: { data }, aggregateId, metadata }, names) =>
    `${who(metadata.actor)} rejected ${names.action(aggregateId, data.index)}, which counts as a failure${because(data.reason)}`,
  ActionOutcomeUnknown: ({ event: { data }, aggregateId }, names) =>
    `the machine was started anew ${took(data.seconds)} into ${names.action(aggregateId, data.index)}: ` +
    `nobody knows what it has done${because(data.message)}`,
  ActionOutcomeResolved: ({ event: { data }, aggregateId, metadata }, names) =>
    `${data.by === 'policy' ? 'the policy of the action' : who(metadata.actor)} resolved the unknown outcome of ` +
    `${names.action(aggregateId, data.index)}: ${resolutions[data.as]}${because(data.reason)}`,
  ActionPermitGranted: ({ event: { data }, aggregateId }, names) =>
    `the server permitted the destructive ${names.action(aggregateId, data.index)} once, on the disks ` +
    `${data.disks.join(', ')}, to begin before ${data.expiresAt}`,
  ActionCancelled: ({ event: { data }, aggregateId }, names) =>
    `${names.action(aggregateId, data.index)} was cancelled after ${took(data.seconds)}` +
    `${data.confirmed ? '' : '; its worker did not confirm that it has stopped'}${because(data.message)}`,
  WorkflowPaused: ({ event, metadata }) =>
    `${who(metadata.actor)} paused the workflow: no further action starts${because(event.data.reason)}`,
  WorkflowResumed: ({ event, metadata }) => `${who(metadata.actor)} resumed the workflow${because(event.data.reason)}`,
  WorkflowCancelRequested: ({ event, metadata }) =>
    `${who(metadata.actor)} cancelled the workflow${because(event.data.reason)}`,
  WorkflowFinished: ({ event: { data } }) => `the workflow ${endings[data.status]}${because(data.reason)}`,
  MachinesTaken: ({ event: { data } }) =>
    data.workerIds.length === 0
      ? 'the workflow took no machine: a server stopped in the middle of it'
      : `the workflow took its ${data.workerIds.length} machines, all at once`,
  WorkflowDelayed: ({ event: { data } }) =>
    `the workflow is late: ${delays[data.cause]} for ${took(data.afterSeconds)}${because(data.message)}`,
  ReportRefused: ({ event: { data }, aggregateId }, names) =>
    `a report of the worker about ${names.action(aggregateId, data.index)}, attempt ${data.attempt}, was refused ` +
    `and changed nothing: ${data.kind}${data.outcome === null ? '' : ` (${data.outcome})`}, ${data.code}${because(data.message)}`,
} satisfies Partial<Sentences>;

/** What is about neither a machine nor a workflow. */
const others = {
  ClaimTaken: ({ event: { data } }) => `the ${data.kind} ${data.value} was claimed for ${data.owner}`,
  SecretSet: ({ event, metadata, aggregateId }) =>
    `${who(metadata.actor)} set the secret "${aggregateId}" (version ${event.data.version})`,
  SecretDeleted: ({ metadata, aggregateId }) => `${who(metadata.actor)} deleted the secret "${aggregateId}"`,
  SubscriptionCreated: ({ metadata, aggregateId }) => `${who(metadata.actor)} made the subscription "${aggregateId}"`,
  SubscriptionChanged: ({ metadata, aggregateId }) =>
    `${who(metadata.actor)} changed the subscription "${aggregateId}"`,
  SubscriptionDisabled: ({ event, aggregateId }) =>
    `the subscription "${aggregateId}" was disabled${because(event.data.reason)}`,
  SubscriptionEnabled: ({ metadata, aggregateId }) =>
    `${who(metadata.actor)} enabled the subscription "${aggregateId}"`,
  SubscriptionDeleted: ({ metadata, aggregateId }) =>
    `${who(metadata.actor)} deleted the subscription "${aggregateId}"`,
  DeliveryFailed: ({ event: { data }, aggregateId }) =>
    `event ${data.eventId} did not reach the subscription "${aggregateId}" in ${data.attempts} attempts${because(data.reason)}`,
  DeadLetterRedelivered: ({ event, aggregateId }) =>
    `event ${event.data.eventId} was delivered to the subscription "${aggregateId}" after all`,
  AuditCheckpointed: ({ event }) => `the log was signed up to position ${event.data.position}`,
} satisfies Partial<Sentences>;

/** Event type → what it means, a sentence without its full stop. A new event type goes here: without, this does not compile. */
const sentences = {
  ...decisions,
  ...others,
  HardwareRegistered: ({ event, metadata }) =>
    `${who(metadata.actor)} registered the machine${interfaces(event.data.hardware)}`,
  HardwareUpdated: ({ event, metadata }) =>
    `${who(metadata.actor)} changed the record of the machine${interfaces(event.data.hardware)}`,
  HardwareDeleted: ({ metadata }) =>
    `${who(metadata.actor)} deleted the record of the machine: it gets no answer any more`,
  TemplateCreated: ({ event, metadata, version }) =>
    `${who(metadata.actor)} made the template "${event.data.name}" (version ${version})`,
  TemplateUpdated: ({ event, metadata, version }) =>
    `${who(metadata.actor)} changed the template "${event.data.name}" (version ${version})`,
  TemplateDeleted: ({ metadata }) => `${who(metadata.actor)} deleted the template`,
  LeaseBound: ({ event: { data } }) =>
    `the machine asked for an address and was leased ${data.ip} for ${took(data.leaseSeconds)}${relay(data.giaddr)}`,
  LeaseRenewed: ({ event: { data } }) =>
    `the machine renewed its lease of ${data.ip}: it is good until ${data.expiresAt}`,
  LeaseReleased: ({ event }) => `the machine gave ${event.data.ip} back`,
  LeaseDeclined: ({ event: { data } }) =>
    `the machine declined ${data.ip}, which it found in use by another${because(data.message)}`,
  LeaseRefused: ({ event: { data } }) =>
    `the machine asked for ${data.requested} and was refused${because(data.reason)}`,
  NetbootOffered: ({ event: { data } }) =>
    `the machine asked to boot from the network (${data.client}${data.arch === null ? '' : `, architecture ${data.arch}`}) ` +
    `and was offered ${data.bootFile}`,
  BootFileServed: ({ event: { data } }) =>
    `it loaded ${data.file} (${data.role === 'other' ? '' : `${data.role}, `}${data.bytes} bytes) ` +
    `by ${data.protocol.toUpperCase()} in ${took(data.seconds)}`,
  BootScriptServed: ({ event: { data } }) => bootScripts[data.script](data.expiresAt),
  OsieStarted: ({ event }) => `the in-memory OS was up ${took(event.data.uptimeSeconds)} after its kernel started`,
  MachinePhonedHome: ({ event: { data } }) =>
    `the installed system came up and called home from ${data.address}${data.kind === '' ? '' : ` (${data.kind})`}`,
  EnrolmentTokenIssued: ({ event, metadata }) =>
    `${who(metadata.actor)} had a one-time token made for its worker, good until ${event.data.expiresAt}`,
  WorkerEnrolled: ({ event: { data } }) =>
    `its worker enrolled from ${data.address} and got a credential that is good until ${data.expiresAt}`,
  WorkerReady: ({ event: { data } }) => `its worker asked for work (${data.engine}, kernel ${data.kernel})`,
  WorkflowCreated: ({ event: { data }, metadata, aggregateId }) =>
    `${who(metadata.actor)} created workflow ${aggregateId} from version ${data.templateVersion} of the template ` +
    `"${data.templateName}" for ${devices(data.devices)}: ${data.actions.length} action${data.actions.length === 1 ? '' : 's'}`,
  ActionStarted: ({ event: { data }, aggregateId }, names) =>
    `the worker started ${names.action(aggregateId, data.index)}${data.attempt > 1 ? `, attempt ${data.attempt}` : ''}`,
  ActionSucceeded: ({ event: { data }, aggregateId }, names) =>
    `${names.action(aggregateId, data.index)} succeeded in ${took(data.seconds)}`,
  ActionFailed: ({ event: { data }, aggregateId }, names) =>
    `${names.action(aggregateId, data.index)} failed after ${took(data.seconds)}: ` +
    `${howItFailed(data.exitCode, data.reason)}${because(data.message)}`,
  ActionTimedOut: ({ event: { data }, aggregateId }, names) =>
    `${names.action(aggregateId, data.index)} ran out of time after ${took(data.seconds)} and was ` +
    `${data.firedBy === 'worker' ? 'stopped by its worker' : 'given up by the server'}${because(data.message)}`,
  ActionHandlerFinished: ({ event: { data }, aggregateId }, names) =>
    `the ${data.handler} command of ${names.action(aggregateId, data.index)} ` +
    `${data.exitCode === null ? 'did not run' : `ended with exit code ${data.exitCode}`}${because(data.message)}`,
  WorkflowTimedOut: ({ event: { data }, aggregateId }, names) =>
    `the workflow ran out of its ${took(data.globalTimeoutSeconds)}` +
    `${data.index === null ? '' : ` during ${names.action(aggregateId, data.index)}`}`,
  WorkflowDataUpdated: ({ event: { data } }) =>
    `version ${data.version} of the workflow's data was stored${data.action === '' ? '' : ` by "${data.action}"`}`,
  WorkflowDeleted: ({ metadata }) => `${who(metadata.actor)} deleted the workflow`,
} satisfies Sentences;

/** An event of a newer release is told by its name: `ActionRetried` → `action retried`. */
export function sentenceOf(recorded: Recorded<AnyEvent>, names: Names): string {
  const { type } = recorded.event;
  if (!Object.hasOwn(sentences, type)) return byName(recorded, names);
  // The table has for each type the sentence that takes its events.
  return (sentences[type] as Sentence<AnyEvent>)(recorded, names);
}

function byName({ event, aggregateId, metadata }: Recorded, names: Names): string {
  const words = event.type.replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ').toLowerCase();
  const { index } = (event.data ?? {}) as { readonly index?: unknown };
  const about = typeof index === 'number' ? ` (${names.action(aggregateId, index)})` : '';
  return `${words}${about}, by ${who(metadata.actor)}`;
}

const failureTexts = {
  exit: 'it exited',
  pull: 'its image could not be pulled',
  create: 'its container could not be made',
  start: 'its container could not be started',
  engine: 'the container engine failed',
  refused: 'its worker refused it',
  'unknown-outcome': 'the machine restarted meanwhile, so nobody knows whether it took effect',
} as const satisfies Readonly<Record<FailureReason, string>>;

/** In a clause, after a colon. */
export function howItFailed(exitCode: number | null, reason: FailureReason | null): string {
  return exitCode === null ? failureTexts[reason ?? 'exit'] : `exit code ${exitCode}`;
}

const endings = { success: 'succeeded', failed: 'failed', timeout: 'ran out of time', cancelled: 'was cancelled' };

const resolutions = {
  succeeded: 'it counts as done',
  failed: 'it counts as failed',
  restart: 'it is run again',
  resume: 'it goes on where it was',
};

const delays = {
  'machine-never-booted': 'its machine has not booted',
  'worker-never-showed-up': 'its worker has not shown up',
  'worker-silent': 'its worker has said nothing',
};

const bootScripts = {
  osie: (expiresAt: string | null) =>
    `it was told to boot the in-memory OS${expiresAt === null ? '' : `, with a one-time token that is good until ${expiresAt}`}`,
  local: () => 'it was told to boot its own disk',
  custom: () => "it was given its record's own iPXE script",
} as const;

/** `user:admin` → `admin`. */
function who(actor: string): string {
  const [kind = '', name] = actor.split(/:(.*)/s);
  if (kind === 'worker') return 'the worker';
  if (kind === 'reactor') return 'the server';
  return name === undefined || name === '' ? kind : name;
}

function interfaces({ network }: HardwareRecord): string {
  const texts = network.interfaces.map(({ dhcp }) =>
    [dhcp.hostname, formatMac(dhcp.mac), dhcp.ip?.address ?? ''].filter((part) => part !== '').join(' '),
  );
  return texts.length === 0 ? '' : `: ${texts.join(', ')}`;
}

function devices(given: Readonly<Record<string, string>>): string {
  return Object.entries(given)
    .map(([name, address]) => `${name}=${address}`)
    .join(', ');
}

const relay = (giaddr: string | null) => (giaddr === null ? '' : `, through the relay ${giaddr}`);
const because = (message: string) => (message === '' ? '' : ` (${message})`);
