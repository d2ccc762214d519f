import {
  reportId,
  subjects,
  type Assignment,
  type FinishedReport,
  type HandlerReport,
  type StartedReport,
} from '@tinkerbell/messaging';
import { containerName, workerLabel, type Containers, type ContainerSpec } from '../containers/containers';
import { qualifyImage, registryOf } from '../containers/image-name';
import type { Journal, JournalReport } from '../journal/journal';
import { ContainerOutput } from '../output/container-output';
import type { OutputShipper } from '../output/output-shipper';
import { errorText, insist } from '../pace';
import type { Reporter } from '../reporter';
import type { Server } from '../server';
import type { WorkerSettings } from '../settings';
import type { Wake } from '../wake';
import type { WorkerLog } from '../worker-log';
import { ContainerRun, type RunRequest } from './container-run';
import { resultOf, type Ending } from './ending';
import { latestData, sendData } from './ephemeral-data';
import { watchGoOn } from './go-on';
import { WorkflowFolder } from './workflow-folder';

export interface AttemptPorts {
  readonly containers: Containers;
  readonly journal: Journal;
  readonly reporter: Reporter;
  readonly server: Server;
  readonly shipper: OutputShipper;
  readonly wake: Wake;
  readonly log: WorkerLog;
}

/** What is still to be done about an action when its result is written down. */
interface After {
  readonly assignment: Assignment;
  readonly bootId: string;
  readonly sendData: boolean;
  readonly handler: 'on-failure' | 'on-timeout' | null;
  readonly reboot: boolean;
}

/** An `on-failure` or `on-timeout` command gets the action's time, but no more than this. */
const handlerSeconds = 600;
const never = new AbortController().signal;

/** Takes an assignment to its reported result, from wherever an earlier process of this worker left it. */
export class Attempts {
  private notes = 0;

  constructor(
    private readonly settings: WorkerSettings,
    private readonly ports: AttemptPorts,
  ) {}

  /** True when the machine should be rebooted now. Throws DetachedError when `detach` comes first. */
  async perform(assignment: Assignment, detach: AbortSignal): Promise<boolean> {
    const { workflowId, index, attempt, action } = assignment;
    const { reporter, log, journal } = this.ports;
    const startedId = reportId(workflowId, index, attempt, 'started');
    const resumed = journal.report(startedId) !== undefined;
    const body: StartedReport = { workflowId, index, attempt, bootId: this.settings.bootId, startedAt: now() };
    const started = reporter.record('started', startedId, body);
    // Durable before anything can happen: else nobody would know after a power cut that this action had begun.
    await reporter.deliver(started);
    log.stage(`action ${index + 1}/${assignment.total} ${action.name} ${resumed ? 'taken up again' : 'started'}`);

    const startedAtMs = Date.parse((started.body as StartedReport).startedAt);
    const seconds = stopwatch(resumed ? startedAtMs : Date.now());
    const folder = new WorkflowFolder(this.settings.workflowDirectory, workflowId);
    const { ending, output } = await this.run(assignment, folder, seconds(), detach);
    const result = resultOf(ending, await folder.failureText(), output.lastError, action.timeoutSeconds);
    const finished: FinishedReport = { workflowId, index, attempt, ...result, seconds: seconds(), finishedAt: now() };
    const succeeded = result.outcome === 'succeeded';
    const after: After = {
      assignment,
      bootId: this.settings.bootId,
      sendData: succeeded,
      handler: handlerOf(assignment, ending),
      reboot: succeeded && (await folder.wantsReboot()),
    };
    const report = reporter.record('finished', reportId(workflowId, index, attempt, 'finished'), finished, after);
    log.stage(`action ${index + 1}/${assignment.total} ${action.name} ${finished.outcome} ${describe(finished)}`);
    await this.discard(containerName(workflowId, index, attempt), output);
    return this.complete(report, detach);
  }

