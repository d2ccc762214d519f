import type { WorkflowStatus } from '@tinkerbell/projections';
import type { LogItem } from '../api-types';
import type { Context } from '../cli-command';
import type { LogQuery } from '../client';
import { delay, untilInterrupted } from './follow';

/** How often we ask whether the workflow has ended, and how long its last lines may take after that. Milliseconds. */
const pace = { ask: 2_000, silence: 1_000 } as const;

const ended: ReadonlySet<WorkflowStatus> = new Set(['success', 'failed', 'timeout']);

/** Lines as they are written, each one once across restarts of the server, until the workflow has ended and nothing more comes. */
export async function* followLogs(context: Context, id: string, query: LogQuery): AsyncGenerator<LogItem> {
  const done = new AbortController();
  const signal = AbortSignal.any([context.signal, done.signal]);
  const inner = { ...context, signal };
  let lastLine = context.now();
  const isEnded = async () => ended.has((await context.client.workflow(id, undefined, signal)).status);
  const watchEnd = async () => {
    while (!signal.aborted) {
      await delay(pace.ask, signal);
      // A server that is away is the other loop's concern.
      if (!(await isEnded().catch(() => false))) continue;
      while (context.now() - lastLine < pace.silence) await delay(pace.silence, signal);
      done.abort();
    }
  };
  const seen = new Repeats();
  const open = (each: AbortSignal, onConnect: () => void) =>
    context.client.followLogs(id, { ...query, since: seen.since ?? query.since }, each, onConnect);
  const end = watchEnd();
  try {
    for await (const line of untilInterrupted(inner, open, { ended: isEnded })) {
      lastLine = context.now();
      if (!seen.repeated(line)) yield line;
    }
  } finally {
    done.abort();
    await end;
  }
}

/** After a reconnection we ask for the lines since the newest one; those of that very moment come again. */
class Repeats {
  /** Time of the newest line, ISO 8601. */
  since: string | undefined;
  private lines = new Set<string>();

  repeated(line: LogItem): boolean {
    const key = JSON.stringify([line.index, line.stream, line.at, line.line]);
    const known = this.lines.has(key) && this.since === line.at;
    if (this.since === undefined || line.at > this.since) {
      this.since = line.at;
      this.lines = new Set();
    }
    this.lines.add(key);
    return known;
  }
}
