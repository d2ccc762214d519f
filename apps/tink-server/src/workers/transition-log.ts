import type { AnyEvent, Recorded } from '@tinkerbell/events';
import type { EventStore } from '@tinkerbell/event-store';
import { readFeed } from '../events/event-feed';
import { ServerLogger } from '../log';

/** Writes one line at info level for every fact about hardware, templates, workflows and workers, until the signal aborts. */
export async function logTransitions(store: EventStore, after: number, signal: AbortSignal): Promise<void> {
  const logger = new ServerLogger('log');
  for await (const recorded of readFeed(store, { after, follow: true, signal })) {
    const line = transitionText(recorded);
    if (line !== undefined) logger.log(line);
  }
}

/** undefined for what boots writes and logs itself. Names and numbers only: the rest of an event may hold secrets. */
export function transitionText({ aggregate, aggregateId, event, position, metadata }: Recorded): string | undefined {
  if (aggregate === 'lease' || aggregate === 'boot') return undefined;
  const details = detailsOf(event as AnyEvent);
  return `${position} ${aggregate} ${aggregateId} ${event.type}${details === '' ? '' : ` ${details}`} by ${metadata.actor}`;
}

function detailsOf(event: AnyEvent): string {
  switch (event.type) {
    case 'TemplateCreated':
    case 'TemplateUpdated':
      return event.data.name;
    case 'WorkflowCreated':
      return `of template ${event.data.templateName}, ${event.data.actions.length} actions`;
    case 'ActionStarted':
    case 'ActionSucceeded':
      return `action ${event.data.index} attempt ${event.data.attempt}`;
    case 'ActionFailed':
      return `action ${event.data.index} attempt ${event.data.attempt}: ${event.data.reason}, exit code ${event.data.exitCode}`;
    case 'ActionTimedOut':
      return `action ${event.data.index} attempt ${event.data.attempt}, fired by the ${event.data.firedBy}`;
    case 'ActionHandlerFinished':
      return `action ${event.data.index} ${event.data.handler}: exit code ${event.data.exitCode}`;
    case 'WorkflowTimedOut':
      return `after ${event.data.globalTimeoutSeconds} s`;
    case 'WorkflowDataUpdated':
      return `version ${event.data.version}, ${event.data.size} bytes`;
    case 'ClaimTaken':
      return `${event.data.kind} ${event.data.value} for ${event.data.owner}`;
    case 'WorkerEnrolled':
      return `from ${event.data.address}`;
    default:
      return '';
  }
}
