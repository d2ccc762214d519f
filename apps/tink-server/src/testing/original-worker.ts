import type { Client } from '@grpc/grpc-js';
import { GrpcClient, grpcClient } from './harness';

/** A `WorkflowAction` message. */
export interface OriginalAction {
  readonly task_name: string;
  readonly name: string;
  readonly image: string;
  readonly timeout: number;
  readonly command: readonly string[];
  readonly on_timeout: readonly string[];
  readonly on_failure: readonly string[];
  readonly worker_id: string;
}
interface Context {
  readonly workflow_id: string;
  readonly current_action: string;
  readonly current_action_index: number;
  readonly current_action_state: string;
}
type Outcome = 'STATE_SUCCESS' | 'STATE_FAILED' | 'STATE_TIMEOUT';

/** Runs a container: the file of ephemeral data is `data.text`. Throws KilledError when the machine or the worker dies meanwhile. */
export type RunContainer = (action: OriginalAction, command: readonly string[], data: { text: string }) => Outcome;

export class KilledError extends Error {}
class ExitError extends Error {}

/**
 * The tink-worker of v0.6 without containers: the same calls in the same order, with the same retries, including its habit of keeping in
 * mind that the first action was RUNNING when it resumed. The wire is ours: `proto/workflow/workflow.proto`.
 */
export class OriginalWorker {
  readonly ran: string[] = [];
  private readonly files = new Map<string, { text: string }>();
  private readonly calls: GrpcClient;
  private stopped = false;

  private constructor(
    readonly id: string,
    private readonly client: Client,
    private readonly container: RunContainer,
    private readonly retryMilliseconds: number,
  ) {
    this.calls = new GrpcClient(client);
  }

  /** Trusts what the certificate URL gives out over plain HTTP. */
  static async connect(
    id: string,
    site: { readonly certUrl: string; readonly grpcAuthority: string },
    container: RunContainer,
    retryMilliseconds = 20,
  ): Promise<OriginalWorker> {
    const pem = await (await fetch(site.certUrl)).text();
    return new OriginalWorker(id, grpcClient('workflow', site.grpcAuthority, pem), container, retryMilliseconds);
  }

  /** Works until an action fails, a report is refused three times, or it is killed or stopped. */
  async run(): Promise<'ended after a failed action' | 'exit 1' | 'killed' | 'stopped'> {
    try {
      while (!this.stopped) {
        // A stream that ends after the workflows of now; the worker asks again.
        for await (const context of this.calls.stream<Context>('GetWorkflowContexts', { worker_id: this.id })) {
          if (!(await this.work(context))) return 'ended after a failed action';
        }
        await this.pause();
      }
      return 'stopped';
    } catch (error) {
      if (error instanceof ExitError) return 'exit 1';
      if (error instanceof KilledError) return 'killed';
      throw error;
    } finally {
      this.client.close();
    }
  }

  stop(): void {
    this.stopped = true;
  }

  /** False when an action did not succeed: the process ends then. */
  private async work(context: Context): Promise<boolean> {
    const { workflow_id } = context;
    const { action_list: actions } = await this.calls.call<{ action_list: readonly OriginalAction[] }>(
      'GetWorkflowActions',
      { workflow_id },
    );
    const start = firstIndex(context);
    if (start === undefined) return true;
    for (const action of actions.slice(start)) {
      if (action.worker_id !== this.id) return true;
      const data = this.files.get(workflow_id) ?? { text: '{}' };
      this.files.set(workflow_id, data);
      if (context.current_action_state !== 'STATE_RUNNING') {
        await this.report(workflow_id, action, 'STATE_RUNNING', 'Started execution');
      }
      const outcome = await this.execute(workflow_id, action, data);
      if (outcome !== 'STATE_SUCCESS') return false;
    }
    return true;
  }

  private async execute(workflow_id: string, action: OriginalAction, data: { text: string }): Promise<Outcome> {
    const latest = await this.calls.call<{ data: Buffer }>('GetWorkflowData', { workflow_id, version: 0 });
    if (latest.data.length > 0) data.text = latest.data.toString();
    const before = data.text;
    this.ran.push(action.name);
    const outcome = this.container(action, action.command, data);
    if (outcome !== 'STATE_SUCCESS') {
      const onTimeout = outcome === 'STATE_TIMEOUT' && action.on_timeout.length > 0;
      const handler = onTimeout ? action.on_timeout : action.on_failure;
      if (handler.length > 0) this.container(action, handler, data);
      await this.report(workflow_id, action, outcome, `action ${outcome}`);
      return outcome;
    }
    await this.report(workflow_id, action, outcome, 'finished execution successfully', 1);
    if (data.text !== before) {
      // Its checksum is none; the server makes its own.
      const metadata = Buffer.from(JSON.stringify({ 'worker-id': this.id, sha256: 'not one' }));
      await this.calls.call('UpdateWorkflowData', { workflow_id, data: Buffer.from(data.text), metadata });
    }
    return outcome;
  }

  private async report(
    workflow_id: string,
    { task_name, name }: OriginalAction,
    action_status: string,
    message: string,
    seconds = 0,
  ): Promise<void> {
    const report = { workflow_id, task_name, action_name: name, action_status, message, seconds, worker_id: this.id };
    for (let tries = 1; ; tries++) {
      try {
        await this.calls.call('ReportActionStatus', report);
        return;
      } catch (error) {
        if (tries === 3) throw new ExitError(String(error), { cause: error });
        await this.pause();
      }
    }
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.retryMilliseconds));
  }
}

/** No action yet: the first; after a success the next; else the same; undefined: it has ended. */
function firstIndex(context: Context): number | undefined {
  const { current_action, current_action_index, current_action_state } = context;
  if (current_action === '') return 0;
  if (current_action_state === 'STATE_SUCCESS') return current_action_index + 1;
  if (current_action_state === 'STATE_PENDING' || current_action_state === 'STATE_RUNNING') return current_action_index;
  return undefined;
}
