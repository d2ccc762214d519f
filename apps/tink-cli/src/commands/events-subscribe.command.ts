import { ApiError } from '../api-errors';
import { define, exit, type Context } from '../cli-command';
import { untilInterrupted } from '../story/follow';
import { filterFlag, startFlag, startOf } from './subscription.command';

/** How long Ctrl-C may wait for the server, milliseconds. */
const lastWordMs = 5_000;
/** Events in one answer of the server. */
const batch = 100;

export const eventsSubscribe = define({
  name: 'events subscribe',
  summary: 'read public events durably: goes on where it stopped',
  details: [
    'One CloudEvent (JSON) a line, until Ctrl-C. The server remembers by name how far this reader is: an event is done',
    'when it was printed, and after a crash the last ones may be printed again. Creates the subscription if need be.',
  ].join('\n'),
  examples: [
    'tink events subscribe audit --from first >> audit.ndjson',
    'tink events subscribe ops --filter "workflow.action-failed,workflow.action-timed-out"',
  ],
  positionals: { usage: '<name>', min: 1, max: 1, complete: ['subscription'] },
  flags: {
    filter: filterFlag,
    from: startFlag,
    max: { kind: 'number', value: 'N', about: 'end after N events' },
  },
  async run({ flags, positionals: [name = ''] }, context) {
    const { max = Infinity } = flags;
    const known = await exists(context, name);
    if (!known || flags.filter.length > 0) {
      const start = known || flags.from === undefined ? {} : { start: startOf(context, flags.from) };
      await context.client.putSubscription(name, { filters: flags.filter, ...start });
    }
    let ack: string | undefined;
    let count = 0;
    const open = async function* (signal: AbortSignal, onConnect: () => void) {
      while (!signal.aborted) {
        const events = await context.client.nextEvents(name, { ack, max: Math.min(batch, max - count) }, signal);
        onConnect();
        yield* events;
      }
    };
    if (max > 0) {
      for await (const event of untilInterrupted(context, open)) {
        context.out(JSON.stringify(event));
        ack = event.id;
        if (++count === max) break;
      }
    }
    // What was printed is done, also when nothing comes after it.
    if (ack !== undefined)
      await context.client.nextEvents(name, { ack, max: 1, waitSeconds: 0 }, AbortSignal.timeout(lastWordMs));
    return context.signal.aborted ? exit.interrupted : exit.ok;
  },
});

async function exists({ client }: Context, name: string): Promise<boolean> {
  try {
    await client.subscription(name);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}
