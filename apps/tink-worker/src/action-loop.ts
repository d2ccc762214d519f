import { setMaxListeners } from 'node:events';
import { Injectable } from '@nestjs/common';
import { reportId, subjects, type AttemptRef, type NextReply, type ReadyReport } from '@tinkerbell/messaging';
import { Attempts, type After, type Neighbours } from './action/attempts';
import { DetachedError } from './action/ending';
import { Prefetch } from './action/prefetch';
import { Bus } from './bus/bus';
import { Containers } from './containers/containers';
import { readDiskSerials } from './disks/disk-serials';
import { Journal } from './journal/journal';
import { readMachine } from './machine';
import { OutputShipper } from './output/output-shipper';
import { backoffMs, errorText, insist } from './pace';
import { Reporter } from './reporter';
import { Running } from './running';
import { RefusedError, Server } from './server';
import { WorkerSettings } from './settings';
import { Wake } from './wake';
import { WorkerLog } from './worker-log';

/** A result that the server goes on not to know is published again, every so many questions. */
const publishAgainEvery = 10;

/** Asks for work and does it, several actions at once where it is given them, until it is stopped or the machine is to be rebooted. */
@Injectable()
export class ActionLoop {
  private readonly detach = new AbortController();
  private readonly wake = new Wake();
  private readonly reporter: Reporter;
  private readonly shipper: OutputShipper;
  private readonly server: Server;
  private readonly attempts: Attempts;
  private readonly prefetch: Prefetch;
  private readonly tasks: Running;
  private running: Promise<boolean> | undefined;
  /** A task went wrong in a way that nobody foresaw: the worker ends with that. */
  private fail: (error: unknown) => void = () => {};
  private rebooting = false;
  private leftovers = true;
  private idleReason = '';

  constructor(
    private readonly settings: WorkerSettings,
    private readonly containers: Containers,
    private readonly journal: Journal,
    bus: Bus,
    private readonly log: WorkerLog,
  ) {
    const { workerId, bootId, pace, rebootCommand } = settings;
    this.reporter = new Reporter(bus, journal, workerId, pace, log);
    this.shipper = new OutputShipper(bus, pace, (text) => log.warn(text));
    this.server = new Server(bus, workerId, pace);
    const { reporter, shipper, server, wake } = this;
    const ports = { containers, journal, reporter, server, shipper, wake, log };
    this.attempts = new Attempts(settings, ports, () => readDiskSerials(settings.sysDirectory));
    this.prefetch = new Prefetch(containers, settings.registry, this.detach.signal, (text) => log.info(text));
    this.tasks = new Running(journal, bootId, rebootCommand !== '', () => wake.ring());
    setMaxListeners(0, this.detach.signal);
    bus.onWake(subjects.wake(workerId), () => wake.ring());
  }

  /** Resolves with true when the machine should be rebooted now, with false when stopped. */
  run(): Promise<boolean> {
    const failure = new Promise<never>((_, reject) => (this.fail = reject));
    this.running ??= Promise.race([this.work(), failure]).catch((error: unknown) => {
      if (error instanceof DetachedError || this.detach.signal.aborted) return false;
      throw error;
    });
    return this.running;
  }

  /** Leaves running containers alone, finishes what is being sent (within bounds), and ends. */
  async stop(): Promise<void> {
    this.detach.abort();
    const { closeMs } = this.settings.pace;
    const limit = setTimeout(() => this.reporter.giveUp(), closeMs);
    await this.running?.catch(() => undefined);
    await this.shipper.flush(closeMs);
    clearTimeout(limit);
    this.reporter.giveUp();
    this.shipper.stop();
  }

  private async work(): Promise<boolean> {
    await this.finishEarlierWork();
    if (!this.rebooting) await this.reportReady();
    for (let again = 0; !this.detach.signal.aborted && !this.rebooting;) {
      const seen = this.wake.seen;
      const { pace } = this.settings;
      if (!this.mayAsk()) {
        await this.wake.sleep(seen, pace.idleMs, this.detach.signal);
        continue;
      }
      const reply = await this.ask();
      if (!reply) break;
      const isClean = !this.leftovers || (await this.sweep(reply));
      const { assignment } = reply;
      const known = assignment && this.resultOf(assignment);
      if (assignment && !known && isClean && this.isWelcome(assignment) && (await this.othersGoOn())) {
        again = 0;
        this.idleReason = '';
        this.prefetch.begin(assignment.upcoming ?? []);
        this.begin(assignment, (neighbours) => this.attempts.perform(assignment, neighbours, this.detach.signal));
        continue;
      }
      if (!assignment && this.tasks.attempts.length === 0) this.idle(reply.reason);
      if (known && ++again % publishAgainEvery === 0) await this.publishAgain(assignment);
      await this.forgetUnwanted();
      await this.wake.sleep(seen, known ? backoffMs(pace, again) : pace.idleMs, this.detach.signal);
    }
    await this.tasks.settled();
    return this.rebooting;
  }

  private begin(attempt: AttemptRef, work: (neighbours: Neighbours) => Promise<boolean>, after?: After): void {
    const guarded = async (neighbours: Neighbours) => {
      try {
        if (this.mayReboot(await work(neighbours))) this.rebooting = true;
      } catch (error) {
        if (!(error instanceof DetachedError || this.detach.signal.aborted)) this.fail(error);
      }
    };
    this.tasks.begin(attempt, guarded, after);
  }

  /** While a handler runs or a reboot is to come only what was begun before is taken up again. */
  private mayAsk(): boolean {
    const { active, holds, lost } = this.tasks;
    return active < this.settings.parallel && (!holds || lost.length > 0);
  }

