import { ApiError } from '../api-errors';
import { exit, type Context } from '../cli-command';
import { plain } from '../output/screen';
import { exitCodeOf } from '../report-error';

/** Does it with one id after the other; what is refused is reported and does not keep the others from being done. The exit code. */
export async function forEach(
  context: Context,
  ids: readonly string[],
  act: (id: string) => Promise<void>,
): Promise<number> {
  let code: number = exit.ok;
  for (const id of ids) {
    try {
      await act(id);
    } catch (error) {
      // Without access or without a server the next one cannot go better.
      if (!(error instanceof ApiError) || error.status === 401 || error.status === 503) throw error;
      context.err(`Error\t${plain(id)}\t${error.status === 404 ? 'not found' : plain(error.message)}`);
      if (code === exit.ok || code === exit.notFound) code = exitCodeOf(error);
    }
  }
  return code;
}
