import { nearest } from '@tinkerbell/domain';
import type { PlannedAction } from '@tinkerbell/events';
import { imageFault } from '../image-reference';
import { mergeVolumes } from '../merge-volumes';
import { workerIdOf, type FindWorker } from '../resolve-worker';
import { DeviceValues, type Device } from './device-values';
import { timeoutOf, type Draft, type Report } from './expand-graph';
import type { GraphTemplate, PlacedText } from './graph-template';
import { References } from './references';

/** The address of each action's machine, and the name under which the workflow knows it. */
interface Machine {
  readonly address: string;
  readonly name: string;
}

/** Actions with their machines found and every text settled that can be. Faults go to `report`; NoWorkerError and InvalidError are thrown. */
export function planDrafts(
  template: GraphTemplate,
  drafts: readonly Draft[],
  devices: Readonly<Record<string, string>>,
  find: FindWorker,
  report: Report,
): readonly PlannedAction[] {
  const references = new References(drafts, report);
  const machines = drafts.map((draft) => machineOf(template, draft, devices, report));
  return drafts.map((draft, index) => {
    const { address, name } = machines[index] ?? { address: '', name: '' };
    const workerId = address === '' ? '' : workerIdOf(find, address, draft.taskName, draft.action.place.path);
    const hardware = workerId === '' ? undefined : find.hardware?.(workerId);
    const device: Device = { name, address, hardware };
    // Of a device that is not there it was said already; what follows from that would only hide it.
    const values = new DeviceValues(device, address === '' ? () => undefined : report);
    return planned(draft, index, workerId, values, references, report);
  });
}

function machineOf(
  { tasks }: GraphTemplate,
  { task, device, action }: Draft,
  devices: Readonly<Record<string, string>>,
  report: Report,
): Machine {
  const named = (address: string): Machine => ({
    address,
    name: Object.entries(devices).find(([, other]) => other === address)?.[0] ?? address,
  });
  if (device !== null) {
    const address = Object.hasOwn(devices, device.text) ? devices[device.text] : undefined;
    if (address !== undefined) return { address, name: device.text };
    const near = nearest(device.text, Object.keys(devices));
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    report(
      device.place,
      `there is no device ${device.text}; the workflow has ${Object.keys(devices).join(', ')}${hint}`,
    );
    return named('');
  }
  if (task !== null) return named(task.worker.text);
  if (action.worker.text !== '') return named(action.worker.text);
  const workers = new Set(tasks.map(({ worker }) => worker.text));
  const [only = ''] = workers;
  if (workers.size === 1 && only !== '') return named(only);
  report(action.place, 'worker is missing: the tasks run on several machines, so write on which one this runs');
  return named('');
}

function planned(
  draft: Draft,
  index: number,
  workerId: string,
  values: DeviceValues,
  references: References,
  report: Report,
): PlannedAction {
  const { action, task, id } = draft;
  const settled = (placed: PlacedText): string => values.text(placed).text;
  const filled = (placed: PlacedText): string => references.text(index, values.text(placed));
  const image = settled(action.image);
  const fault = action.image.text.includes('${{') ? imageFault(image) : undefined;
  if (fault !== undefined) report(action.image.place, `invalid action image: ${image} (${fault})`);
  return {
    task: draft.taskName,
    name: action.name.text,
    image,
    timeoutSeconds: timeoutOf(action),
    command: action.command.map(filled),
    onTimeout: action.timeoutCommand,
    onFailure: action.failureCommand,
    workerId,
    volumes: mergeVolumes(task?.volumes ?? [], action.volumes),
    environment: Object.entries({ ...task?.environment, ...action.environment })
      .filter(([name]) => !Object.hasOwn(action.secrets, name))
      .map(([name, value]) => `${name}=${filled(value)}`),
    pid: action.pid,
    plan: {
      id,
      needs: draft.needs,
      runs: draft.runs,
      condition: references.condition(
        index,
        draft.conditions.map((condition) => values.expression(condition)),
      ),
      retry: action.retry,
      approval: action.approval === null ? null : settled(action.approval) || `May ${id} run?`,
      destructive: action.destructive,
      onReboot: action.onReboot,
      secrets: action.secrets,
    },
  };
}

/** What can be said of references before it is known which machines there are. */
export function checkReferences(drafts: readonly Draft[], report: Report): void {
  const references = new References(drafts, report);
  const refersToDevice = ({ text }: PlacedText): boolean => /(?<![\w.-])device(?![\w-])/.test(text);
  drafts.forEach(({ action, task, conditions }, index) => {
    references.condition(
      index,
      conditions.filter((condition) => !refersToDevice(condition)),
    );
    const texts = [...action.command, ...Object.values({ ...task?.environment, ...action.environment })];
    for (const text of texts) if (!refersToDevice(text)) references.text(index, text);
  });
}
