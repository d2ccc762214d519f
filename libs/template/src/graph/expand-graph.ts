import type { ActionPlan } from '@tinkerbell/events';
import { defaultTimeoutSeconds, maxActions } from '../limits';
import type { Place } from '../yaml-reader';
import type { GraphAction, GraphTask, GraphTemplate, Handlers, PlacedText } from './graph-template';
import { actionNeeds, inOrder, taskNeeds } from './needs';

/** What a rule found wrong, and where. */
export type Report = (place: Pick<Place, 'path' | 'offset'>, message: string) => void;

/** An action of the graph, on one machine: everything settled but the machine, and what refers to other actions in its texts. */
export interface Draft {
  readonly id: string;
  /** '' for the workflow's own handlers. */
  readonly taskName: string;
  /** The instance of the task: `name` or `name[device]`. */
  readonly instance: string;
  readonly action: GraphAction;
  readonly task: GraphTask | null;
  /** Of the matrix; null without one. */
  readonly device: PlacedText | null;
  readonly isMain: boolean;
  readonly runs: ActionPlan['runs'];
  readonly conditions: readonly PlacedText[];
  /** Indexes of drafts. */
  readonly needs: number[];
}

/** A task on one machine. */
export interface Instance {
  readonly task: GraphTask;
  readonly device: PlacedText | null;
  readonly key: string;
  /** Indexes of its drafts. */
  readonly mains: number[];
  readonly handlers: number[];
  readonly last: number[];
}

export interface Expansion {
  readonly drafts: readonly Draft[];
  readonly instances: readonly Instance[];
}

/** Tasks → actions, each after all that it needs. Reports names that are not there, circles and too much of it. */
export function expandGraph(template: GraphTemplate, report: Report): readonly Draft[] {
  const drafts: Draft[] = [];
  const instances = template.tasks.flatMap((task) => instancesOf(task));
  for (const instance of instances) addTask(drafts, instance);
  addWorkflowHandlers(drafts, template.handlers);
  if (drafts.length > maxActions) {
    report(template.place, `there are ${drafts.length} actions, more than ${maxActions}`);
    return [];
  }
  const expansion: Expansion = { drafts, instances };
  for (const instance of instances) {
    const before = taskNeeds(expansion, instance, report);
    for (const index of instance.mains) {
      const isFirst = drafts[index]?.needs.length === 0;
      const explicit = actionNeeds(expansion, instance, index, report);
      const hasOwn = explicit.some((need) => instance.mains.includes(need));
      drafts[index]?.needs.push(...explicit, ...(isFirst && !hasOwn ? before : []));
    }
  }
  return inOrder(drafts, report);
}

function instancesOf(task: GraphTask): readonly Instance[] {
  const make = (device: PlacedText | null): Instance => ({
    task,
    device,
    key: device === null ? task.name.text : `${task.name.text}[${device.text}]`,
    mains: [],
    handlers: [],
    last: [],
  });
  return task.matrix.length === 0 ? [make(null)] : task.matrix.map(make);
}

function addTask(drafts: Draft[], { task, device, key, mains, handlers, last }: Instance): void {
  const base = { taskName: task.name.text, instance: key, task, device };
  const add = (action: GraphAction, runs: Draft['runs'], needs: readonly number[], isMain = false): number =>
    drafts.push({
      ...base,
      id: `${key}/${action.name.text}`,
      action,
      isMain,
      runs,
      conditions: [task.condition, action.condition].filter((one) => one !== null),
      needs: [...needs],
    }) - 1;
  for (const action of task.actions) {
    const before = task.parallel ? undefined : mains.at(-1);
    mains.push(add(action, 'success', before === undefined ? [] : [before], true));
  }
  const chain = (actions: readonly GraphAction[], runs: Draft['runs'], after: readonly number[]): number[] => {
    const chained: number[] = [];
    for (const action of actions) {
      const before = chained.at(-1);
      chained.push(before === undefined ? add(action, runs, after) : add(action, next(runs), [before]));
    }
    return chained;
  };
  task.actions.forEach((action, i) => {
    const main = mains.slice(i, i + 1);
    handlers.push(...chain(action.handlers.onTimeout, 'timeout', main));
    handlers.push(...chain(action.handlers.onFailure, 'failure', main));
  });
  handlers.push(...chain(task.handlers.onTimeout, 'timeout', mains));
  handlers.push(...chain(task.handlers.onFailure, 'failure', mains));
  last.push(...chain(task.handlers.finally, 'always', [...mains, ...handlers]));
}

/** A handler's second action runs when its first has done its part; a clean-up goes on whatever becomes of its parts. */
function next(runs: Draft['runs']): Draft['runs'] {
  return runs === 'always' ? 'always' : 'success';
}

function addWorkflowHandlers(drafts: Draft[], handlers: Handlers): void {
  const all = drafts.map((_, index) => index);
  const mains = all.filter((index) => drafts[index]?.isMain);
  const lists = [
    ['onTimeout', 'timeout'],
    ['onFailure', 'failure'],
    ['finally', 'always'],
  ] as const;
  for (const [key, runs] of lists) {
    let before: number | undefined;
    for (const action of handlers[key]) {
      const first = runs === 'always' ? drafts.map((_, index) => index) : mains;
      const needs = before === undefined ? first : [before];
      before =
        drafts.push({
          id: `${key}/${action.name.text}`,
          taskName: key,
          instance: key,
          action,
          task: null,
          device: null,
          isMain: false,
          runs: before === undefined ? runs : next(runs),
          conditions: action.condition ? [action.condition] : [],
          needs,
        }) - 1;
    }
  }
}

/** Seconds; an action that says nothing has the default. */
export function timeoutOf({ timeoutSeconds }: Pick<GraphAction, 'timeoutSeconds'>): number {
  return timeoutSeconds === 0 ? defaultTimeoutSeconds : timeoutSeconds;
}
