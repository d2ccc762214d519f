import { inspect } from 'node:util';
import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import { logLine } from '@tinkerbell/config';

const order = ['error', 'warn', 'log', 'debug'] as const satisfies readonly LogLevel[];
export type TinkLogLevel = 'error' | 'warn' | 'info' | 'debug';

let enabled: ReadonlySet<LogLevel> = upTo('info');

/** For all of this server's loggers. Nest's own level is shared by all apps of a process, and the last one that starts sets it. */
export function setLogLevel(level: TinkLogLevel): void {
  enabled = upTo(level);
}

/** Nest's logger in the form of all our logs, on standard error. */
export class LineLogger extends ConsoleLogger {
  protected override printMessages(messages: unknown[], context = '', level: LogLevel = 'log'): void {
    for (const message of messages) {
      const text = typeof message === 'string' ? message : inspect(message);
      process.stderr.write(logLine(level === 'log' ? 'info' : level, context === '' ? 'nest' : context, text));
    }
  }
}

/** With the level of this server. */
export class ServerLogger extends LineLogger {
  override isLevelEnabled(level: LogLevel): boolean {
    return enabled.has(level);
  }
}

function upTo(level: TinkLogLevel): ReadonlySet<LogLevel> {
  return new Set(order.slice(0, order.indexOf(level === 'info' ? 'log' : level) + 1));
}
