import type { ActionSpec } from '@tinkerbell/events';
import type {
  Assignment,
  FinishedReport,
  HandlerReport,
  LogLine,
  NextReply,
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

/** tink-server's side of the worker protocol for one workflow, in memory: takes reports by id once, as the stream does. */
export class FakeServer {
  readonly started: StartedReport[] = [];
  readonly finished: FinishedReport[] = [];
  readonly handlers: HandlerReport[] = [];
  readonly ready: unknown[] = [];
  readonly lines: LogLine[] = [];
  data = { version: 0, data: '{}' };
  deleted = '';
  private readonly ids = new Set<string>();

  constructor(readonly actions: readonly ActionSpec[]) {}

  get over(): boolean {
    const last = this.finished.at(-1);
    return last !== undefined && (last.outcome !== 'succeeded' || this.finished.length === this.actions.length);
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
    const call = subject.split('.').at(-1);
    if (call === 'next') return { response: this.next() };
    if (call === 'state') return { response: this.state(body as StateRequest) };
    if (call === 'data-get') return { response: this.data };
    if (call !== 'data-put') return { err: { code: 'UNKNOWN', message: `no ${call}` } };
    this.data = { version: this.data.version + 1, data: (body as { data: string }).data };
    return { response: { version: this.data.version } };
  }

  private next(): NextReply {
    if (this.over || this.deleted) return { assignment: null, reason: 'no workflow for this machine' };
    const index = this.finished.length;
    const spec = this.actions[index];
    if (!spec) throw new Error(`there is no action ${index}`);
    const total = this.actions.length;
    const assignment: Assignment = {
      workflowId,
      index,
      attempt: 1,
      total,
      action: spec,
      dataVersion: this.data.version,
    };
    return { assignment, reason: '' };
  }

  private state({ index }: StateRequest): StateReply {
    const finished = this.finished.some((report) => report.index === index);
    const goOn = !finished && this.deleted === '';
    return { goOn, finished, reason: this.deleted || (finished ? 'recorded' : '') };
  }
}
