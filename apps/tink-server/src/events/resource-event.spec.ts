import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Event, Recorded } from '@tinkerbell/events';
import { hardwareRecord } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { passes, resourceEvent } from './resource-event';

interface Case {
  readonly name: string;
  readonly event: Partial<Record<'resource_id' | 'resource_type' | 'event_type', string>>;
  readonly watch: {
    readonly resource_id?: string;
    readonly event_types?: readonly string[];
    readonly resource_types?: readonly string[];
  };
  readonly deliver: boolean;
}
const { cases } = JSON.parse(readFileSync(join(__dirname, '../../fixtures/events-watch-filter.json'), 'utf8')) as {
  readonly cases: readonly Case[];
};

function recorded(aggregate: string, event: Event): Recorded {
  const place = {
    stream: `tink.ev.default.${aggregate}.x`,
    aggregate,
    aggregateId: 'x',
    position: 7,
    version: 1,
    index: 0,
  };
  return { ...place, at: '2026-01-01T00:00:00.000Z', event, metadata: { id: 'c', actor: 'user' } };
}

describe('filter of EventsService.Watch', () => {
  it.each(cases)('$name: $deliver', ({ event, watch, deliver }) => {
    const told = {
      resource_id: event.resource_id ?? 'same',
      resource_type: `RESOURCE_TYPE_${event.resource_type ?? 'HARDWARE'}`,
      event_type: `EVENT_TYPE_${event.event_type ?? 'CREATED'}`,
    } as Parameters<typeof passes>[0];
    const filter = {
      resource_id: watch.resource_id ?? '',
      event_types: (watch.event_types ?? []).map((type) => `EVENT_TYPE_${type}`),
      resource_types: (watch.resource_types ?? []).map((type) => `RESOURCE_TYPE_${type}`),
    };
    expect(passes(told, filter)).toBe(deliver);
  });
});

describe('resourceEvent', () => {
  it.each([
    ['hardware', 'HardwareRegistered', { hardware: hardwareRecord() }, 'CREATED'],
    ['hardware', 'HardwareUpdated', { hardware: hardwareRecord() }, 'UPDATED'],
    ['hardware', 'HardwareDeleted', {}, 'DELETED'],
    ['template', 'TemplateCreated', { name: 'a', data: 'b' }, 'CREATED'],
    ['template', 'TemplateUpdated', { name: 'a', data: 'b' }, 'UPDATED'],
    ['template', 'TemplateDeleted', {}, 'DELETED'],
    ['workflow', 'WorkflowCreated', {}, 'CREATED'],
    ['workflow', 'ActionStarted', { index: 0 }, 'UPDATED'],
    ['workflow', 'WorkflowTimedOut', {}, 'UPDATED'],
    ['workflow', 'WorkflowDeleted', {}, 'DELETED'],
  ])('%s %s is %s', (aggregate, type, data, change) => {
    const told = resourceEvent(recorded(aggregate, { type, v: 1, data }));
    expect(told).toMatchObject({
      id: '7-0',
      resource_id: 'x',
      resource_type: `RESOURCE_TYPE_${aggregate.toUpperCase()}`,
      event_type: `EVENT_TYPE_${change}`,
    });
    expect(JSON.parse(told?.data ?? '')).toBeTypeOf('object');
  });

  it.each(['lease', 'boot', 'enrolment'])('%s is no resource', (aggregate) =>
    expect(resourceEvent(recorded(aggregate, { type: 'X', v: 1, data: {} }))).toBeUndefined(),
  );
});
