import { InvalidDocumentError, type Fault } from '@tinkerbell/domain';
import type { ActionSpec, PlannedAction } from '@tinkerbell/events';
import { expandGraph } from './graph/expand-graph';
import type { GraphTemplate } from './graph/graph-template';
import { planDrafts } from './graph/plan-graph';
import { defaultTimeoutSeconds, maxPlanBytes } from './limits';
import { mergeVolumes } from './merge-volumes';
import { readRendered, type ReadTemplate } from './parse-template';
import { renderWithOrigins, type RenderOptions } from './render-template';
import { workerIdOf, type FindWorker } from './resolve-worker';
import type { Template, TemplateAction, TemplateTask, TemplateVersion } from './template';
import type { Place } from './yaml-reader';

/** Where in the template's text something stands, from 1. */
export type TextPlace = Pick<Fault, 'path' | 'line' | 'column'>;

export interface WorkflowPlan {
  readonly version: TemplateVersion;
  /** Name in the template's text, which may differ from the one that it is stored under. */
  readonly name: string;
  readonly globalTimeoutSeconds: number;
  /** Of all tasks, each behind those that it needs. */
  readonly actions: readonly PlannedAction[];
  /** Of each action's image. */
  readonly imagePlaces: readonly TextPlace[];
}

/**
 * What a template comes to for these devices: rendered, checked, each task's worker found, every setting settled. Throws
 * InvalidDocumentError (the text, before or after rendering), InvalidError (`invalid worker address: …`) or NotFoundError (no worker).
 */
export function planWorkflow(
  text: string,
  devices: Readonly<Record<string, string>>,
  find: FindWorker,
  options: RenderOptions = {},
): WorkflowPlan {
  const read = readRendered(renderWithOrigins(text, devices, options));
  const { actions, images } =
    read.version === '0.1' ? planList(read.template, find) : planGraph(read, read.template, devices, find);
  const bytes = new TextEncoder().encode(JSON.stringify(actions)).length;
  if (bytes > maxPlanBytes) {
    const message = `the actions are ${bytes} bytes together, more than ${maxPlanBytes}`;
    throw new InvalidDocumentError('template', [{ path: 'tasks', message }]);
  }
  const imagePlaces = images.map(({ path, offset }) => ({ path, ...read.reader.placeOf(offset) }));
  const { version, template } = read;
  const globalTimeoutSeconds =
    read.version === '0.1' ? read.template.globalTimeoutSeconds : read.template.timeoutSeconds;
  return { version, name: template.name, globalTimeoutSeconds, actions, imagePlaces };
}

interface Planned {
  readonly actions: readonly PlannedAction[];
  readonly images: readonly Place[];
}

/** Template 0.1: one after the other, and what fails ends it. */
function planList({ tasks }: Template, find: FindWorker): Planned {
  const specs = tasks.flatMap((task, index) => {
    const workerId = workerIdOf(find, task.worker, task.name, `tasks[${index}].worker`);
    return task.actions.map((action) => specOf(task, action, workerId));
  });
  return {
    actions: specs.map((spec, index) => ({
      ...spec,
      plan: {
        id: `${spec.task}/${spec.name}`,
        needs: index === 0 ? [] : [index - 1],
        runs: 'success',
        condition: '',
        retry: null,
        approval: null,
        destructive: false,
        onReboot: 'fail',
        secrets: {},
      },
    })),
    images: tasks.flatMap(({ actions }) => actions.map(({ imagePlace }) => imagePlace)),
  };
}

function planGraph(
  { reader, refuse }: ReadTemplate,
  template: GraphTemplate,
  devices: Readonly<Record<string, string>>,
  find: FindWorker,
): Planned {
  const report = reader.fault.bind(reader);
  const drafts = expandGraph(template, report);
  refuse();
  const actions = planDrafts(template, drafts, devices, find, report);
  refuse();
  return { actions, images: drafts.map(({ action }) => action.image.place) };
}

function specOf(task: TemplateTask, action: TemplateAction, workerId: string): ActionSpec {
  return {
    task: task.name,
    name: action.name,
    image: action.image,
    timeoutSeconds: action.timeoutSeconds === 0 ? defaultTimeoutSeconds : action.timeoutSeconds,
    command: action.command.map(literally),
    onTimeout: action.onTimeout,
    onFailure: action.onFailure,
    workerId,
    volumes: mergeVolumes(task.volumes, action.volumes),
    environment: Object.entries({ ...task.environment, ...action.environment }).map(
      ([key, value]) => `${key}=${literally(value)}`,
    ),
    pid: action.pid,
  };
}

/** A plan's `${{ }}` is filled in when its action begins; in 0.1 it is a text like any other. */
function literally(text: string): string {
  return text.includes('${{') ? text.replaceAll('${{', "${{ '${{' }}") : text;
}
