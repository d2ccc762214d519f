import { randomUUID } from 'node:crypto';
import {
  type Assignment,
  type AttemptRef,
  BusUnavailableError,
  type NatsBus,
  type NextReply,
  type ReportKind,
  reportId,
  type RpcCall,
  type RpcReply,
  type StateReply,
  subjects,
} from '@tinkerbell/messaging';
import type { SimulatedMachine } from './machines';

/** As our worker does without a wake-up. */
const idleMs = 5_000;

export interface WorkerEvents {
  /** Milliseconds from before the report of an end was sent until the next action was there. */
  onNext(milliseconds: number): void;
  onFinished(machine: SimulatedMachine): void;
}

/** The worker of one machine, as the protocol wants it; an action is a pause. */
export class SimulatedWorker {
  private readonly bootId: string = randomUUID();
  private readonly reported = new Set<string>();
  private wakes = 0;
  private onWake: () => void = () => undefined;

  /** `bus`: shared with other workers. */
  constructor(
    readonly machine: SimulatedMachine,
    private readonly bus: NatsBus,
    private readonly events: WorkerEvents,
  ) {
    bus.onWake(machine.id, () => {
      this.wakes++;
      this.onWake();
    });
  }

  /** Works until aborted. */
  async run(stop: AbortSignal): Promise<void> {
    await this.ready();
    stop.addEventListener('abort', () => this.onWake());
    let finished: { readonly at: number; readonly attempt: Assignment } | undefined;
    while (!stop.aborted) {
      const seen = this.wakes;
      const { assignment } = await this.ask<NextReply>('next', { bootId: this.bootId, busy: [] });
      if (!assignment || this.reported.has(keyOf(assignment))) {
        if (!assignment) finished = undefined;
        await this.sleep(seen, idleMs, stop);
        continue;
      }
      if (finished?.attempt.workflowId === assignment.workflowId) this.events.onNext(performance.now() - finished.at);
      await this.perform(assignment);
      const at = performance.now();
      await this.report('finished', assignment, {
        ...{ outcome: 'succeeded', reason: null, exitCode: 0, seconds: 0.1, message: '', outputs: {} },
        finishedAt: new Date().toISOString(),
      });
      this.reported.add(keyOf(assignment));
      finished = { at, attempt: assignment };
      if (assignment.index === assignment.total - 1) this.events.onFinished(this.machine);
    }
  }

  /** Asks at the start and at every wake-up whether it may go on. */
  private async perform(assignment: Assignment): Promise<void> {
    await this.report('started', assignment, { startedAt: new Date().toISOString() });
    const over = new AbortController();
    const timer = setTimeout(
      () => {
        over.abort();
        this.onWake();
      },
      50 + Math.random() * 100,
    );
    while (!over.signal.aborted) {
      const seen = this.wakes;
      const { goOn, reason } = await this.ask<StateReply>('state', refOf(assignment));
      if (!goOn && !over.signal.aborted) throw new Error(`${keyOf(assignment)} may not go on: ${reason}`);
      await this.sleep(seen, idleMs, over.signal);
    }
    clearTimeout(timer);
  }

  private ready(): Promise<void> {
    const about = { workerVersion: '0.1.0', hostname: 'bench', kernel: 'none', node: process.version, engine: 'none' };
    const body = { bootId: this.bootId, ...about, cpus: 2, memoryBytes: 2 ** 30, uptimeSeconds: 10 };
    return this.publish('ready', `ready:${this.machine.id}:${this.bootId}`, body);
  }

  private report(kind: 'started' | 'finished', assignment: Assignment, body: object): Promise<void> {
    const { workflowId, index, attempt } = assignment;
    const id = reportId(workflowId, index, attempt, kind);
    return this.publish(kind, id, { ...refOf(assignment), bootId: this.bootId, ...body });
  }

  private async publish(kind: ReportKind, id: string, body: object): Promise<void> {
    for (;;) {
      try {
        await this.bus.publishReport(subjects.report(this.machine.id, kind), id, body);
        return;
      } catch (error) {
        if (!(error instanceof BusUnavailableError)) throw error;
      }
    }
  }

  private async ask<T>(call: RpcCall, body: object): Promise<T> {
    for (;;) {
      try {
        const reply = await this.bus.request<RpcReply<T>>(subjects.rpc(this.machine.id, call), body);
        if ('err' in reply) throw new Error(`${call}: ${reply.err.code} ${reply.err.message}`);
        return reply.response;
      } catch (error) {
        if (!(error instanceof BusUnavailableError)) throw error;
      }
    }
  }

  /** Until a wake-up later than `seen`. */
  private sleep(seen: number, ms: number, stop: AbortSignal): Promise<void> {
    if (this.wakes > seen || stop.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.onWake(), ms);
      this.onWake = () => {
        clearTimeout(timer);
        this.onWake = () => undefined;
        resolve();
      };
    });
  }
}

const refOf = ({ workflowId, index, attempt }: AttemptRef): AttemptRef => ({ workflowId, index, attempt });
const keyOf = ({ workflowId, index, attempt }: AttemptRef) => `${workflowId}:${index}:${attempt}`;
