const syncMilliseconds = 10_000;

/**
 * The time as the log has it: deadlines count from when the log took a fact, so they must not be compared with a clock of this machine,
 * which may be wrong or be set while we run. Between two looks at the log's clock ours is only used to measure how long ago that was.
 */
export class LogClock {
  private constructor(private base: { readonly logTime: number; readonly at: number }) {}

  /** `ask`: the log's time, milliseconds since 1970. Looks again now and then until aborted; a look that fails changes nothing. */
  static async start(ask: () => Promise<number>, signal: AbortSignal): Promise<LogClock> {
    const clock = new LogClock(await look(ask));
    const timer = setInterval(() => {
      look(ask).then(
        (base) => (clock.base = base),
        () => undefined,
      );
    }, syncMilliseconds);
    signal.addEventListener('abort', () => clearInterval(timer));
    if (signal.aborted) clearInterval(timer);
    return clock;
  }

  /** Milliseconds since 1970. */
  readonly now = (): number => this.base.logTime + (performance.now() - this.base.at);
}

async function look(ask: () => Promise<number>): Promise<{ readonly logTime: number; readonly at: number }> {
  const asked = performance.now();
  const logTime = await ask();
  return { logTime, at: (asked + performance.now()) / 2 };
}
