import { ApiError, UnreachableError } from './api-errors';
import { CommandError, exit, UsageError, type Args } from './cli-command';
import { paint, plain, type Screen } from './output/screen';

interface Sink {
  readonly err: (line: string) => void;
  readonly screen: Screen;
}

/** Says what went wrong and what to do; the exit code. */
export function reportError(
  error: unknown,
  command: string,
  { err, screen }: Sink,
  unusedCredentials?: string,
): number {
  const say = (message: string) => err(`${paint(screen, 'red', 'Error:')} ${message}`);
  if (error instanceof UsageError) {
    say(error.message);
    if (error.hint) err(error.hint);
    err(`See "tink ${command === '' ? '' : `${command} `}--help".`);
    return exit.usage;
  }
  if (error instanceof UnreachableError) {
    say(error.message);
    err(error.hint);
    return exit.unreachable;
  }
  if (error instanceof ApiError) {
    say(
      plain(error.field && !error.message.includes(error.field) ? `${error.field}: ${error.message}` : error.message),
    );
    const hint = hintOf(error, unusedCredentials);
    if (hint) err(hint);
    return exitCodeOf(error);
  }
  if (error instanceof CommandError) {
    say(error.message);
    return error.exitCode;
  }
  say(error instanceof Error ? error.message : String(error));
  return exit.failure;
}

/** What the server says against the value of a flag, as a moment that lies in its future: the flag is what is wrong. */
export function asUsage(error: unknown, flags: Args['flags']): unknown {
  if (!(error instanceof ApiError) || error.status !== 400 || !error.isOfQuestion) return error;
  const { field, message } = error;
  if (field === undefined || flags[field] === undefined) return error;
  const rest = message.startsWith(`${field} `) ? message.slice(field.length) : `: ${message}`;
  return new UsageError(plain(`--${field}${rest}`));
}

export function exitCodeOf({ status }: ApiError): number {
  if (status === 401 || status === 403 || status === 503) return exit.unreachable;
  return status === 404 ? exit.notFound : exit.failure;
}

function hintOf({ status, code }: ApiError, unusedCredentials: string | undefined): string | undefined {
  if (status === 401) {
    const other = unusedCredentials === undefined ? '' : `\n${unusedCredentials}; they are not sent to another server.`;
    return `Give them with --user and --password, with TINK_AUTH_USERNAME and TINK_AUTH_PASSWORD, or in ./.tinkerbell/cli.json.${other}`;
  }
  if (status === 403) return 'These credentials do not allow it.';
  if (status === 503) return 'The server is there but cannot do it now; nothing was changed. Try again.';
  if (status === 404 && code !== 'NOT_FOUND') return 'Is this the address of tink-server?';
  return undefined;
}