  /** From a result in the journal to nothing left to do. True when the machine should be rebooted now. */
  async complete(report: JournalReport, detach: AbortSignal): Promise<boolean> {
    const { assignment, handler, reboot, bootId, ...after } = report.after as After;
    const { reporter, server, shipper, journal } = this.ports;
    const { pace, maxDataBytes: maxBytes } = this.settings;
    const folder = new WorkflowFolder(this.settings.workflowDirectory, assignment.workflowId);
    const say = this.sayer(assignment);
    // Before the result: with it the next action may begin elsewhere, and it needs the data.
    if (after.sendData && !journal.isAcked(report.id)) {
      const settled = await sendData(server, folder, assignment, { maxBytes, pace, stop: detach, say });
      if (!settled) return false;
    }
    await shipper.flush(pace.closeMs);
    await reporter.deliver(report);
    if (handler) await this.handle(assignment, handler, detach);
    const reboots = reboot && bootId === this.settings.bootId;
    if (reboots) await this.confirmed(assignment, detach);
    if (detach.aborted) return false;
    if (reboot) await folder.clearReboot();
    journal.append({ t: 'closed', id: report.id });
    return reboots;
  }

  private async run(assignment: Assignment, folder: WorkflowFolder, usedSeconds: number, detach: AbortSignal) {
    const { server, wake } = this.ports;
    const { workflowId, index, attempt, action } = assignment;
    const over = new AbortController();
    const refused = watchGoOn(server, wake, this.settings.pace, { workflowId, index, attempt }, over.signal);
    const say = this.sayer(assignment);
    const output = this.output(assignment, '');
    try {
      const ending = await this.runContainer(this.spec(assignment, action.command, ''), {
        output,
        remainingMs: (action.timeoutSeconds - usedSeconds) * 1000,
        prepare: async (stop) => folder.prepare(await latestData(server, assignment, this.settings.pace, stop, say)),
        refused,
        detach,
        say,
      });
      return { ending, output };
    } finally {
      over.abort();
    }
  }

  private async handle(
    assignment: Assignment,
    handler: 'on-failure' | 'on-timeout',
    detach: AbortSignal,
  ): Promise<void> {
    const { workflowId, index, attempt, action } = assignment;
    const { reporter, journal, log } = this.ports;
    const id = reportId(workflowId, index, attempt, 'handler');
    let report = journal.report(id);
    if (!report) {
      log.stage(`action ${action.name}: running its ${handler} command`);
      const say = this.sayer(assignment);
      const output = this.output(assignment, `_${handler}`);
      const seconds = stopwatch(Date.now());
      const command = handler === 'on-timeout' ? action.onTimeout : action.onFailure;
      const limitSeconds = Math.min(action.timeoutSeconds, handlerSeconds);
      const spec = this.spec(assignment, command, `_${handler}`);
      const remainingMs = limitSeconds * 1000;
      const prepare = () => Promise.resolve();
      const ending = await this.runContainer(spec, { output, remainingMs, prepare, refused: never, detach, say });
      const { exitCode, message } = resultOf(ending, '', output.lastError, limitSeconds);
      const body: HandlerReport = { workflowId, index, attempt, handler, exitCode, seconds: seconds(), message };
      report = reporter.record('handler', id, body);
      log.info(`${handler} of ${action.name} ended with ${exitCode ?? message}`);
      await this.discard(spec.name, output);
    }
    await reporter.deliver(report);
  }

  private runContainer(spec: ContainerSpec, request: Omit<RunRequest, 'spec' | 'auth'>): Promise<Ending> {
    const { containers, journal } = this.ports;
    const { registry, pace } = this.settings;
    const auth = registry && registryOf(spec.image) === registry.address ? registry : undefined;
    return new ContainerRun(containers, journal, pace, { ...request, spec, auth }).end();
  }

