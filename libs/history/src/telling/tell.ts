import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { machineSentences } from './tell-machine';
import { siteSentences } from './tell-site';
import { workflowSentences } from './tell-workflow';
import { neutral, type Sentence, type Sentences, type Told } from './told';

/** Name of an action of a workflow; undefined while it is not known. */
export type ActionName = (workflowId: string, index: number) => string | undefined;

/** What each event means. A new event type goes here: without, this does not compile. */
const sentences = { ...machineSentences, ...workflowSentences, ...siteSentences } satisfies Sentences<AnyEvent>;

/** One line for people, without a full stop; it does not name the machine or workflow that it is about. */
export function tell({ event, aggregateId, version, metadata }: Recorded<AnyEvent>, nameOf: ActionName): Told {
  const { index } = (event.data ?? {}) as { readonly index?: unknown };
  const action = typeof index === 'number' ? (nameOf(aggregateId, index) ?? `action ${index + 1}`) : '';
  const by = `by ${actorName(metadata.actor)}`;
  if (!Object.hasOwn(sentences, event.type)) return neutral(byName(event.type, action, by));
  // The table has for each type the sentence that takes its events.
  return (sentences[event.type] as Sentence<AnyEvent>)(event, { action, id: aggregateId, version, by });
}

/** An event of a newer release is told by its name: `ActionRetried` → `action retried`. */
function byName(type: string, action: string, by: string): string {
  const words = type.replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ').toLowerCase();
  return `${words}${action === '' ? '' : ` (${action})`}, ${by}`;
}

/** `user:admin` → `admin`. */
export function actorName(actor: string): string {
  const [kind = '', name] = actor.split(/:(.*)/s);
  if (kind === 'worker') return 'the worker';
  if (kind === 'reactor') return 'the server';
  return name === undefined || name === '' ? kind : name;
}
