import type { Json, JsonObject } from '../event';

/** Its actions ran one after the other, and a restart of the machine in the middle of one failed it. */
export function workflowCreatedV1(data: JsonObject): JsonObject {
  const actions = Array.isArray(data['actions']) ? (data['actions'] as readonly Json[]) : [];
  return { ...data, actions: actions.map(planned), origin: null };
}

function planned(action: Json, index: number): Json {
  if (typeof action !== 'object' || action === null || Array.isArray(action)) return action;
  const { task, name } = action as JsonObject;
  return {
    ...(action as JsonObject),
    plan: {
      id: `${String(task)}/${String(name)}`,
      needs: index === 0 ? [] : [index - 1],
      runs: 'success',
      condition: '',
      retry: null,
      approval: null,
      destructive: false,
      onReboot: 'fail',
      secrets: {},
    },
  };
}
