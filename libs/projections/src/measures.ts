import type { Recorded } from '@tinkerbell/events';
import type { Measure } from './durations';
import { isHome } from './machine-list.projection';
import type { BootStep, MachineRow, WorkflowRow } from './rows';

/** What one event, which made `after` of the row `before`, says about how long something took. */
export type Measures<Row> = (before: Row | undefined, after: Row | undefined, recorded: Recorded) => readonly Measure[];

export interface TimedAction {
  readonly template: string;
  readonly name: string;
  readonly image: string;
}

/** Keys of `DurationRow`s. */
export const durationKeys = {
  /** The same action of the same template. */
  action: ({ template, name, image }: TimedAction) => `action:${template}/${name}@${image}`,
  /** Any action with this image. */
  image: (image: string) => `image:${image}`,
  /** From reaching one step of the way up to reaching a later one. */
  step: (from: BootStep, to: BootStep) => `step:${from}>${to}`,
};

/** Actions that succeeded, by what their workers measured. */
export const workflowMeasures: Measures<WorkflowRow> = (before, after, { event }) => {
  // What a person declared done, or another workflow did, was not measured here.
  if (event.type !== 'ActionSucceeded') return [];
  const data = event.data as { readonly index?: unknown } | null;
  const index = typeof data?.index === 'number' ? data.index : -1;
  const [was, is] = [before?.actions[index], after?.actions[index]];
  if (!after || !is || is.status !== 'success' || was?.status === 'success' || is.seconds === null) return [];
  const { name, image } = is.spec;
  const { seconds } = is;
  return [
    { key: durationKeys.action({ template: after.templateName, name, image }), seconds },
    { key: durationKeys.image(image), seconds },
  ];
};

export const bootSteps: readonly BootStep[] = ['dhcp', 'tftp', 'http', 'osie', 'worker', 'disk'];

/** Ways forward from one step to the next that was seen. To be told to boot its own disk takes as long as to fetch any script. */
export const machineMeasures: Measures<MachineRow> = (before, after) => {
  const last = after?.steps.at(-1);
  const from = before?.step;
  if (!before || !last || from === undefined || from === 'off' || after?.steps.length === 1) return [];
  const to = after?.step === 'disk' && !isHome(after) ? 'http' : last.step;
  if (after?.steps === before.steps || bootSteps.indexOf(to) <= bootSteps.indexOf(from)) return [];
  const others = before.steps.findLastIndex(({ step }) => step !== from);
  const reached = before.steps[others + 1];
  if (!reached) return [];
  const seconds = (Date.parse(last.at) - Date.parse(reached.at)) / 1000;
  return seconds < 0 ? [] : [{ key: durationKeys.step(from, to), seconds }];
};
