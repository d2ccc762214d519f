import type { LogItem } from '../api-types';
import { define, exit, UsageError, type Context } from '../cli-command';
import { harmless, paint, type Color } from '../output/screen';
import { parsePast } from '../output/time';
import { followLogs } from '../story/follow-logs';
import { checkUuids } from './ids';

export const logs = define({
  name: 'logs',
  summary: 'show what the actions of a workflow print',
  details:
    'An action is named by its name, by task/name or by its number from 0. With --follow: until the workflow has ended.',
  examples: [
    'tink logs 2b3b6c1e-45a6-11eb-b13d-0242ac120003',
    'tink logs 2b3b6c1e-45a6-11eb-b13d-0242ac120003 write-image --follow',
    'tink logs 2b3b6c1e-45a6-11eb-b13d-0242ac120003 --since 10m --timestamps',
  ],
  positionals: { usage: '<workflow> [action]', min: 1, max: 2, complete: ['workflow', 'action'] },
  flags: {
    follow: { kind: 'switch', short: 'f', about: 'go on with new lines as they come' },
    since: {
      kind: 'text',
      value: 'TIME',
      about: 'from then on: minutes (15), a duration (30s, 2h, 3d) or an ISO time',
    },
    timestamps: { kind: 'switch', about: 'begin each line with its time' },
    output: {
      kind: 'text',
      short: 'o',
      value: 'FORMAT',
      about: 'text, or json: one object a line',
      choices: ['text', 'json'],
    },
  },
  async run({ flags, positionals: [id = '', action] }, context) {
    checkUuids([id]);
    const query = { action, since: since(context, flags.since) };
    const lines = flags.follow ? followLogs(context, id, query) : context.client.logs(id, query, context.signal);
    const print = flags.output === 'json' ? printJson : printer(flags.timestamps, action === undefined);
    for await (const line of lines) print(context, line);
    return context.signal.aborted ? exit.interrupted : exit.ok;
  },
});

type Print = (context: Context, line: LogItem) => void;

const printJson: Print = (context, line) => context.out(JSON.stringify(line));

/** `12:00:01  write-image | 45 % …`; each action has a colour of its own. */
function printer(timestamps: boolean, named: boolean): Print {
  const palette: readonly Color[] = ['cyan', 'green', 'yellow', 'blue'];
  return ({ screen, out }, { at, action, index, stream, line }) => {
    const text = screen.isTty ? harmless(line, screen.color) : line.replace(/\r$/, '');
    const color: Color | undefined = stream === 'worker' ? 'dim' : undefined;
    const prefix = named
      ? `${paint(screen, palette[index % palette.length], action)} ${paint(screen, 'dim', '|')} `
      : '';
    out(
      `${timestamps ? `${at}  ` : ''}${prefix}${stream === 'worker' ? paint(screen, color, `worker: ${text}`) : text}`,
    );
  };
}

/** `--since` as the server takes it. Throws UsageError. */
export function since(context: Context, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const at = parsePast(text, context.now());
  if (at === undefined)
    throw new UsageError(
      `--since does not understand ${JSON.stringify(text)}`,
      'use 15 (minutes), 30s, 2h, 3d, or 2026-01-31T12:00:00Z',
    );
  return at === 0 ? undefined : new Date(at).toISOString();
}
