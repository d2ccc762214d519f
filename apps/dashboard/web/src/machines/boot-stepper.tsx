import { IconCheck } from '@tabler/icons-react';
import { bootSteps, type MachineView, type Step, type StepView } from '../../../src/wire';
import { reachedSteps } from '../filtering';
import { clock, duration } from '../format';
import classes from './boot-stepper.module.css';

export const stepNames: Readonly<Record<Step, string>> = {
  dhcp: 'DHCP',
  tftp: 'TFTP',
  http: 'HTTP',
  osie: 'OSIE',
  worker: 'Worker',
  disk: 'Disk',
};

type Progress = 'done' | 'current' | 'skipped' | 'ahead';

/** The way from the network to the own disk, with the time of each step since the first. */
export function BootStepper({ machine }: { readonly machine: MachineView }) {
  const first = machine.steps[0];
  const reached = reachedSteps(machine);
  const furthest = bootSteps.reduce((last, step, index) => (reached.has(step) ? index : last), -1);
  const progress = (step: Step, index: number): Progress => {
    if (!reached.has(step)) return index < furthest ? 'skipped' : 'ahead';
    return index === furthest && step !== 'disk' && machine.step !== 'off' ? 'current' : 'done';
  };
  return (
    <ol className={classes.steps} aria-label="Boot steps">
      {bootSteps.map((step, index) => (
        <StepMark
          key={step}
          step={step}
          at={reached.get(step)}
          since={first}
          progress={progress(step, index)}
          joined={index < furthest}
        />
      ))}
    </ol>
  );
}

interface StepMarkProps {
  readonly step: Step;
  readonly at: StepView | undefined;
  readonly since: StepView | undefined;
  readonly progress: Progress;
  /** The line to the next step is drawn through. */
  readonly joined: boolean;
}

function StepMark({ step, at, since, progress, joined }: StepMarkProps) {
  const said = { done: 'reached', current: 'reached, latest', skipped: 'not used', ahead: 'not yet' }[progress];
  const offset =
    at && since && at !== since ? `+${duration((Date.parse(at.at) - Date.parse(since.at)) / 1000)}` : undefined;
  return (
    <li
      className={classes.step}
      data-progress={progress}
      data-step={step}
      data-joined={joined || undefined}
      aria-current={progress === 'current' ? 'step' : undefined}
      title={at ? `${stepNames[step]} ${clock(at.at)} ${at.detail}` : `${stepNames[step]}: ${said}`}
    >
      <span className={classes.mark} aria-hidden>
        {(progress === 'done' || progress === 'current') && <IconCheck size={11} stroke={3} />}
      </span>
      <span className={classes.label}>{stepNames[step]}</span>
      <span className={classes.hidden}>{said}</span>
      <span className={classes.time}>{at ? (offset ?? clock(at.at)) : '\u00a0'}</span>
    </li>
  );
}
