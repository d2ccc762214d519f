import { ApiError } from '../api-errors';
import type { Context } from '../cli-command';
import { forEach } from './for-each';

interface Removed {
  readonly changed?: boolean;
}

/** Deletes one after the other and reports each; one that is not there does not keep the others from going. */
export function deleteEach(
  context: Context,
  ids: readonly string[],
  remove: (id: string) => Promise<Removed>,
): Promise<number> {
  return forEach(context, ids, async (id) => {
    const { changed = true } = await remove(id);
    // Deleted before: for the server that is no error, for somebody who names it now it is not there.
    if (!changed) throw new ApiError(404, 'NOT_FOUND', 'not found');
    context.out(`Deleted\t${id}`);
  });
}
