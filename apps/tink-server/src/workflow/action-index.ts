import { InvalidError, NotFoundError } from '@tinkerbell/domain';
import type { PlannedAction } from '@tinkerbell/events';

/** An action is named by its index, its id (`task/name`), or its name when only one action has it. */
export function actionIndex(actions: readonly PlannedAction[], wanted: string): number {
  if (/^\d{1,6}$/.test(wanted) && Number(wanted) < actions.length) return Number(wanted);
  const byId = actions.findIndex(({ plan }) => plan.id === wanted);
  if (byId >= 0) return byId;
  const named = actions.flatMap(({ name, plan }, index) => (name === wanted ? [{ index, id: plan.id }] : []));
  const [first, ...others] = named;
  if (!first) throw new NotFoundError('action', wanted);
  if (others.length === 0) return first.index;
  const ids = named.map(({ id }) => id).join(', ');
  throw new InvalidError('action', `${named.length} actions are named ${wanted}: use one of ${ids}`);
}
