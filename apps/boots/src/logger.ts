/** Where the listeners say what they do; `console`-like, so a test can listen. */
export interface Logger {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** One line each: time, level, text. `debug` only when asked for. */
export function streamLogger(out: { write(text: string): unknown }, withDebug = false): Logger {
  const line = (level: string) => (text: string) => {
    out.write(`${new Date().toISOString()} ${level} boots: ${text.replaceAll(/[\r\n]+/g, ' ')}\n`);
  };
  return {
    debug: withDebug ? line('debug') : () => undefined,
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
  };
}
