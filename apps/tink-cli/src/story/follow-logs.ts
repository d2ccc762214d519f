import { ApiError } from '../api-errors';
import type { LogItem, MachineLogItem } from '../api-types';
import type { Context } from '../cli-command';
import type { LogQuery } from '../client';
import { isEnded } from '../commands/workflow-facts';
import { untilInterrupted } from './follow';

/**
 * Lines as they are written, each one once across restarts of the server. The server ends the answer when the workflow has nothing
 * more to write; an answer that ends while the workflow goes on was a server that was stopped.
 */
export async function* followLogs(context: Context, id: string, query: LogQuery): AsyncGenerator<LogItem> {
  const seen = new Repeats<LogItem>();
  const open = (signal: AbortSignal, onConnect: () => void) =>
    context.client.followLogs(id, { ...query, since: seen.since ?? query.since }, signal, onConnect);
  const ended = async () => {
    try {
      return isEnded((await context.client.workflow(id)).status);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return true;
      throw error;
    }
  };
  for await (const line of untilInterrupted(context, open, { ended })) if (!seen.repeated(line)) yield line;
}

/** What a machine sends by syslog, each line once across restarts of the server, until Ctrl-C. */
export async function* followMachineLogs(
  context: Context,
  name: string,
  since: string | undefined,
): AsyncGenerator<MachineLogItem> {
  const seen = new Repeats<MachineLogItem>();
  const open = (signal: AbortSignal, onConnect: () => void) =>
    context.client.machineLogs(name, { since: seen.since ?? since }, signal, onConnect);
  for await (const line of untilInterrupted(context, open)) if (!seen.repeated(line)) yield line;
}

/** After a reconnection we ask for the lines since the newest one; those of that very moment come again. */
class Repeats<Line extends { readonly at: string }> {
  /** Time of the newest line, ISO 8601. */
  since: string | undefined;
  private lines = new Set<string>();

  repeated(line: Line): boolean {
    const key = JSON.stringify(line);
    const known = this.lines.has(key) && this.since === line.at;
    if (this.since === undefined || line.at > this.since) {
      this.since = line.at;
      this.lines = new Set();
    }
    this.lines.add(key);
    return known;
  }
}
