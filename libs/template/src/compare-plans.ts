import type { PlannedAction } from '@tinkerbell/events';

/** One difference between two plans. `action`: id; '' for the workflow itself. Absent values are null. */
export interface PlanChange {
  readonly action: string;
  readonly change: 'added' | 'removed' | 'changed' | 'moved';
  /** Of what: `image`, `environment.DEST_DISK`, `needs` … ; '' for the whole action. */
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

export interface ComparedPlan {
  readonly globalTimeoutSeconds: number;
  readonly actions: readonly PlannedAction[];
}

/** What differs between what a workflow ran and what it would run, action by action. */
export function comparePlans(before: ComparedPlan, after: ComparedPlan): readonly PlanChange[] {
  const [old, now] = [byId(before.actions), byId(after.actions)];
  const workflow = fieldChanges(
    '',
    { timeoutSeconds: before.globalTimeoutSeconds },
    { timeoutSeconds: after.globalTimeoutSeconds },
  );
  const removed = [...old.keys()].filter((id) => !now.has(id)).map((id) => whole(id, 'removed'));
  const others = [...now].flatMap(([id, action]) => {
    const own = old.get(id);
    return own
      ? fieldChanges(id, comparable(own, before.actions), comparable(action, after.actions))
      : [whole(id, 'added')];
  });
  const order = [...now.keys()].filter((id) => old.has(id));
  const oldOrder = [...old.keys()].filter((id) => now.has(id));
  const isMoved = order.some((id, i) => id !== oldOrder[i]);
  const moved = isMoved ? [{ action: '', change: 'moved', field: 'order', from: oldOrder, to: order } as const] : [];
  return [...workflow, ...removed, ...others, ...moved];
}

function byId(actions: readonly PlannedAction[]): ReadonlyMap<string, PlannedAction> {
  return new Map(actions.map((action) => [action.plan.id, action]));
}

function whole(action: string, change: 'added' | 'removed'): PlanChange {
  return { action, change, field: '', from: null, to: null };
}

/** Field → value; variables one by one, needs by id. */
function comparable(action: PlannedAction, all: readonly PlannedAction[]): Readonly<Record<string, unknown>> {
  const { plan, environment, image, task: _task, name: _name, ...spec } = action;
  const { id: _id, needs, retry, secrets, ...rest } = plan;
  return {
    ...spec,
    ...rest,
    image,
    needs: needs.map((need) => all[need]?.plan.id ?? ''),
    retries: retry,
    ...prefixed('environment', Object.fromEntries(environment.map((entry) => splitOnce(entry)))),
    ...prefixed('secrets', secrets),
  };
}

function splitOnce(entry: string): readonly [string, string] {
  const at = entry.indexOf('=');
  return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
}

function prefixed(prefix: string, values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${prefix}.${key}`, value]));
}

function fieldChanges(
  action: string,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): readonly PlanChange[] {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return fields.flatMap((field) => {
    const [from, to] = [before[field] ?? null, after[field] ?? null];
    const isSame = field === 'image' ? sameImage(from, to) : JSON.stringify(from) === JSON.stringify(to);
    return isSame ? [] : [{ action, change: 'changed', field, from, to } as const];
  });
}

/** Where only one of them was pinned, nobody knows which digest the other stood for: their names decide. */
function sameImage(from: unknown, to: unknown): boolean {
  const [a, b] = [String(from), String(to)];
  const bare = (image: string): string => image.replace(/@.*$/, '').replace(/:[^/:]+$/, '');
  return a.includes('@') === b.includes('@') ? a === b : bare(a) === bare(b);
}
