import type { AnyEvent, Aggregate, Recorded } from '@tinkerbell/events';
import {
  actionSpec,
  actionStarted,
  actionSucceeded,
  bootFileServed,
  bootScriptServed,
  hardwareId,
  hardwareRegistered,
  leaseBound,
  netbootOffered,
  osieStarted,
  templateCreated,
  templateId,
  templateUpdated,
  workerEnrolled,
  workerReady,
  workflowCreated,
} from '@tinkerbell/testing';
import type { Evidence } from '../explain/explanation';

/** A machine and a workflow, further on its way in each of these. */
export const mac = '08-00-27-00-00-01';
export type Fact = readonly [Aggregate, string, AnyEvent, version?: number, actor?: string];

/** Ten seconds apart from 2026-01-01T00:00:10Z, at positions from 1. */
const log = (...facts: readonly Fact[]): readonly Recorded<AnyEvent>[] =>
  facts.map(([aggregate, aggregateId, event, version = 1, actor = 'user:admin'], i) => ({
    stream: `tink.ev.default.${aggregate}.${aggregateId}`,
    aggregate,
    aggregateId,
    position: i + 1,
    version,
    index: 0,
    at: new Date(Date.UTC(2026, 0, 1) + (i + 1) * 10_000).toISOString(),
    event,
    metadata: { id: `c${i}`, actor },
  }));

export const specs = [
  actionSpec({ name: 'disk-wipe', image: 'wipe:1', timeoutSeconds: 90 }),
  actionSpec({ name: 'write-image', image: 'image2disk:1', timeoutSeconds: 600 }),
];
export const made: readonly Fact[] = [
  ['hardware', hardwareId, hardwareRegistered()],
  ['template', templateId, templateCreated('install')],
  ['template', templateId, templateUpdated('install'), 2],
];
export const ordered: readonly Fact[] = [
  ...made,
  [
    'workflow',
    'w-1',
    workflowCreated(specs, { templateName: 'install', templateVersion: 2, globalTimeoutSeconds: 1800 }),
  ],
];
export const booted: readonly Fact[] = [
  ...ordered,
  ['lease', 'default', leaseBound(), 1, 'boots'],
  ['boot', mac, netbootOffered(), 1, 'boots'],
  ['boot', mac, bootFileServed(), 2, 'boots'],
  ['boot', mac, bootScriptServed({ expiresAt: '2026-01-01T00:15:00.000Z' }), 3, 'boots'],
];
export const working: readonly Fact[] = [
  ...booted,
  ['boot', mac, osieStarted(6), 4, 'boots'],
  ['enrolment', hardwareId, workerEnrolled({ expiresAt: '2026-01-01T12:00:00.000Z' }), 1, 'tink-server'],
  ['enrolment', hardwareId, workerReady(), 2, `worker:${hardwareId}`],
  ['workflow', 'w-1', actionStarted(0), 2],
  ['workflow', 'w-1', actionSucceeded(0, { seconds: 9 }), 3],
  ['workflow', 'w-1', actionStarted(1), 4],
];

export const evidence = (facts: readonly Fact[], over: Partial<Evidence> = {}): Evidence => ({
  events: log(...facts),
  now: '2026-01-01T00:03:00.000Z',
  duration: () => undefined,
  graceSeconds: 30,
  cancelGraceSeconds: 60,
  ...over,
});
export const textsOf = (causes: readonly { readonly text: string }[] = []) => causes.map(({ text }) => text);
