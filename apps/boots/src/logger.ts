import { logLine } from '@tinkerbell/config';

/** Where the listeners say what they do; `console`-like, so a test can listen. */
export interface Logger {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
  /** What is less than a warning goes nowhere: who has something to say of each packet need not put it together. */
  readonly isQuiet?: boolean;
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  isQuiet: true,
};

/** Most urgent first. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** One line each: time, level, text. What is less urgent than `least` is left out. */
export function streamLogger(out: { write(text: string): unknown }, least: LogLevel = 'info'): Logger {
  const line = (level: LogLevel) => {
    if (logLevels.indexOf(level) > logLevels.indexOf(least)) return () => undefined;
    return (text: string) => {
      out.write(logLine(level, 'boots', text));
    };
  };
  const isQuiet = least === 'error' || least === 'warn';
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error'), isQuiet };
}
