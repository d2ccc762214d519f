import { ApiError } from '../api-errors';
import { CommandError, type Context } from '../cli-command';
import { faultLines, type Source } from '../output/fault-text';
import { count } from '@tinkerbell/history';

/** Does the request; when the server finds faults in the document, prints each with the line that it is in. */
export async function orFaults<T>(context: Context, source: Source, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof ApiError) || error.faults.length === 0) throw error;
    for (const line of await faultLines(error.faults, source, context.screen)) context.err(line);
    throw new CommandError(`${source.name} was refused: ${count(error.faults.length, 'fault')}; nothing was changed`);
  }
}
