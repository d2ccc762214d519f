/** Which lines of the child processes are worth a look without --debug. */

/** nats-server marks a line with its level: `[INF]`, `[WRN]`, `[ERR]`, `[FTL]`. Large payloads are what we set. */
export function natsLineMatters(line: string): boolean {
  return /^\[(?:WRN|ERR|FTL)\]/.test(line) && !/Maximum payloads over/.test(line);
}

/** docker-registry mixes its access log into its own, and calls an answer 404 to `is it there?` an error. */
export function registryLineMatters(line: string): boolean {
  if (/^\S+ - \S+ \[/.test(line) || /\blevel=(?:debug|info)\b/.test(line)) return false;
  return !/msg="response completed with error"/.test(line) || /http\.response\.status=5\d\d/.test(line);
}
