import type { ActionSpec, AnyEvent } from '@tinkerbell/events';
import type { Tone } from './wire';

type Told = readonly [text: string, tone?: Tone];

export interface Naming {
  readonly action: (index: number) => string;
  readonly machine: (hardwareId: string) => string;
}
type Teller<E extends AnyEvent> = (event: E, name: Naming) => Told;
type Tellers = { readonly [T in AnyEvent['type']]: Teller<Extract<AnyEvent, { readonly type: T }>> };

/** What happened to the subject, without naming it. A new event type goes here: without, this does not compile. */
const tellers = {
  LeaseBound: ({ data }) => [`leased ${data.ip}`],
  LeaseRenewed: ({ data }) => [`renewed ${data.ip}`],
  LeaseReleased: ({ data }) => [`released ${data.ip}`],
  LeaseDeclined: ({ data }) => [`declined ${data.ip}, which another machine uses`, 'warn'],
  LeaseRefused: ({ data }) => [`asked for ${data.requested}: ${data.reason}`, 'warn'],
  NetbootOffered: ({ data }) => [`was offered ${data.bootFile}`],
  BootFileServed: ({ data }) => [`fetched ${data.file} (${megabytes(data.bytes)}, ${data.protocol.toUpperCase()})`],
  BootScriptServed: ({ data }) => [scriptText[data.script]],
  OsieStarted: ({ data }) => [`started OSIE, ${Math.round(data.uptimeSeconds)} s after its kernel`, 'active'],
  MachinePhonedHome: () => ['booted its own disk and phoned home', 'good'],
  EnrolmentTokenIssued: () => ['got an enrolment token'],
  WorkerEnrolled: ({ data }) => [`enrolled its worker from ${data.address}`],
  WorkerReady: () => ['has a worker ready', 'active'],
  HardwareRegistered: () => ['was registered'],
  HardwareUpdated: () => ['was updated'],
  HardwareDeleted: () => ['was deleted'],
  TemplateCreated: () => ['was created'],
  TemplateUpdated: () => ['was updated'],
  TemplateDeleted: () => ['was deleted'],
  ClaimTaken: ({ data }) => [`was taken: ${data.value}`],
  SecretSet: ({ data }) => [`was given a value, version ${data.version}`],
  SecretDeleted: () => ['was deleted'],
  SubscriptionCreated: () => ['was created'],
  SubscriptionChanged: () => ['was changed'],
  SubscriptionDisabled: ({ data }) => [`was disabled${because(data.reason)}`, 'warn'],
  SubscriptionEnabled: () => ['was enabled'],
  SubscriptionDeleted: () => ['was deleted'],
  DeliveryFailed: ({ data }) => [`did not take ${data.eventType}${because(data.reason)}`, 'bad'],
  DeadLetterRedelivered: ({ data }) => [`took ${data.eventId} after all`],
  AuditCheckpointed: ({ data }) => [`log signed up to position ${data.position}`],
  WorkflowCreated: ({ data }, { machine }) => [
    `was ordered for ${workers(data.actions).map(machine).join(', ')}` +
      (data.origin === null ? '' : `, to repeat ${data.origin.workflowId.slice(0, 8)}`),
  ],
  ActionStarted: ({ data }, { action }) => [`started ${action(data.index)}${attempt(data.attempt)}`, 'active'],
  ActionSucceeded: ({ data }, { action }) => [`finished ${action(data.index)} in ${seconds(data.seconds)}`, 'good'],
  ActionFailed: ({ data }, { action }) => [`failed at ${action(data.index)}: ${howItFailed(data)}`, 'bad'],
  ActionTimedOut: ({ data }, { action }) => [
    `ran out of time at ${action(data.index)}, after ${seconds(data.seconds)}`,
    'bad',
  ],
  ActionAttemptFailed: ({ data }, { action }) => [
    `${data.outcome === 'failed' ? `failed (${howItFailed(data)})` : 'ran out of time'} at try ${data.attempt} of ` +
      `${action(data.index)}, which is tried again`,
    'warn',
  ],
  ActionSkipped: ({ data }, { action }) => [
    `skipped ${action(data.index)}${data.by === 'condition' ? ', by its condition' : `: ${data.reason}`}`,
  ],
  ActionInherited: ({ data }, { action }) => [
    `takes ${action(data.index)} over from ${data.workflowId.slice(0, 8)}`,
    'good',
  ],
  ActionApprovalRequested: ({ data }, { action }) => [
    `waits for the approval of ${action(data.index)}${because(data.message)}`,
    'warn',
  ],
  ActionApproved: ({ data }, { action }) => [`may run ${action(data.index)}: approved${because(data.reason)}`, 'good'],
  ActionRejected: ({ data }, { action }) => [
    `must not run ${action(data.index)}: rejected${because(data.reason)}`,
    'bad',
  ],
  ActionOutcomeUnknown: ({ data }, { action }) => [
    `was started anew during ${action(data.index)}: nobody knows what became of it`,
    'warn',
  ],
  ActionOutcomeResolved: ({ data }, { action }) => [
    `takes ${action(data.index)} for ${resolutions[data.as]}${data.by === 'policy' ? ', by its onReboot' : because(data.reason)}`,
  ],
  ActionPermitGranted: ({ data }, { action }) => [
    `was permitted to run ${action(data.index)}, which destroys data${attempt(data.attempt)}`,
    'warn',
  ],
  ActionCancelled: ({ data }, { action }) => [
    data.confirmed
      ? `stopped ${action(data.index)}: it was cancelled`
      : `did not confirm that it stopped ${action(data.index)}`,
    'warn',
  ],
  ActionHandlerFinished: ({ data }, { action }) => [`ran ${data.handler} of ${action(data.index)}`, 'warn'],
  WorkflowTimedOut: ({ data }) => [`ran into its limit of ${seconds(data.globalTimeoutSeconds)}`, 'bad'],
  WorkflowDataUpdated: ({ data }) => [`wrote version ${data.version} of the workflow's data`],
  WorkflowDeleted: () => ['was deleted'],
  WorkflowPaused: ({ data }) => [`was paused${because(data.reason)}`, 'warn'],
  WorkflowResumed: ({ data }) => [`was resumed${because(data.reason)}`],
  WorkflowCancelRequested: ({ data }) => [`is to be cancelled${because(data.reason)}`, 'warn'],
  WorkflowFinished: ({ data: { status, index } }, { action }) => {
    if (status === 'success') return ['has succeeded', 'good'];
    if (status === 'cancelled') return ['was cancelled', 'warn'];
    return [
      `has ${status === 'failed' ? 'failed' : 'timed out'}${index === null ? '' : ` at ${action(index)}`}`,
      'bad',
    ];
  },
  MachinesTaken: ({ data: { workerIds } }) => [
    workerIds.length === 0
      ? 'took no machine: a server stopped in the middle of it'
      : `took its ${workerIds.length} machines`,
  ],
  WorkflowDelayed: ({ data }) => [`is late: ${data.message === '' ? delays[data.cause] : data.message}`, 'warn'],
  ReportRefused: ({ data }, { action }) => [
    `had a report of ${action(data.index)} refused: ${data.message === '' ? data.code : data.message}`,
    'warn',
  ],
} as const satisfies Tellers;

