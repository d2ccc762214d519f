import type { ChildProcess } from 'node:child_process';
import type { AnyEvent, LogLine, Recorded } from './wire';
import type { Lab } from '../../pxe-vm/lab';
import { powerOn, type Firmware, type Machine, type MachineOptions } from '../../pxe-vm/machine';
import type { Provisioner } from './provisioner';
import type { Scenario } from './scenario';
import { Story, type Step } from './story';

export interface MachineRun {
  readonly machine: Machine;
  readonly story: Story;
  readonly poweredOnAt: number;
  /** What the log has about this machine and its workflow so far. */
  readonly events: readonly Recorded<AnyEvent>[];
  /** Resolves when the installed system phoned home the n-th time; rejects when the workflow failed, or nothing was heard for so long. */
  phonedHome(count: number, silenceMs: number): Promise<Step>;
}

export interface Watch {
  readonly onStep: (step: Step) => void;
  readonly onProgress: (text: string) => void;
}

export async function runMachine(
  lab: Lab,
  provisioner: Provisioner,
  scenario: Pick<Scenario, 'hardwareId' | 'hostname' | 'mac'>,
  workflowId: string,
  options: Omit<MachineOptions, 'name' | 'mac'> & { readonly firmware: Firmware },
  watch: Watch,
): Promise<MachineRun> {
  const poweredOnAt = Date.now();
  const waiting = new Set<() => void>();
  const events: Recorded<AnyEvent>[] = [];
  const story = new Story(poweredOnAt, watch.onStep);
  const follower = provisioner.follow(['events', '--from', '60', '--follow', '--output', 'json'], (line) => {
    const recorded = JSON.parse(line) as Recorded<AnyEvent>;
    if (!concerns(recorded, scenario.hardwareId, workflowId)) return;
    events.push(recorded);
    story.add(recorded);
    for (const wake of waiting) wake();
  });
  followLogs(provisioner, workflowId, watch.onProgress);
  const machine = await powerOn(lab, { ...options, name: scenario.hostname, mac: scenario.mac });
  const homeSteps = () => story.steps.filter(({ name }) => name === 'own disk');
  const failure = () => story.steps.find(({ detail }) => /^FAILED|^TIMED OUT|^timed out/.test(detail));
  return {
    machine,
    story,
    poweredOnAt,
    events,
    phonedHome: (count, silenceMs) =>
      new Promise((resolve, reject) => {
        const end = (error: Error | undefined, step?: Step) => {
          clearTimeout(timer);
          waiting.delete(look);
          follower.off('exit', gone);
          if (step) resolve(step);
          else reject(error ?? new Error('unreachable'));
        };
        const look = () => {
          timer.refresh();
          const step = homeSteps()[count - 1];
          const failed = failure();
          if (step) end(undefined, step);
          else if (failed) end(new Error(`${failed.name}: ${failed.detail}`));
        };
        const gone = () => end(new Error('the event stream ended'));
        const timer = setTimeout(() => end(new Error(lost(silenceMs, machine, story))), silenceMs);
        waiting.add(look);
        follower.once('exit', gone);
        look();
      }),
  };
}

/** The lab may hold several machines. */
function concerns({ aggregateId, event }: Recorded<AnyEvent>, hardwareId: string, workflowId: string): boolean {
  if (aggregateId === hardwareId || aggregateId === workflowId) return true;
  return 'hardwareId' in event.data && event.data.hardwareId === hardwareId;
}

function lost(silenceMs: number, machine: Machine, story: Story): string {
  const last = story.steps.at(-1);
  return (
    `nothing was heard of the machine for ${silenceMs / 1000} s; last step: ${last ? `${last.name}, ${last.detail}` : 'none'}; ` +
    `end of its console (${machine.serialLog}):\n${machine.console().slice(-1500)}`
  );
}

/** The last line of a running action's output is its progress. */
function followLogs(provisioner: Provisioner, workflowId: string, onProgress: (text: string) => void): ChildProcess {
  return provisioner.follow(['logs', workflowId, '--follow', '--output', 'json'], (text) => {
    const { action, line } = JSON.parse(text) as LogLine;
    onProgress(`${action}: ${line}`);
  });
}
