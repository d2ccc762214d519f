/** `lost` is since when (milliseconds of the page's clock) nothing was heard. */
export type Link =
  | { readonly status: 'connecting' }
  | { readonly status: 'live' }
  | { readonly status: 'lost'; readonly since: number; readonly attempt: number };

/** The server's heartbeat is 5 s; three missed ones are a lost connection, whatever the socket says. */
const silenceMilliseconds = 16_000;
const longestWaitMilliseconds = 5_000;

export interface SseHandlers {
  readonly events: Readonly<Record<string, (data: string) => void>>;
  readonly onLink: (link: Link) => void;
  /** Let go of the connection while nobody looks: a browser has six for all tabs of one HTTP/1.1 server. */
  readonly pauseWhenHidden?: boolean;
}

/**
 * An EventSource that never gives up: the browser's own stops for good at an HTTP error and does not notice silence. Goes on after
 * the last id that it saw.
 */
export class SseConnection {
  private source: EventSource | undefined;
  private lastId = '';
  private heardAt = 0;
  private lostSince: number | undefined;
  private attempt = 0;
  private live = false;
  private paused = false;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly watchdog: ReturnType<typeof setInterval>;

  constructor(
    private readonly url: string,
    private readonly handlers: SseHandlers,
  ) {
    this.watchdog = setInterval(() => this.watch(), 1000);
    window.addEventListener('online', this.retry);
    document.addEventListener('visibilitychange', this.onVisible);
    this.open();
  }

  /** Tries at once instead of at the next turn. */
  readonly retry = (): void => {
    if (this.lostSince !== undefined) this.open();
  };

  close(): void {
    clearInterval(this.watchdog);
    clearTimeout(this.retryTimer);
    window.removeEventListener('online', this.retry);
    document.removeEventListener('visibilitychange', this.onVisible);
    this.source?.close();
  }

  private readonly onVisible = (): void => {
    const visible = document.visibilityState === 'visible';
    if (visible && this.paused) this.open();
    else if (visible) this.retry();
    else if (this.handlers.pauseWhenHidden) this.pause();
  };

  private pause(): void {
    clearTimeout(this.retryTimer);
    this.source?.close();
    this.paused = true;
  }

  private open(): void {
    clearTimeout(this.retryTimer);
    this.source?.close();
    this.paused = false;
    const separator = this.url.includes('?') ? '&' : '?';
    const resume = this.lastId === '' ? '' : `${separator}lastEventId=${encodeURIComponent(this.lastId)}`;
    const source = new EventSource(`${this.url}${resume}`);
    this.source = source;
    this.heardAt = Date.now();
    for (const [name, handle] of Object.entries(this.handlers.events)) {
      source.addEventListener(name, (event: MessageEvent<string>) => {
        this.heard(event.lastEventId);
        handle(event.data);
      });
    }
    if (!('ping' in this.handlers.events)) source.addEventListener('ping', () => this.heard(''));
    source.addEventListener('error', () => this.lose());
  }

  private heard(id: string): void {
    this.heardAt = Date.now();
    if (id !== '') this.lastId = id;
    if (this.live) return;
    this.live = true;
    this.lostSince = undefined;
    this.attempt = 0;
    this.handlers.onLink({ status: 'live' });
  }

  private lose(): void {
    this.source?.close();
    this.live = false;
    this.lostSince ??= Date.now();
    this.attempt += 1;
    this.handlers.onLink({ status: 'lost', since: this.lostSince, attempt: this.attempt });
    clearTimeout(this.retryTimer);
    const wait = Math.min(500 * 1.6 ** (this.attempt - 1), longestWaitMilliseconds);
    this.retryTimer = setTimeout(() => this.open(), wait);
  }

  private watch(): void {
    if (!this.paused && this.lostSince === undefined && Date.now() - this.heardAt > silenceMilliseconds) this.lose();
  }
}
