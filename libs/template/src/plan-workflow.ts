import { InvalidDocumentError, InvalidError, NotFoundError, parseIpv4, parseMac } from '@tinkerbell/domain';
import type { ActionSpec } from '@tinkerbell/events';
import { defaultTimeoutSeconds, maxPlanBytes } from './limits';
import { parseTemplate } from './parse-template';
import { renderTemplate, type RenderOptions } from './render-template';
import type { TemplateAction, TemplateTask } from './template';

/** Finds the hardware that a task's `worker` means; its id is the worker's id. */
export interface ResolveWorker {
  /** `aa-bb-cc-dd-ee-ff` */
  byMac(mac: string): string | undefined;
  byIp(address: string): string | undefined;
}

export interface WorkflowPlan {
  /** Name in the template's text, which may differ from the one that it is stored under. */
  readonly name: string;
  readonly globalTimeoutSeconds: number;
  /** Of all tasks, in the order in which they run. */
  readonly actions: readonly ActionSpec[];
}

/**
 * What a template comes to for these devices: rendered, checked, each task's worker found, every setting settled. Throws
 * InvalidDocumentError (the text, before or after rendering), InvalidError (`invalid worker address: …`) or NotFoundError (no worker).
 */
export function planWorkflow(
  text: string,
  devices: Readonly<Record<string, string>>,
  resolve: ResolveWorker,
  options: RenderOptions = {},
): WorkflowPlan {
  const { name, globalTimeoutSeconds, tasks } = parseTemplate(renderTemplate(text, devices, options));
  const actions = tasks.flatMap((task, index) => {
    const workerId = workerOf(task, index, resolve);
    return task.actions.map((action) => specOf(task, action, workerId));
  });
  const bytes = new TextEncoder().encode(JSON.stringify(actions)).length;
  if (bytes > maxPlanBytes) {
    const message = `the actions are ${bytes} bytes together, more than ${maxPlanBytes}`;
    throw new InvalidDocumentError('template', [{ path: 'tasks', message }]);
  }
  return { name, globalTimeoutSeconds, actions };
}

function workerOf({ name, worker }: TemplateTask, index: number, resolve: ResolveWorker): string {
  const mac = parseMac(worker);
  const isIp = parseIpv4(worker) !== undefined;
  if (mac === undefined && !isIp) throw new InvalidError(`tasks[${index}].worker`, `invalid worker address: ${worker}`);
  const id = mac === undefined ? resolve.byIp(worker) : resolve.byMac(mac);
  if (id === undefined) throw new NoWorkerError(worker, name);
  return id;
}

/** The address is well formed and no hardware has it. */
export class NoWorkerError extends NotFoundError {
  constructor(
    readonly worker: string,
    readonly task: string,
  ) {
    super('hardware', worker);
    this.message = `no worker found: no hardware has the address ${worker} of task ${task}`;
  }
}

function specOf(task: TemplateTask, action: TemplateAction, workerId: string): ActionSpec {
  return {
    task: task.name,
    name: action.name,
    image: action.image,
    timeoutSeconds: action.timeoutSeconds === 0 ? defaultTimeoutSeconds : action.timeoutSeconds,
    command: action.command,
    onTimeout: action.onTimeout,
    onFailure: action.onFailure,
    workerId,
    volumes: mergeVolumes(task.volumes, action.volumes),
    environment: Object.entries({ ...task.environment, ...action.environment }).map(
      ([key, value]) => `${key}=${value}`,
    ),
    pid: action.pid,
  };
}

/** One volume for each host path; the action's replaces the task's, in its place. */
function mergeVolumes(task: readonly string[], action: readonly string[]): readonly string[] {
  const bySource = new Map<string, string>();
  for (const volume of [...task, ...action]) bySource.set(volume.split(':')[0] ?? '', volume);
  return [...bySource.values()];
}