  private isWelcome(assignment: AttemptRef): boolean {
    return !this.tasks.has(assignment) && (!this.tasks.holds || this.tasks.isLost(assignment));
  }

  /** What the server has no more use for, as after a time limit, may still write to the disk until it is stopped. */
  private async othersGoOn(): Promise<boolean> {
    const goes = (attempt: AttemptRef) =>
      this.server.state(attempt).then(
        ({ goOn }) => goOn,
        () => false,
      );
    return (await Promise.all(this.tasks.running.map(goes))).every(Boolean);
  }

  /** What an earlier process began and the server has no more use for need not be waited for. */
  private async forgetUnwanted(): Promise<void> {
    for (const attempt of this.tasks.lost) if (await this.isUnwanted(attempt)) this.tasks.forget(attempt);
  }

  /** What an earlier process of this worker wrote down and did not finish. Beside it others may run already, or still. */
  private async finishEarlierWork(): Promise<void> {
    for (const report of this.journal.unsent()) if (!report.after) await this.reporter.deliver(report);
    for (const report of this.journal.unclosed()) {
      this.log.info(`going on with ${report.id}, which is in the journal`);
      const after = report.after as After;
      const complete = (neighbours: Neighbours) => this.attempts.complete(report, neighbours, this.detach.signal);
      this.begin(after.assignment, complete, after);
    }
    if (this.tasks.lost.length === 0) await this.tasks.settled();
  }

  private mayReboot(wanted: boolean): boolean {
    const able = this.settings.rebootCommand !== '';
    if (wanted && !able) this.log.warn('an action asked for a reboot, but TINK_REBOOT_COMMAND is not set; going on');
    return wanted && able;
  }

  private async reportReady(): Promise<void> {
    const { workerId, bootId, pace } = this.settings;
    const id = `ready:${workerId}:${bootId}`;
    const engine = await insist(
      pace,
      this.detach.signal,
      () => this.containers.version(),
      (error, tries) => tries % 20 === 1 && this.log.warn(`the container engine does not answer: ${errorText(error)}`),
    );
    this.log.stage(`engine ${engine}`);
    if (this.journal.isAcked(id)) return;
    const ready: ReadyReport = { bootId, engine, ...readMachine() };
    await this.reporter.deliver(this.reporter.record('ready', id, ready));
    this.log.stage('ready');
  }

  /** Undefined when stopped. */
  private ask(): Promise<NextReply | undefined> {
    const { bootId, publicKey: key, pace, parallel } = this.settings;
    return insist(
      pace,
      this.detach.signal,
      () => this.server.next({ bootId, ...(key && { key }), ...(parallel > 1 && { busy: this.tasks.attempts }) }),
      (error, tries) => tries % 20 === 1 && this.log.warn(`no answer to the question for work: ${errorText(error)}`),
    ).catch(() => undefined);
  }

  /** With its start: a log that was restored from before it knows of neither, and takes no result without. */
  private async publishAgain({ workflowId, index, attempt }: AttemptRef): Promise<void> {
    for (const kind of ['started', 'finished']) {
      const report = this.journal.report(reportId(workflowId, index, attempt, kind));
      if (report) await this.reporter.publish(report);
    }
  }

  private resultOf({ workflowId, index, attempt }: AttemptRef) {
    return this.journal.report(reportId(workflowId, index, attempt, 'finished'));
  }

  /** Removes containers that an earlier process left and that nobody wants any more. Whether none of those runs now. */
  private async sweep({ assignment }: NextReply): Promise<boolean> {
    const names = await this.containers.list(this.settings.workerId).catch((error: unknown) => {
      this.log.warn(`not known what an earlier run left, nothing begins: ${errorText(error)}`);
      return undefined;
    });
    if (!names) return false;
    let left = 0;
    let isClean = true;
    for (const name of names) {
      const [, workflowId, index, attempt] = /^tinkerbell_([^_]+)_(\d+)_(\d+)/.exec(name) ?? [];
      const parts = { workflowId: workflowId ?? '', index: Number(index), attempt: Number(attempt) };
      const { workflowId: w, index: i, attempt: a } = assignment ?? {};
      if (this.tasks.has(parts)) continue;
      const isNext = w === parts.workflowId && i === parts.index && a === parts.attempt && !this.resultOf(parts);
      if (isNext) continue;
      const isWanted = !this.resultOf(parts) && !(await this.isUnwanted(parts));
      const found = isWanted ? 'wanted' : await this.remove(name);
      if (found !== 'removed') left += 1;
      if (found === 'running') isClean = false;
    }
    this.leftovers = left > 0;
    return isClean;
  }

  private async remove(name: string): Promise<'removed' | 'ended' | 'running'> {
    this.log.info(`removing ${name}, left by an earlier run`);
    try {
      await this.containers.remove(name);
      return 'removed';
    } catch (error) {
      const state = await this.containers.inspect(name).then(
        (status) => status?.state ?? 'ended',
        () => 'running',
      );
      if (state !== 'running') return 'ended';
      this.log.warn(`${name} is not removed, nothing begins beside it: ${errorText(error)}`);
      return 'running';
    }
  }

  private async isUnwanted(attempt: AttemptRef): Promise<boolean> {
    try {
      return !(await this.server.state(attempt)).goOn;
    } catch (error) {
      return error instanceof RefusedError;
    }
  }

  private idle(reason: string): void {
    if (reason === this.idleReason) return;
    this.idleReason = reason;
    this.log.stage(`idle: ${reason || 'nothing to do'}`);
  }
}
