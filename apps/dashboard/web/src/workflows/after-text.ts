import type { ActionView } from '../../../src/wire';

/** When an action comes: `after a, b`, `if a fails`, `if outputs…`; empty in a plain list, where it comes after the line above. */
export function afterText(actions: readonly ActionView[], index: number): string {
  const action = actions[index];
  if (!action) return '';
  const { needs, runs, condition } = action;
  const inLine = index === 0 ? needs.length === 0 : needs.length === 1 && needs[0] === index - 1;
  const sameTask = index === 0 || actions[index - 1]?.task === action.task;
  const names = needs.map((need) => nameOf(actions, need)).join(', ');
  const parts = [
    runs === 'success' && inLine && sameTask ? '' : runsText(runs, names),
    condition === '' ? '' : `only if ${condition}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function runsText(runs: ActionView['runs'], names: string): string {
  if (names === '') return 'right away';
  if (runs === 'failure') return `if ${names} fails`;
  if (runs === 'timeout') return `if ${names} runs out of time`;
  return runs === 'always' ? `after ${names}, in any case` : `after ${names}`;
}

function nameOf(actions: readonly ActionView[], index: number): string {
  const action = actions[index];
  if (!action) return `action ${index + 1}`;
  return actions.some((other, at) => at !== index && other.name === action.name) ? action.id : action.name;
}
