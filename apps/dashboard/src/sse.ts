import type { ServerResponse } from 'node:http';

/** A reader that is this far behind is cut off; it comes back and is told what it missed. */
const maxBufferedBytes = 8 * 1024 * 1024;

/** One server-sent event (HTML Living Standard §9.2). JSON has no raw line breaks, so one data line is enough. */
export function sseText(event: string, data: unknown, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A response that stays open and carries server-sent events until one side closes it. */
export class EventStream {
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly response: ServerResponse,
    heartbeatMilliseconds: number,
    onClose: () => void,
  ) {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      connection: 'keep-alive',
      // nginx would hold the stream back.
      'x-accel-buffering': 'no',
    });
    response.write('retry: 1000\n\n');
    this.timer = setInterval(() => this.send('ping', { now: new Date().toISOString() }), heartbeatMilliseconds);
    response.on('close', () => {
      clearInterval(this.timer);
      onClose();
    });
  }

  send(event: string, data: unknown, id?: string): void {
    if (this.response.destroyed || this.response.writableEnded) return;
    this.response.write(sseText(event, data, id));
    if (this.response.writableLength > maxBufferedBytes) this.response.destroy();
  }

  end(): void {
    clearInterval(this.timer);
    this.response.end();
  }
}
