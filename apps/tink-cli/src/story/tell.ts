import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { machineTales } from './tell-machine';
import { siteTales } from './tell-site';
import { fine, type ActionName, type Tale, type Tales, type Told } from './tales';
import { workflowTales } from './tell-workflow';

/** Without a line for some event type this does not compile. */
const tales = { ...machineTales, ...workflowTales, ...siteTales } satisfies Tales<AnyEvent>;

/** One line for people. An event of a newer release is named, not hidden. */
export function tell({ event, aggregateId }: Recorded<AnyEvent>, nameOf: ActionName): Told {
  if (!Object.hasOwn(tales, event.type)) return fine(event.type);
  const { index } = (event.data ?? {}) as { readonly index?: number | null };
  const action = index === undefined || index === null ? '' : (nameOf(aggregateId, index) ?? `action ${index + 1}`);
  // The table has for each type the line that takes its events.
  return (tales[event.type] as Tale<AnyEvent>)(event, action, aggregateId);
}
