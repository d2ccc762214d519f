/** One line of every service's log, with its end: ISO 8601 time, level (`error`, `warn`, `info`, `debug`), who says it, text. */
export function logLine(level: string, who: string, text: string): string {
  return `${new Date().toISOString()} ${level} ${who}: ${text.replaceAll(/[\r\n]+/g, ' ')}\n`;
}
