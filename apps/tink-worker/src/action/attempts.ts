import { reportId, type Assignment, type FinishedReport, type StartedReport } from '@tinkerbell/messaging';
import { containerName } from '../containers/containers';
import type { JournalReport } from '../journal/journal';
import type { WorkerSettings } from '../settings';
import { Attempt, type AttemptPorts } from './attempt';
import type { Admission } from './container-run';
import { resultOf, type Ending } from './ending';
import { dataOf, sendData } from './ephemeral-data';
import { watchGoOn } from './go-on';
import { handlerOf, runHandler, type Handler } from './handler';
import { readOutputs } from './outputs';
import { askPermit } from './permit';
import { stopwatch } from './stopwatch';

/** What is still to be done about an action when its result is written down. */
export interface After {
  readonly assignment: Assignment;
  readonly bootId: string;
  readonly sendData: boolean;
  readonly handler: Handler | null;
  readonly reboot: boolean;
}

/** What an attempt tells those that run beside it. */
export interface Neighbours {
  /** Whether another attempt has the folder of this workflow now. */
  readonly folderTaken: (workflowId: string) => boolean;
  /** Its result is written down; until all is done nothing new may begin when a handler or a reboot is to follow. */
  readonly closing: (after: After) => void;
  /** Resolves when nothing runs any more but what waits here too; also when `detach` comes. */
  readonly alone: (detach: AbortSignal) => Promise<void>;
}

/** Takes an assignment to its reported result, from wherever an earlier process of this worker left it. */
export class Attempts {
  constructor(
    private readonly settings: WorkerSettings,
    private readonly ports: AttemptPorts,
    private readonly disks: () => readonly string[],
  ) {}

  /** True when the machine should be rebooted now. Throws DetachedError when `detach` comes first. */
  async perform(assignment: Assignment, neighbours: Neighbours, detach: AbortSignal): Promise<boolean> {
    const { workflowId, index, attempt: number, action } = assignment;
    const { reporter, log, journal } = this.ports;
    const startedId = reportId(workflowId, index, number, 'started');
    const resumed = journal.report(startedId) !== undefined;
    // Before the start: with it is decided which folder an earlier process of this worker gave to the container.
    const container = containerName(workflowId, index, number);
    if (!resumed && neighbours.folderTaken(workflowId) && !journal.hasOwnFolder(container)) {
      journal.append({ t: 'own-folder', container });
    }
    const { bootId } = this.settings;
    const body: StartedReport = { workflowId, index, attempt: number, bootId, startedAt: now() };
    const started = reporter.record('started', startedId, body);
    // Durable before anything can happen: else nobody would know after a power cut that this action had begun.
    await reporter.deliver(started);
    log.stage(`action ${index + 1}/${assignment.total} ${action.name} ${resumed ? 'taken up again' : 'started'}`);

    const startedAtMs = Date.parse((started.body as StartedReport).startedAt);
    const seconds = stopwatch(resumed ? startedAtMs : Date.now());
    const attempt = new Attempt(assignment, this.settings, this.ports);
    const { ending, output } = await this.run(attempt, seconds(), detach);
    const { finished, after } = await this.result(attempt, ending, output.lastError, seconds);
    const report = reporter.record('finished', reportId(workflowId, index, number, 'finished'), finished, after);
    neighbours.closing(after);
    log.stage(`action ${index + 1}/${assignment.total} ${action.name} ${finished.outcome} ${describe(finished)}`);
    await attempt.discard(container, output);
    return this.complete(report, neighbours, detach, attempt);
  }

  /** From a result in the journal to nothing left to do. True when the machine should be rebooted now. */
  async complete(
    report: JournalReport,
    neighbours: Neighbours,
    detach: AbortSignal,
    known?: Attempt,
  ): Promise<boolean> {
    const { assignment, handler, reboot, bootId, ...after } = report.after as After;
    const { reporter, server, shipper, journal } = this.ports;
    const { pace, maxDataBytes: maxBytes } = this.settings;
    const attempt = known ?? new Attempt(assignment, this.settings, this.ports);
    const { folder, say } = attempt;
    if (!known) await attempt.discard(attempt.container(), attempt.output());
    // Before the result: with it the next action may begin elsewhere, and it needs the data.
    if (after.sendData && !journal.isAcked(report.id)) {
      const settled = await sendData(server, folder, assignment, { maxBytes, pace, stop: detach, say });
      if (!settled) return false;
    }
    await shipper.flush(pace.closeMs);
    await reporter.deliver(report);
    if (handler) await runHandler(attempt, handler, this.settings, this.ports, detach);
    const reboots = reboot && bootId === this.settings.bootId;
    if (reboots) await this.confirmed(assignment, detach);
    if (reboots && this.settings.rebootCommand !== '') await neighbours.alone(detach);
    if (detach.aborted) return false;
    if (reboot) await folder.clearReboot();
    await folder.close();
    journal.append({ t: 'closed', id: report.id });
    return reboots;
  }

