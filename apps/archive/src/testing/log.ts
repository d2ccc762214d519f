import type { Event, Metadata } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';

let commands = 0;

/** Some event of a workflow. `filling`: bytes that it takes at least. */
export function event(version: number, filling = 0): Event {
  const data = { version, sha256: 'a'.repeat(64 + filling), size: 2, workerId: 'w', task: 't', action: 'a' };
  return { type: 'WorkflowDataUpdated', v: 1, data };
}

/** Appends one commit to a workflow's stream. */
export async function appendTo(
  store: EventStore,
  workflowId: string,
  events: readonly Event[] = [event(1)],
  metadata: Metadata = { id: `command-${++commands}`, actor: 'test' },
): Promise<number> {
  const stream = subjects.stream('workflow', workflowId);
  const { head } = await store.read(stream);
  return (await store.append(stream, events, { expected: head, metadata })).head.position;
}
