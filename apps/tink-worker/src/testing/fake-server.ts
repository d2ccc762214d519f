import type { ActionSpec } from '@tinkerbell/events';
import type {
  Assignment,
  AttemptRef,
  FinishedReport,
  HandlerReport,
  LogLine,
  NextReply,
  NextRequest,
  PermitRequest,
  StartedReport,
  StateReply,
  StateRequest,
} from '@tinkerbell/messaging';
import type { Published } from '../bus/fake';

export const workerId = '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94';
export const workflowId = '5a6d7564-d699-4e9f-a29c-a5890ccbd768';

export function action(name: string, more: Partial<ActionSpec> = {}): ActionSpec {
  return {
    task: 'task',
    name,
    image: 'bb:1',
    timeoutSeconds: 60,
    command: [],
    onTimeout: [],
    onFailure: [],
    workerId,
    volumes: [],
    environment: [],
    pid: '',
    ...more,
  };
}

/** How an action fits in, as far as a worker notices. */
export interface FakePlan {
  /** Indexes; absent: the action before it. */
  readonly needs?: readonly number[];
  readonly destructive?: boolean;
  readonly resumed?: boolean;
  /** Environment variable → value. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** tink-server's side of the worker protocol for one workflow, in memory: takes reports by id once, as the stream does. */
export class FakeServer {
  readonly started: StartedReport[] = [];
  readonly finished: FinishedReport[] = [];
  readonly handlers: HandlerReport[] = [];
  readonly ready: unknown[] = [];
  readonly lines: LogLine[] = [];
  /** Every permit that was granted, with the request. */
  readonly permits: PermitRequest[] = [];
  readonly requests: { readonly call: string; readonly body: unknown }[] = [];
  data = { version: 0, data: '{}' };
  deleted = '';
  cancelled = '';
  permitSeconds = 60;
  private readonly ids = new Set<string>();

  constructor(
    readonly actions: readonly ActionSpec[],
    readonly plans: readonly FakePlan[] = [],
  ) {}

  get over(): boolean {
    return this.actions.every((_, index) => this.resultOf(index) !== undefined || this.isBlocked(index));
  }

  private resultOf(index: number): FinishedReport | undefined {
    return this.finished.find((report) => report.index === index);
  }

  private needsOf(index: number): readonly number[] {
    return this.plans[index]?.needs ?? (index === 0 ? [] : [index - 1]);
  }

  private isBlocked(index: number): boolean {
    return this.needsOf(index).some((need) => {
      const result = this.resultOf(need);
      return result ? result.outcome !== 'succeeded' : this.isBlocked(need);
    });
  }

  /** One message of TINK_IN or TINK_LOG. */
  take({ subject, body, id }: Published): void {
    if (this.ids.has(id)) return;
    this.ids.add(id);
    const content: unknown = JSON.parse(body);
    if (subject.startsWith('tink.log.')) this.lines.push(content as LogLine);
    else if (subject.endsWith('.started')) this.started.push(content as StartedReport);
    else if (subject.endsWith('.finished')) this.finished.push(content as FinishedReport);
    else if (subject.endsWith('.handler')) this.handlers.push(content as HandlerReport);
    else this.ready.push(content);
  }

  /** One request; the subject's last token says which. */
  answer(subject: string, body: unknown): unknown {
    const call = subject.split('.').at(-1) ?? '';
    this.requests.push({ call, body });
    if (call === 'next') return { response: this.next(body as NextRequest) };
    if (call === 'state') return { response: this.state(body as StateRequest) };
    if (call === 'data-get') return { response: this.data };
    if (call === 'permit') return this.permit(body as PermitRequest);
    if (call === 'secrets') return { response: { values: this.plans[(body as AttemptRef).index]?.secrets ?? {} } };
    if (call !== 'data-put') return { err: { code: 'UNKNOWN', message: `no ${call}` } };
    this.data = { version: this.data.version + 1, data: (body as { data: string }).data };
    return { response: { version: this.data.version } };
  }

  private next({ busy }: NextRequest): NextReply {
    if (this.over || this.deleted || this.cancelled) {
      return { assignment: null, reason: 'no workflow for this machine' };
    }
    const isBusy = (index: number) => busy?.some((other) => other.workflowId === workflowId && other.index === index);
    const index = this.actions.findIndex((_, i) => {
      const ready = this.needsOf(i).every((need) => this.resultOf(need)?.outcome === 'succeeded');
      return ready && !this.resultOf(i) && !isBusy(i);
    });
    const spec = this.actions[index];
    if (!spec) return { assignment: null, reason: 'waiting for what runs' };
    const { destructive, resumed, secrets } = this.plans[index] ?? {};
    const assignment: Assignment = {
      workflowId,
      index,
      attempt: 1,
      total: this.actions.length,
      action: spec,
      dataVersion: this.data.version,
      ...(destructive === undefined ? {} : { destructive }),
      ...(resumed === undefined ? {} : { resumed }),
      ...(secrets ? { secretNames: Object.keys(secrets) } : {}),
    };
    return { assignment, reason: '' };
  }

  private state({ index }: StateRequest): StateReply {
    const finished = this.finished.some((report) => report.index === index);
    const goOn = !finished && this.deleted === '' && this.cancelled === '';
    const reason = this.cancelled || this.deleted || (finished ? 'recorded' : '');
    return { goOn, finished, reason, ...(this.cancelled ? { cancelled: true } : {}) };
  }

  private permit(request: PermitRequest): unknown {
    const given = this.permits.find(({ index, attempt }) => index === request.index && attempt === request.attempt);
    if (given && (given.nonce !== request.nonce || given.bootId !== request.bootId)) {
      return { err: { code: 'CONFLICT', message: 'this attempt has its permit already' } };
    }
    if (!given) this.permits.push(request);
    return {
      response: {
        expiresAt: new Date(Date.now() + this.permitSeconds * 1000).toISOString(),
        seconds: this.permitSeconds,
      },
    };
  }
}