  private async run(attempt: Attempt, usedSeconds: number, detach: AbortSignal) {
    const { server, wake } = this.ports;
    const { assignment, folder, say } = attempt;
    const { workflowId, index, attempt: number, action } = assignment;
    const { pace } = this.settings;
    const over = new AbortController();
    const refused = watchGoOn(server, wake, pace, { workflowId, index, attempt: number }, over.signal);
    const output = attempt.output();
    try {
      const ending = await attempt.run({
        spec: attempt.spec(action.command),
        output,
        remainingMs: (action.timeoutSeconds - usedSeconds) * 1000,
        prepare: async (stop) => folder.prepare(await dataOf(server, assignment, pace, stop, say)),
        admit: (stop) => this.admit(attempt, stop),
        refused,
        detach,
      });
      return { ending, output };
    } finally {
      over.abort();
    }
  }

  /** Secrets first: a permit is short. */
  private async admit(attempt: Attempt, stop: AbortSignal): Promise<Admission | Ending> {
    const { server, journal } = this.ports;
    const { workflowId, index, attempt: number, destructive } = attempt.assignment;
    const refused = (why: string): Ending => ({ kind: 'broken', reason: 'refused', message: `nothing ran: ${why}` });
    const noSecrets = await attempt.secrets.load(this.settings.pace, stop, attempt.say);
    if (noSecrets !== undefined) return refused(noSecrets);
    const { environment } = attempt.secrets;
    if (!destructive) return { kind: 'admitted', environment, startBeforeMs: Infinity };
    const { bootId, publicKey: key, pace } = this.settings;
    const container = attempt.container();
    const about = { workflowId, index, attempt: number, bootId, ...(key && { key }) };
    const request = { ...about, disks: this.disks(), container };
    const permit = await askPermit(server, journal, request, { pace, stop, say: attempt.say });
    if (permit.kind === 'refused') return refused(permit.why);
    return { kind: 'admitted', environment, startBeforeMs: permit.untilMs };
  }

  private async result(attempt: Attempt, ran: Ending, lastError: string, seconds: () => number) {
    const { assignment, folder, secrets } = attempt;
    const { workflowId, index, attempt: number, action } = assignment;
    const { bootId } = this.settings;
    const ended = ran.kind === 'exited' && ran.exitCode === 0;
    const outputs = ended ? await readOutputs(folder, secrets.mask) : undefined;
    const ending: Ending = outputs?.kind === 'unusable' ? { kind: 'unusable', why: outputs.why } : ran;
    // Without their values nothing that the action wrote can be freed of its secrets.
    const own = secrets.mask ? await folder.failureText(secrets.masked) : '';
    const result = resultOf(ending, own, lastError, action.timeoutSeconds, secrets.masked);
    const taken = outputs?.kind === 'outputs' ? outputs.outputs : undefined;
    const finished: FinishedReport = {
      ...{ workflowId, index, attempt: number, ...result },
      ...{ seconds: seconds(), finishedAt: now(), bootId, ...(taken ? { outputs: taken } : {}) },
    };
    const succeeded = result.outcome === 'succeeded';
    const after: After = {
      ...{ assignment, bootId, sendData: succeeded },
      handler: handlerOf(assignment, ending, result.outcome),
      reboot: succeeded && (await folder.wantsReboot()),
    };
    return { finished, after };
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
}

function describe({ seconds, message }: FinishedReport): string {
  return `after ${seconds.toFixed(1)} s${message === '' ? '' : `: ${message}`}`;
}

function now(): string {
  return new Date().toISOString();
}
