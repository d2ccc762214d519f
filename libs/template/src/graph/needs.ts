import { nearest } from '@tinkerbell/domain';
import type { Draft, Expansion, Instance, Report } from './expand-graph';
import type { PlacedText } from './graph-template';

/** `task`, `task[device]`, `task/action`, `task[device]/action`. */
const reference = /^([^/[\]]+)(?:\[([^/[\]]*)\])?(?:\/([^/[\]]+))?$/;

/** What the first actions of a task wait for. */
export function taskNeeds(expansion: Expansion, own: Instance, report: Report): readonly number[] {
  return own.task.needs.flatMap((need) => {
    const [, task = '', device, action] = reference.exec(need.text) ?? [];
    if (task === own.task.name.text) {
      report(need.place, `${need.text} needs itself: take it out of needs`);
      return [];
    }
    return resolve(expansion, own, need, { task, device, action }, report);
  });
}

/** What an action waits for beside the one before it: actions of its own task by name, others as `task/action`. */
export function actionNeeds(expansion: Expansion, own: Instance, index: number, report: Report): readonly number[] {
  const { drafts } = expansion;
  const action = drafts[index]?.action;
  return (action?.needs ?? []).flatMap((need) => {
    const mine = own.mains.find((main) => drafts[main]?.action.name.text === need.text);
    if (mine === index) {
      report(need.place, `${need.text} needs itself: take it out of needs`);
      return [];
    }
    if (mine !== undefined) return [mine];
    const [, task = '', device, name] = reference.exec(need.text) ?? [];
    if (name === undefined) {
      const isTask = expansion.instances.some((other) => other.task.name.text === task);
      const names = own.mains.map((main) => drafts[main]?.action.name.text ?? '');
      const hint = isTask
        ? `${task} is a task: put it into the needs of task ${own.task.name.text}`
        : `its task has ${names.filter((one) => one !== action?.name.text).join(', ')}${meant(need.text, names)}`;
      report(need.place, `there is no action ${need.text} in task ${own.task.name.text}; ${hint}`);
      return [];
    }
    return resolve(expansion, own, need, { task, device, action: name }, report);
  });
}

interface Wanted {
  readonly task: string;
  readonly device: string | undefined;
  readonly action: string | undefined;
}

function resolve(
  { drafts, instances }: Expansion,
  own: Instance,
  need: PlacedText,
  { task, device, action }: Wanted,
  report: Report,
): readonly number[] {
  const wrong = (message: string): readonly number[] => {
    report(need.place, message);
    return [];
  };
  const ofTask = instances.filter((other) => other.task.name.text === task);
  if (ofTask.length === 0) {
    const names = [...new Set(instances.map((other) => other.task.name.text))];
    return wrong(`there is no task ${task || need.text}; there are ${names.join(', ')}${meant(task, names)}`);
  }
  const isOwnMatrix = task === own.task.name.text;
  const wanted = device === 'same' || (isOwnMatrix && device === undefined) ? own.device?.text : device;
  const found = device === undefined && !isOwnMatrix ? ofTask : ofTask.filter((other) => other.device?.text === wanted);
  if (found.length === 0) {
    const devices = ofTask.flatMap((other) => other.device?.text ?? []);
    if (devices.length === 0) return wrong(`task ${task} has no matrix: write ${need.text.replace(/\[.*?\]/, '')}`);
    return wrong(`task ${task} is not run for ${wanted ?? device ?? ''}; its matrix has ${devices.join(', ')}`);
  }
  if (action === undefined) return found.flatMap((instance) => endsOf(drafts, instance));
  const named = found.flatMap(({ mains }) => mains.filter((main) => drafts[main]?.action.name.text === action));
  if (named.length > 0) return named;
  const names = (found[0]?.mains ?? []).map((main) => drafts[main]?.action.name.text ?? '');
  return wrong(`task ${task} has no action ${action}; it has ${names.join(', ')}${meant(action, names)}`);
}

/** The actions that nothing else of the task waits for, and its clean-up: when these have ended, all of it has. */
function endsOf(drafts: readonly Draft[], { task, mains, last }: Instance): readonly number[] {
  const named = new Set(task.actions.flatMap(({ needs }) => needs.map(({ text }) => text.replace(/^.*\//, ''))));
  const ends = task.parallel
    ? mains.filter((index) => !named.has(drafts[index]?.action.name.text ?? ''))
    : mains.slice(-1);
  return [...(ends.length === 0 ? mains : ends), ...last.slice(-1)];
}

function meant(text: string, candidates: readonly string[]): string {
  const near = nearest(text, candidates);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

/** Each action after all that it needs, otherwise as they are written. Reports a circle, naming its actions. */
export function inOrder(drafts: readonly Draft[], report: Report): readonly Draft[] {
  const needs = drafts.map((draft) => [...new Set(draft.needs)]);
  const placed = new Map<number, number>();
  const order: number[] = [];
  const waiting = needs.map((all) => all.length);
  const dependents = drafts.map((): number[] => []);
  needs.forEach((all, index) => all.forEach((need) => dependents[need]?.push(index)));
  const ready = new Set(waiting.flatMap((count, index) => (count === 0 ? [index] : [])));
  while (ready.size > 0) {
    const index = Math.min(...ready);
    ready.delete(index);
    placed.set(index, order.push(index) - 1);
    for (const dependent of dependents[index] ?? []) {
      waiting[dependent] = (waiting[dependent] ?? 0) - 1;
      if (waiting[dependent] === 0) ready.add(dependent);
    }
  }
  if (order.length < drafts.length) {
    reportCircle(drafts, needs, placed, report);
    return [];
  }
  return order.flatMap((index) => {
    const draft = drafts[index];
    const sorted = (needs[index] ?? []).map((need) => placed.get(need) ?? 0).sort((a, b) => a - b);
    return draft ? [{ ...draft, needs: sorted }] : [];
  });
}

function reportCircle(
  drafts: readonly Draft[],
  needs: readonly (readonly number[])[],
  placed: ReadonlyMap<number, number>,
  report: Report,
): void {
  const path: number[] = [];
  // Of every action that is left over, one of its needs is left over too: following them leads round.
  let at = drafts.findIndex((_, index) => !placed.has(index));
  while (!path.includes(at)) {
    path.push(at);
    at = (needs[at] ?? []).find((need) => !placed.has(need)) ?? at;
  }
  const circle = [...path.slice(path.indexOf(at)), at].map((index) => drafts[index]?.id ?? '');
  const place = drafts[at]?.action.needs[0]?.place ?? drafts[at]?.task?.needs[0]?.place ?? drafts[at]?.action.place;
  if (!place) return;
  report(place, `the needs go round in a circle, ${circle.join(' → ')}: take one of them away`);
}
