import { ApiError } from '../api-errors';
import type { HardwareItem } from '../api-types';
import { define, exit, UsageError, type Context } from '../cli-command';
import { followEvents } from '../story/follow';
import { checkUuids } from './ids';

export const hardwareWatch = define({
  name: 'hardware watch',
  summary: 'register to watch an id for any changes',
  details: 'Prints the record as one line of JSON each time that it changes, until Ctrl-C.',
  examples: ['tink hardware watch 224ee6ab-ad62-4070-a900-ed816444cec0 cb76ae54-93e9-401c-a5b2-d455bb3800b1'],
  positionals: { usage: '<id>...', min: 0, max: Infinity, complete: ['hardware'] },
  flags: { id: { kind: 'list', value: 'ID', about: 'id of the hardware', complete: 'hardware' } },
  async run({ flags, positionals }, context) {
    const ids = [...flags.id, ...positionals];
    if (ids.length === 0) throw new UsageError('requires at least one id');
    checkUuids(ids);
    // What is known now is not a change. A machine that is not there yet may come.
    const seen = new Map<string, number>();
    for (const id of ids.map((one) => one.toLowerCase())) seen.set(id, await positionOf(context, id));
    const query = {
      aggregate: 'hardware',
      after: Math.min(...seen.values()),
      ...(seen.size === 1 ? { id: ids[0] } : {}),
    };
    for await (const { aggregateId, event, position } of followEvents(context, query)) {
      if (position <= (seen.get(aggregateId) ?? Infinity)) continue;
      if (event.type === 'HardwareDeleted') context.err(`${aggregateId} was deleted`);
      const item = event.type === 'HardwareDeleted' ? undefined : await find(context, aggregateId, position);
      // As the API shows it, not as the log keeps it.
      if (item) context.out(JSON.stringify(item.hardware));
    }
    return exit.interrupted;
  },
});

async function positionOf(context: Context, id: string): Promise<number> {
  return (await find(context, id))?.position ?? 0;
}

async function find(context: Context, id: string, minSeq?: number): Promise<HardwareItem | undefined> {
  try {
    return await context.client.hardware(id, minSeq);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
