import type { AnyEvent, Event, Recorded } from '@tinkerbell/events';
import { tell } from '@tinkerbell/history';
import { colons } from './views';
import type { EventView } from './wire';

/** Names of things that events know by id only; undefined: unknown. */
export interface Names {
  readonly machine: (hardwareId: string) => string | undefined;
  readonly workflow: (workflowId: string) => string | undefined;
  readonly action: (workflowId: string, index: number) => string | undefined;
}

/** One event as a line of the feed. */
export function describeEvent(recorded: Recorded, names: Names): EventView {
  const { event, aggregate, aggregateId } = recorded;
  const { text, tone } = tell(recorded as Recorded<AnyEvent>, names.action);
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
