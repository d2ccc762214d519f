import {
  BusUnavailableError,
  NatsBus,
  reportId,
  subjects,
  type Assignment,
  type DataGetReply,
  type DataPutReply,
  type FinishedReport,
  type HandlerReport,
  type NextReply,
  type ReportKind,
  type RpcReply,
  type RpcCall,
  type StateReply,
} from '@tinkerbell/messaging';

const at = '2026-01-01T00:00:00.000Z';
/** Of a question that a busy machine answers late; that nobody is there is told at once. */
const patienceMs = 60_000;

/** Speaks the worker protocol over its own credential, without containers. */
export class SimulatedWorker {
  wakes = 0;
  private readonly waiting = new Set<() => void>();

  private constructor(
    readonly id: string,
    readonly bootId: string,
    private readonly bus: NatsBus,
  ) {
    bus.onWake(id, () => {
      this.wakes++;
      this.waiting.forEach((look) => look());
    });
  }

  static async connect(
    id: string,
    bootId: string,
    login: { servers: string; ca?: string; jwt: string; seed: string },
  ): Promise<SimulatedWorker> {
    const bus = await NatsBus.connect({ ...login, name: `worker ${id}`, inboxPrefix: subjects.inboxPrefix(id) });
    return new SimulatedWorker(id, bootId, bus);
  }

  close(): Promise<void> {
    return this.bus.close();
  }

  next(): Promise<NextReply> {
    return this.ask('next', { bootId: this.bootId });
  }
  state({ workflowId, index, attempt }: Pick<Assignment, 'workflowId' | 'index' | 'attempt'>): Promise<StateReply> {
    return this.ask('state', { workflowId, index, attempt });
  }
  getData(workflowId: string): Promise<DataGetReply> {
    return this.ask('data-get', { workflowId });
  }
  /** Waits while the start of the action is still on its way into the log, as the protocol wants it. */
  async putData(workflowId: string, index: number, data: string): Promise<DataPutReply> {
    for (;;) {
      const seen = this.wakes;
      try {
        return await this.ask<DataPutReply>('data-put', { workflowId, index, data });
      } catch (error) {
        if (!(error instanceof RpcError) || error.code !== 'NOT_YET') throw error;
        if (this.wakes === seen) await new Promise<void>((resolve) => this.onceWoken(resolve));
      }
    }
  }

  /** Asks at every wake-up until the answer is what is wanted. */
  async until<T>(ask: () => Promise<T>, good: (answer: T) => boolean): Promise<T> {
    for (;;) {
      const seen = this.wakes;
      const answer = await ask();
      if (good(answer)) return answer;
      if (this.wakes === seen) await new Promise<void>((resolve) => this.onceWoken(resolve));
    }
  }

  async assigned(): Promise<Assignment> {
    const { assignment } = await this.until(
      () => this.next(),
      (reply) => reply.assignment !== null,
    );
    if (!assignment) throw new Error('not assigned');
    return assignment;
  }

  /** Until it is acknowledged, as the protocol wants it. */
  async report(kind: ReportKind, id: string, body: object): Promise<{ readonly duplicate: boolean }> {
    for (;;) {
      try {
        return await this.bus.publishReport(subjects.report(this.id, kind), id, body, 1000);
      } catch (error) {
        if (!(error instanceof BusUnavailableError)) throw error;
      }
    }
  }
  started({ workflowId, index, attempt }: Assignment): Promise<unknown> {
    const body = { workflowId, index, attempt, bootId: this.bootId, startedAt: at };
    return this.report('started', reportId(workflowId, index, attempt, 'started'), body);
  }
  finished({ workflowId, index, attempt }: Assignment, over: Partial<FinishedReport> = {}): Promise<unknown> {
    const body = {
      ...{ workflowId, index, attempt, outcome: 'succeeded', reason: null, exitCode: 0 },
      ...{ seconds: 1.5, finishedAt: at, message: '', bootId: this.bootId, ...over },
    };
    return this.report('finished', reportId(workflowId, index, attempt, 'finished'), body);
  }
  handled({ workflowId, index, attempt }: Assignment, handler: HandlerReport['handler']): Promise<unknown> {
    const body = { workflowId, index, attempt, handler, exitCode: 0, seconds: 1, message: '' };
    return this.report('handler', reportId(workflowId, index, attempt, 'handler'), body);
  }
  ready(): Promise<unknown> {
    const { bootId } = this;
    const about = {
      workerVersion: '0.1.0',
      hostname: 'h',
      kernel: 'k',
      node: 'n',
      engine: 'e',
      cpus: 1,
      memoryBytes: 1,
    };
    return this.report('ready', `ready:${bootId}`, { bootId, ...about, uptimeSeconds: 5 });
  }
  log({ workflowId, index, attempt }: Assignment, line: string): Promise<unknown> {
    const body = { at: new Date().toISOString(), stream: 'stdout' as const, attempt, line };
    return this.bus.publishLog(subjects.log(this.id, workflowId, index), body);
  }
  /** A request to any subject, as a worker that misbehaves. */
  raw<T>(subject: string, body: object, timeoutMs = 1000): Promise<T> {
    return this.bus.request<T>(subject, body, timeoutMs);
  }

  private async ask<T>(call: RpcCall, body: object): Promise<T> {
    const reply = await this.bus.request<RpcReply<T>>(subjects.rpc(this.id, call), body, patienceMs);
    if ('err' in reply) throw new RpcError(reply.err.code, reply.err.message);
    return reply.response;
  }

  private onceWoken(resolve: () => void): void {
    const look = (): void => {
      this.waiting.delete(look);
      resolve();
    };
    this.waiting.add(look);
  }
}

export class RpcError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
