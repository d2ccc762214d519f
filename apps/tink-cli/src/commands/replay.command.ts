import { everythingIn, storyOf, type Bundle, type Happening } from '@tinkerbell/history';
import { CommandError, define, exit, UsageError, type Context } from '../cli-command';
import { harmless, paint } from '../output/screen';
import { took } from '../output/time';
import { delay } from '../story/follow';
import { head, printer } from './events.command';
import { checkUuids } from './ids';
import { bundleIn, parseBundle } from './subject';

/** Nobody watches a machine that is switched off for longer than this, in milliseconds. */
const longestPause = 3_000;

export const replay = define({
  name: 'replay',
  summary: 'play the story of a workflow again, from the log',
  details: [
    'What its machines did, its actions and what they printed, in the order and rhythm in which it happened: from the order to the',
    'machine that calls home. A pause of more than 3 seconds is announced and shortened. With --bundle: from a file, without a server.',
  ].join('\n'),
  examples: [
    'tink replay 2b3b6c1e-45a6-11eb-b13d-0242ac120003',
    'tink replay 2b3b6c1e-45a6-11eb-b13d-0242ac120003 --speed 10',
    'tink replay --bundle incident.ndjson --speed max',
  ],
  positionals: { usage: '<workflow>', min: 0, max: 1, complete: ['workflow'] },
  flags: {
    speed: { kind: 'text', value: 'N', about: 'so many times as fast as it was, or max for no pauses (default 1)' },
    bundle: { kind: 'text', value: 'FILE', about: 'a bundle instead of a server', complete: 'file' },
    output: {
      kind: 'text',
      short: 'o',
      value: 'FORMAT',
      about: 'text, or json: one event or line of output a line',
      choices: ['text', 'json'],
    },
  },
  async run({ flags, positionals: [id] }, context) {
    const speed = speedOf(flags.speed ?? '1');
    const story = await storyFrom(context, flags.bundle, id);
    await play(context, story, speed, flags.output === 'json' ? printJson(context) : printText(context));
    return context.signal.aborted ? exit.interrupted : exit.ok;
  },
});

async function storyFrom(
  context: Context,
  file: string | undefined,
  id: string | undefined,
): Promise<readonly Happening[]> {
  if (id !== undefined) checkUuids([id]);
  if (file === undefined && id === undefined)
    throw new UsageError('which workflow?', 'name one, or a file with --bundle');
  const found: Bundle =
    file === undefined
      ? parseBundle(await context.client.bundle('workflow', id ?? ''), 'the answer of the server')
      : await bundleIn(context, file);
  const workflowId = id?.toLowerCase() ?? (found.header.kind === 'workflow' ? found.header.id : undefined);
  const story = workflowId === undefined ? everythingIn(found) : storyOf(found, workflowId);
  if (story.length === 0) throw new CommandError(`workflow ${workflowId} is not in the bundle`, exit.notFound);
  return story;
}

type Print = (happening: Happening) => Promise<void>;

async function play(context: Context, story: readonly Happening[], speed: number, print: Print): Promise<void> {
  let before = story[0]?.at ?? 0;
  for (const happening of story) {
    const { milliseconds, skipped } = pauseBetween(before, happening.at, speed);
    if (skipped > 0) context.err(paint(context.screen, 'dim', `… ${took(skipped / 1000)} later`));
    if (milliseconds > 0) await delay(milliseconds, context.signal);
    if (context.signal.aborted) return;
    await print(happening);
    before = Math.max(before, happening.at);
  }
}

/** How long to wait between two moments, and how much of the real time is left out; in milliseconds. */
export function pauseBetween(
  before: number,
  at: number,
  speed: number,
): { readonly milliseconds: number; readonly skipped: number } {
  const real = Math.max(0, at - before);
  const milliseconds = real / speed;
  return milliseconds > longestPause ? { milliseconds: longestPause, skipped: real } : { milliseconds, skipped: 0 };
}

function speedOf(text: string): number {
  const speed = text === 'max' ? Infinity : /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (speed > 0) return speed;
  throw new UsageError(`--speed does not understand ${JSON.stringify(text)}`, 'use a number such as 10 or 0.5, or max');
}

function printText(context: Context): Print {
  const printEvent = printer(context, 'table');
  return async (happening) => {
    if (happening.kind === 'event') return printEvent(happening.recorded);
    const { at, workflowId, action, line } = happening.line;
    const { screen } = context;
    const place = head({ at, aggregate: 'output', aggregateId: workflowId }, context.now(), screen);
    const text = screen.isTty ? harmless(line, screen.color) : line.replace(/\r$/, '');
    context.out(`${place}  ${paint(screen, 'cyan', action)} ${paint(screen, 'dim', '|')} ${text}`);
  };
}

function printJson({ out }: Context): Print {
  return async (happening) => out(JSON.stringify(happening.kind === 'event' ? happening.recorded : happening.line));
}