export function tell(event: AnyEvent, name: Naming): Told {
  if (!Object.hasOwn(tellers, event.type)) return [event.type];
  // The table has for each type the teller that takes its events.
  return (tellers[event.type] as Teller<AnyEvent>)(event, name);
}

const resolutions = {
  succeeded: 'succeeded',
  failed: 'failed',
  restart: 'not done, and runs it again',
  resume: 'begun, and goes on',
} as const;

const delays = {
  'machine-never-booted': 'its machine has not booted',
  'worker-never-showed-up': 'its worker has not shown up',
  'worker-silent': 'its worker is silent',
} as const;

function howItFailed({
  exitCode,
  reason,
}: {
  readonly exitCode: number | null;
  readonly reason: string | null;
}): string {
  return exitCode === null ? (reason ?? 'no exit code') : `exit code ${exitCode}`;
}

function because(message: string): string {
  return message === '' ? '' : `: ${message}`;
}

const scriptText = {
  osie: 'got its boot script: start OSIE',
  local: 'got its boot script: boot the local disk',
  custom: 'got its own boot script',
} as const;

function attempt(number: number): string {
  return number > 1 ? ` (attempt ${number})` : '';
}

function workers(actions: readonly ActionSpec[]): readonly string[] {
  return [...new Set(actions.map(({ workerId }) => workerId))];
}

function megabytes(bytes: number): string {
  return bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function seconds(value: number): string {
  return value < 60 ? `${Math.round(value * 10) / 10} s` : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}