  /** Waits, within bounds, until the server says that the result is in its log: boots must know it before the machine asks again. */
  private async confirmed({ workflowId, index, attempt }: Assignment, detach: AbortSignal): Promise<void> {
    const { server, wake, log } = this.ports;
    const { confirmMs, retryMs } = this.settings.pace;
    const limit = Date.now() + confirmMs;
    while (!detach.aborted && Date.now() < limit) {
      const seen = wake.seen;
      const reply = await server.state({ workflowId, index, attempt }).catch(() => undefined);
      if (reply?.finished) return;
      await wake.sleep(seen, retryMs, detach);
    }
    if (!detach.aborted) log.warn('the server did not confirm the last result; it is stored, rebooting all the same');
  }

  private spec(assignment: Assignment, command: readonly string[], suffix: string): ContainerSpec {
    const { workflowId, index, attempt, action } = assignment;
    const { workflowDirectory, registry, workerId } = this.settings;
    const labels = { [workerLabel]: workerId, 'tinkerbell.workflow': workflowId, 'tinkerbell.action': action.name };
    return {
      name: containerName(workflowId, index, attempt, suffix),
      image: qualifyImage(action.image, registry?.address ?? ''),
      command,
      environment: action.environment,
      binds: [`${workflowDirectory}/${workflowId}:/workflow`, ...action.volumes],
      pid: action.pid,
      labels,
    };
  }

  private output({ workflowId, index, attempt }: Assignment, suffix: string): ContainerOutput {
    const { containers, shipper } = this.ports;
    const { workerId, stateDirectory, captureOutput } = this.settings;
    const name = containerName(workflowId, index, attempt, suffix);
    const subject = subjects.log(workerId, workflowId, index);
    return new ContainerOutput(containers, name, stateDirectory, (stream, number, line, settled) => {
      if (!captureOutput) return settled();
      shipper.ship(subject, `${name}:${stream}:${number}`, { at: now(), stream, attempt, line }, settled);
    });
  }

  private sayer({ workflowId, index, attempt, action }: Assignment): (line: string) => void {
    const subject = subjects.log(this.settings.workerId, workflowId, index);
    return (line) => {
      const id = `${containerName(workflowId, index, attempt)}:worker:${process.pid}:${Date.now()}:${this.notes++}`;
      this.ports.shipper.ship(subject, id, { at: now(), stream: 'worker', attempt, line });
      this.ports.log.info(`${action.name}: ${line}`);
    };
  }

  /** The container must go, but a stubborn one must not hold up the result; what is left is swept at the next start. */
  private async discard(name: string, output: ContainerOutput): Promise<void> {
    const { containers, log } = this.ports;
    const limit = AbortSignal.timeout(this.settings.pace.closeMs);
    await insist(
      this.settings.pace,
      limit,
      () => containers.remove(name),
      () => undefined,
    ).catch((error: unknown) => log.warn(`container ${name} is not removed: ${errorText(error)}`));
    output.forget();
  }
}

function handlerOf({ action }: Assignment, ending: Ending): 'on-failure' | 'on-timeout' | null {
  if (ending.kind === 'exited' && ending.exitCode === 0) return null;
  // Refused: the workflow is over for other reasons. No image: there is nothing to run the command in.
  if (ending.kind === 'refused' || (ending.kind === 'broken' && ending.reason === 'pull')) return null;
  if (ending.kind === 'timed-out' && action.onTimeout.length > 0) return 'on-timeout';
  return action.onFailure.length > 0 ? 'on-failure' : null;
}

function describe({ seconds, message }: FinishedReport): string {
  return `after ${seconds.toFixed(1)} s${message === '' ? '' : `: ${message}`}`;
}

/** Seconds since `fromMs` on the wall clock, counted from now on by a clock that nobody sets. */
function stopwatch(fromMs: number): () => number {
  const before = Math.max(0, Date.now() - fromMs);
  const start = performance.now();
  return () => Math.round(before + performance.now() - start) / 1000;
}

function now(): string {
  return new Date().toISOString();
}
