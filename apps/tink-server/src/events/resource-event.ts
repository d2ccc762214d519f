import type { Recorded } from '@tinkerbell/events';
import { presentHardware } from '@tinkerbell/domain';
import type { HardwareEvent } from '@tinkerbell/events';

export type ResourceType = 'RESOURCE_TYPE_TEMPLATE' | 'RESOURCE_TYPE_HARDWARE' | 'RESOURCE_TYPE_WORKFLOW';
export type ChangeType = 'EVENT_TYPE_CREATED' | 'EVENT_TYPE_UPDATED' | 'EVENT_TYPE_DELETED';

/** A fact as clients of the originals know it: something about a resource was created, updated or deleted. */
export interface ResourceEvent {
  readonly id: string;
  readonly resource_id: string;
  readonly resource_type: ResourceType;
  readonly event_type: ChangeType;
  /** JSON text of the resource, or of what changed about it. */
  readonly data: string;
  /** ISO 8601. */
  readonly at: string;
}

/** An empty list stands for any. */
export interface ResourceFilter {
  readonly resource_id: string;
  readonly event_types: readonly string[];
  readonly resource_types: readonly string[];
}

const resources: Readonly<Record<string, ResourceType>> = {
  template: 'RESOURCE_TYPE_TEMPLATE',
  hardware: 'RESOURCE_TYPE_HARDWARE',
  workflow: 'RESOURCE_TYPE_WORKFLOW',
};
const changes: Readonly<Record<string, ChangeType>> = {
  HardwareRegistered: 'EVENT_TYPE_CREATED',
  TemplateCreated: 'EVENT_TYPE_CREATED',
  WorkflowCreated: 'EVENT_TYPE_CREATED',
  HardwareDeleted: 'EVENT_TYPE_DELETED',
  TemplateDeleted: 'EVENT_TYPE_DELETED',
  WorkflowDeleted: 'EVENT_TYPE_DELETED',
};

/** undefined for facts about other things (leases, boots, workers). A change of a workflow's state is an update of the workflow. */
export function resourceEvent(recorded: Recorded): ResourceEvent | undefined {
  const resource_type = resources[recorded.aggregate];
  if (!resource_type) return undefined;
  const { aggregateId, at, event, position, index } = recorded;
  return {
    id: `${position}-${index}`,
    resource_id: aggregateId,
    resource_type,
    event_type: changes[event.type] ?? 'EVENT_TYPE_UPDATED',
    data: JSON.stringify(dataOf(recorded)),
    at,
  };
}

export function passes(
  event: Pick<ResourceEvent, 'resource_id' | 'event_type' | 'resource_type'>,
  filter: ResourceFilter,
) {
  return (
    (filter.resource_id === '' || filter.resource_id === event.resource_id) &&
    any(filter.event_types, event.event_type) &&
    any(filter.resource_types, event.resource_type)
  );
}

function any(list: readonly string[], value: string): boolean {
  return list.length === 0 || list.includes(value);
}

function dataOf({ aggregate, aggregateId, event }: Recorded): unknown {
  if (aggregate === 'hardware' && event.type !== 'HardwareDeleted') {
    return presentHardware((event.data as Exclude<HardwareEvent, { type: 'HardwareDeleted' }>['data']).hardware);
  }
  return { id: aggregateId, type: event.type, ...(event.data as object) };
}
