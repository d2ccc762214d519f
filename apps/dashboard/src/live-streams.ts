import type { ServerResponse } from 'node:http';
import { NotFoundException } from '@nestjs/common';
import { ActionLogs } from './action-logs';
import { DashboardConfig } from './dashboard.config';
import { LiveHub } from './live-hub';
import { EventStream } from './sse';

/** The open connections of all pages. */
export class LiveStreams {
  private readonly open = new Set<EventStream>();

  constructor(
    private readonly config: DashboardConfig,
    private readonly hub: LiveHub,
    private readonly logs: ActionLogs,
  ) {}

  /** A snapshot, or the changes since `lastId`; then every change as it comes. */
  live(response: ServerResponse, lastId: string | undefined): void {
    const feed = this.hub.subscribe(lastId, ({ id, value }) => stream.send('change', stamped(value), id));
    const stream = this.begin(response, feed.close);
    if (!('value' in feed.first)) feed.first.forEach(({ id, value }) => stream.send('change', stamped(value), id));
    else stream.send('snapshot', stamped(feed.first.value), feed.first.id);
    // The reader learns at once that nothing was missed.
    stream.send('ping', { now: new Date().toISOString() });
  }

  /** The output of one action from its first line, or after the one with the sequence `lastId`. */
  output(response: ServerResponse, workflowId: string, index: number, lastId: string | undefined): void {
    if (!this.hub.workflow(workflowId)?.actions[index]) {
      throw new NotFoundException(`workflow ${workflowId} has no action ${index}`);
    }
    const stop = new AbortController();
    const stream = this.begin(response, () => stop.abort());
    const after = /^\d{1,15}$/.test(lastId ?? '') ? Number(lastId) : 0;
    stream.send('ping', { now: new Date().toISOString() });
    void this.follow(stream, workflowId, index, { after, signal: stop.signal }).catch(() => stream.end());
  }

  close(): void {
    this.open.forEach((stream) => stream.end());
  }

  private async follow(
    stream: EventStream,
    workflowId: string,
    index: number,
    options: { readonly after: number; readonly signal: AbortSignal },
  ): Promise<void> {
    for await (const line of this.logs.follow(workflowId, index, options)) {
      if (options.signal.aborted) return;
      stream.send('line', line, String(line.seq));
    }
    stream.end();
  }

  private begin(response: ServerResponse, onClose: () => void): EventStream {
    const stream: EventStream = new EventStream(response, this.config.DASHBOARD_HEARTBEAT_MS, () => {
      this.open.delete(stream);
      onClose();
    });
    this.open.add(stream);
    return stream;
  }
}

function stamped<T>(body: T): { readonly now: string; readonly body: T } {
  return { now: new Date().toISOString(), body };
}
