import type { ActionSpec, AnyEvent, Event, Recorded } from '@tinkerbell/events';
import { colons } from './views';
import type { EventView, Tone } from './wire';

/** Names of things that events know by id only; undefined: unknown. */
export interface Names {
  readonly machine: (hardwareId: string) => string | undefined;
  readonly workflow: (workflowId: string) => string | undefined;
  readonly action: (workflowId: string, index: number) => string | undefined;
}

type Told = readonly [text: string, tone?: Tone];

/** One event as a line of the feed. An event that this release does not know keeps its type as its text. */
export function describeEvent(recorded: Recorded, names: Names): EventView {
  const { event, aggregate, aggregateId } = recorded;
  const action = (index: number) => names.action(aggregateId, index) ?? `action ${index + 1}`;
  const [text, tone = 'neutral'] = tell(event as AnyEvent, action, (id) => names.machine(id) ?? id) ?? [event.type];
  return {
    id: `${recorded.position}.${recorded.index}`,
    at: recorded.at,
    aggregate,
    aggregateId,
    type: event.type,
    actor: recorded.metadata.actor,
    text,
    subject: subjectOf(recorded, names),
    tone,
  };
}

function subjectOf({ aggregate, aggregateId, event }: Recorded, names: Names): string {
  const data = (event as Event<string, number, Readonly<Record<string, unknown>>>).data;
  const hardwareId = typeof data['hardwareId'] === 'string' ? data['hardwareId'] : undefined;
  const mac = typeof data['mac'] === 'string' ? colons(data['mac']) : undefined;
  const known = event as AnyEvent;
  if (known.type === 'WorkflowCreated') return known.data.templateName;
  if (aggregate === 'workflow' && 'workerId' in known.data)
    return names.machine(known.data.workerId) ?? known.data.workerId;
  if (known.type === 'HardwareRegistered' || known.type === 'HardwareUpdated') {
    return known.data.hardware.network.interfaces[0]?.dhcp.hostname || (names.machine(aggregateId) ?? aggregateId);
  }
  if (aggregate === 'workflow') return names.workflow(aggregateId) ?? aggregateId;
  if (aggregate === 'hardware' || aggregate === 'enrolment') return names.machine(aggregateId) ?? aggregateId;
  if (aggregate === 'template') return typeof data['name'] === 'string' ? data['name'] : aggregateId;
  return (hardwareId === undefined ? undefined : names.machine(hardwareId)) ?? mac ?? aggregateId;
}

type NameAction = (index: number) => string;
type NameMachine = (hardwareId: string) => string;

function tell(event: AnyEvent, action: NameAction, machine: NameMachine): Told | undefined {
  return tellMachine(event) ?? tellWorkflow(event, action, machine) ?? tellRecord(event);
}

function tellMachine(event: AnyEvent): Told | undefined {
  switch (event.type) {
    case 'LeaseBound':
      return [`leased ${event.data.ip}`];
    case 'LeaseRenewed':
      return [`renewed ${event.data.ip}`];
    case 'LeaseReleased':
      return [`released ${event.data.ip}`];
    case 'LeaseDeclined':
      return [`declined ${event.data.ip}, which another machine uses`, 'warn'];
    case 'LeaseRefused':
      return [`asked for ${event.data.requested}: ${event.data.reason}`, 'warn'];
    case 'NetbootOffered':
      return [`was offered ${event.data.bootFile}`];
    case 'BootFileServed':
      return [`fetched ${event.data.file} (${megabytes(event.data.bytes)}, ${event.data.protocol.toUpperCase()})`];
    case 'BootScriptServed':
      return [scriptText[event.data.script]];
    case 'OsieStarted':
      return [`started OSIE, ${Math.round(event.data.uptimeSeconds)} s after its kernel`, 'active'];
    case 'MachinePhonedHome':
      return ['booted its own disk and phoned home', 'good'];
    case 'AuditCheckpointed':
      return [`log signed up to position ${event.data.position}`];
    case 'EnrolmentTokenIssued':
      return ['got an enrolment token'];
    case 'WorkerEnrolled':
      return [`enrolled its worker from ${event.data.address}`];
    case 'WorkerReady':
      return ['has a worker ready', 'active'];
    default:
      return undefined;
  }
}

function tellWorkflow(event: AnyEvent, action: NameAction, machine: NameMachine): Told | undefined {
  switch (event.type) {
    case 'WorkflowCreated':
      return [`was ordered for ${workers(event.data.actions).map(machine).join(', ')}`];
    case 'ActionStarted':
      return [`started ${action(event.data.index)}${attempt(event.data.attempt)}`, 'active'];
    case 'ActionSucceeded':
      return [`finished ${action(event.data.index)} in ${seconds(event.data.seconds)}`, 'good'];
    case 'ActionFailed': {
      const { index, exitCode, reason } = event.data;
      return [`failed at ${action(index)}: ${exitCode === null ? reason : `exit code ${exitCode}`}`, 'bad'];
    }
    case 'ActionTimedOut':
      return [`ran out of time at ${action(event.data.index)}, after ${seconds(event.data.seconds)}`, 'bad'];
    case 'ActionHandlerFinished':
      return [`ran ${event.data.handler} of ${action(event.data.index)}`, 'warn'];
    case 'WorkflowTimedOut':
      return [`ran into its limit of ${seconds(event.data.globalTimeoutSeconds)}`, 'bad'];
    case 'WorkflowDataUpdated':
      return [`wrote version ${event.data.version} of the workflow's data`];
    case 'WorkflowDeleted':
      return ['was deleted'];
    default:
      return undefined;
  }
}

function tellRecord(event: AnyEvent): Told | undefined {
  switch (event.type) {
    case 'HardwareRegistered':
      return ['was registered'];
    case 'HardwareUpdated':
      return ['was updated'];
    case 'HardwareDeleted':
      return ['was deleted'];
    case 'TemplateCreated':
      return ['was created'];
    case 'TemplateUpdated':
      return ['was updated'];
    case 'TemplateDeleted':
      return ['was deleted'];
    default:
      return undefined;
  }
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
