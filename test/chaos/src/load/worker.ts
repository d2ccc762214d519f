import {
  type NatsBus,
  reportId,
  subjects,
  type Assignment,
  type NextReply,
  type RpcReply,
  type StateReply,
  pause,
} from '@tinkerbell/messaging';
import type { Ledger } from '../ledger';
import type { Random } from '../random';
import { Machine, type Report } from './machine';

export interface WorkerOptions {
  readonly id: string;
  /** Shared with other workers: a process that opened one for each would be busy with nothing but handshakes. */
  readonly bus: NatsBus;
  readonly random: Random;
  readonly ledger: Ledger;
  /** Another machine has the same identity. */
  readonly twin: boolean;
  /** Chance of a crash at each point where one can happen. */
  readonly crash: () => number;
  readonly stop: AbortSignal;
}

/** Where a worker may die. */
type CrashPoint = 'before-start' | 'before-effect' | 'after-effect' | 'before-report' | 'before-ack' | 'after-ack';

class Crash extends Error {}

const idleMs = 5_000;
/** What a crashed process takes to come back, and a machine to boot. */
const restartMs = [100, 1_500] as const;

/** A worker as the protocol wants it, with a machine under it that it may lose; without containers. */
export class Worker {
  private readonly machine = new Machine();
  private wakes = 0;
  private onWake: () => void = () => undefined;

  constructor(private readonly options: WorkerOptions) {}

  get clockMs(): number {
    return this.machine.clockMs;
  }
  set clockMs(milliseconds: number) {
    this.machine.clockMs = milliseconds;
  }

  async run(): Promise<void> {
    const { id, bus, random, stop, twin } = this.options;
    bus.onWake(id, () => {
      this.wakes++;
      this.onWake();
    });
    while (!stop.aborted) {
      try {
        await this.work();
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        if (random.chance(0.2) && !twin) this.machine.reset();
      }
      await pause(random.between(...restartMs), stop);
    }
  }

  private async work(): Promise<void> {
    const { stop, random } = this.options;
    for (const { report, acked } of this.machine.journal.values()) if (!acked) await this.deliver(report);
    while (!stop.aborted) {
      const seen = this.wakes;
      const reply = await this.ask<NextReply>('next', { bootId: this.machine.bootId });
      const assignment = reply?.assignment;
      if (!assignment) {
        await this.sleep(seen, reply ? idleMs : random.between(200, 1_000));
        continue;
      }
      const { workflowId, index, attempt } = assignment;
      const known = this.machine.journal.get(reportId(workflowId, index, attempt, 'finished'));
      if (known) {
        // The result is on its way into the log.
        await this.sleep(seen, 1_000);
        if (random.chance(0.2)) await this.deliver(known.report);
        continue;
      }
      await this.perform(assignment);
    }
  }

  private async perform(assignment: Assignment): Promise<void> {
    const { random, ledger, id, twin, bus } = this.options;
    const { workflowId, index, attempt, action } = assignment;
    const key = `${workflowId}:${index}:${attempt}`;
    this.mayCrash('before-start');
    await this.deliver(this.machine.started(assignment));
    if (action.name === 'silent') return this.hang(assignment);
    this.mayCrash('before-effect');
    if (!this.machine.ran.has(key)) {
      this.machine.ran.add(key);
      ledger.add({ t: 'effect', workflowId, index, attempt, worker: id, twin });
    }
    const ms = random.between(50, 600);
    await pause(ms, this.options.stop);
    this.mayCrash('after-effect');
    if (twin && !(await this.ask<StateReply>('state', { workflowId, index, attempt }))?.goOn) return;
    const finished = this.machine.finished(assignment, ms / 1000, random.chance(0.03) ? 17 : 0);
    this.mayCrash('before-report');
    if (random.chance(this.options.crash())) {
      // Sent, and gone before the answer.
      bus.publishReport(subjects.report(id, finished.kind), finished.id, finished.body).catch(() => undefined);
      throw new Crash('before-ack' satisfies CrashPoint);
    }
    await this.deliver(finished);
    this.mayCrash('after-ack');
  }

  /** An action that nobody ends: its time runs out on the server. */
  private async hang({ workflowId, index, attempt }: Assignment): Promise<void> {
    for (;;) {
      if (this.options.stop.aborted) return;
      const seen = this.wakes;
      const state = await this.ask<StateReply>('state', { workflowId, index, attempt });
      if (state && !state.goOn) return;
      await this.sleep(seen, 2_000);
    }
  }

  /** Until it is acknowledged. */
  private async deliver(report: Report): Promise<void> {
    const { id, bus, stop, ledger } = this.options;
    const subject = subjects.report(id, report.kind);
    while (!stop.aborted) {
      try {
        await bus.publishReport(subject, report.id, report.body, 2_000);
        ledger.add({ t: 'report', kind: report.kind, id: report.id, ...report.of, worker: id });
        const entry = this.machine.journal.get(report.id);
        if (entry) entry.acked = true;
        return;
      } catch {
        await pause(250, stop);
      }
    }
  }

  /** undefined: no answer, or a refusal. */
  private async ask<T>(call: 'next' | 'state', body: object): Promise<T | undefined> {
    try {
      const reply = await this.options.bus.request<RpcReply<T>>(subjects.rpc(this.options.id, call), body, 3_000);
      return 'err' in reply ? undefined : reply.response;
    } catch {
      return undefined;
    }
  }

  private mayCrash(point: CrashPoint): void {
    if (this.options.random.chance(this.options.crash())) throw new Crash(point);
  }

  /** Until the next wake-up; one that came since `seen` counts. */
  private async sleep(seen: number, ms: number): Promise<void> {
    if (this.wakes !== seen) return;
    const woken = new AbortController();
    this.onWake = () => woken.abort();
    const stop = () => woken.abort();
    this.options.stop.addEventListener('abort', stop);
    await pause(ms, woken.signal);
    this.options.stop.removeEventListener('abort', stop);
  }
}
