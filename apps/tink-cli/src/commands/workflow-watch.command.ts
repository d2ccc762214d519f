import type { WorkflowItem } from '../api-types';
import { define, exit, type Context } from '../cli-command';
import { delay, followEvents, isAway, untilInterrupted } from '../story/follow';
import { checkUuids } from './ids';
import { plainChanges } from './workflow-changes';
import { frame } from './workflow-frame';
import { isEnded } from './workflow-facts';

export const workflowWatch = define({
  name: 'workflow watch',
  summary: 'watch a workflow until it has ended',
  details: [
    'On a terminal: its actions with state, duration and the newest line of those that run. Otherwise one line per change.',
    'Says what it waits for, and with which command a person decides when one has to.',
    'Exit code 0 when the workflow succeeded, 1 when it failed, ran out of time or was cancelled.',
  ].join('\n'),
  examples: ['tink workflow watch 2b3b6c1e-45a6-11eb-b13d-0242ac120003'],
  positionals: { usage: '<id>', min: 1, max: 1, complete: ['workflow'] },
  flags: {
    output: {
      kind: 'text',
      short: 'o',
      value: 'FORMAT',
      about: 'text, or json: the workflow after each change',
      choices: ['text', 'json'],
    },
  },
  async run({ flags, positionals: [id = ''] }, context) {
    checkUuids([id]);
    const show = flags.output === 'json' ? showJson : context.screen.isTty ? liveView(context) : plainView(context);
    const last = await watch(context, id, show, show.live === true);
    if (context.signal.aborted) return exit.interrupted;
    return last?.status === 'success' ? exit.ok : exit.failure;
  },
});

/** Shows nothing until it has ended. Throws what keeps it from knowing; on Ctrl-C the workflow as it was last seen. */
export async function untilEnded(context: Context, item: WorkflowItem): Promise<WorkflowItem> {
  return (await watch(context, item.id, () => undefined, false)) ?? item;
}

interface Line {
  readonly index: number;
  readonly text: string;
}
interface Shown {
  readonly item: WorkflowItem;
  /** The newest line of output of each action that wrote one, by its index. */
  readonly lines: ReadonlyMap<number, string>;
  /** What keeps us from knowing more. */
  readonly note: string;
}
interface Show {
  (context: Context, shown: Shown): void;
  readonly live?: boolean;
}

/** Shows the workflow after each of its events, and on a live view with the output in between, until it has ended. */
async function watch(context: Context, id: string, show: Show, live: boolean): Promise<WorkflowItem | undefined> {
  let item = await context.client.workflow(id);
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const news = new News(signal);
  // On a live view a message would end up in the middle of the picture.
  const inner: Context = { ...context, signal, ...(live ? { err: (note) => news.tell({ note }) } : {}) };
  const feeds = [feedEvents(inner, id, news), ...(live ? [feedLines(inner, id, news)] : [])];
  try {
    for (;;) {
      show(context, { item, lines: news.lines, note: news.note });
      if (isEnded(item.status) || signal.aborted) return item;
      await news.next(live ? 1_000 : undefined);
      item = await latest(inner, item, news.position);
    }
  } finally {
    stop.abort();
    await Promise.all(feeds);
  }
}

/** The workflow as it is after that position; as it was when the server is away for a moment or the workflow was deleted. */
async function latest(context: Context, item: WorkflowItem, position: number): Promise<WorkflowItem> {
  if (context.signal.aborted) return item;
  try {
    return await context.client.workflow(item.id, position, context.signal);
  } catch (error) {
    if (context.signal.aborted) return item;
    if (!isAway(error)) throw error;
    await delay(500, context.signal);
    return item;
  }
}

async function feedEvents(context: Context, id: string, news: News): Promise<void> {
  try {
    for await (const { position } of followEvents(context, { aggregate: 'workflow', id }))
      news.tell({ position, note: '' });
  } catch (error) {
    news.fail(error);
  }
}

async function feedLines(context: Context, id: string, news: News): Promise<void> {
  try {
    const open = (signal: AbortSignal, onConnect: () => void) => context.client.followLogs(id, {}, signal, onConnect);
    for await (const { index, line, stream } of untilInterrupted(context, open)) {
      if (stream !== 'worker') news.tell({ line: { index, text: line } });
    }
  } catch (error) {
    news.fail(error);
  }
}

/** What has come in since it was last looked at. */
class News {
  position = 0;
  readonly lines = new Map<number, string>();
  note = '';
  private failure: { readonly error: unknown } | undefined;
  private fresh = false;
  private wake: () => void = () => undefined;

  constructor(private readonly signal: AbortSignal) {}

  tell(news: { readonly position?: number; readonly line?: Line; readonly note?: string }): void {
    this.position = Math.max(this.position, news.position ?? 0);
    if (news.line) this.lines.set(news.line.index, news.line.text);
    this.note = news.note ?? this.note;
    this.fresh = true;
    this.wake();
  }

  fail(error: unknown): void {
    this.failure = { error };
    this.wake();
  }

  /** Resolves when there is something new, at the latest after the time; rejects with what a feed failed with. */
  async next(milliseconds: number | undefined): Promise<void> {
    if (!this.fresh && !this.failure && !this.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        this.signal.addEventListener('abort', () => resolve(), { once: true });
        if (milliseconds !== undefined) void delay(milliseconds, this.signal).then(resolve);
      });
    }
    // Lines may come by the thousand: a picture ten times a second is enough.
    if (milliseconds !== undefined) await delay(100, this.signal);
    this.fresh = false;
    if (this.failure) throw this.failure.error;
  }
}

const showJson: Show = (context, { item }) => context.out(JSON.stringify(item));

function plainView(context: Context): Show {
  const changes = plainChanges(context.screen);
  return ({ now, out }, { item }) => {
    for (const line of changes(item, now())) out(line);
  };
}

/** Draws each picture over the one before. */
function liveView({ screen }: Context): Show {
  let height = 0;
  const show = ({ now }: Context, shown: Shown) => {
    const lines = frame(shown, now(), screen);
    // Up to the first line of the last picture; each line is cleared to its end, what is left of the last one below goes too.
    const up = height > 0 ? `\u001b[${height}A\r` : '';
    screen.write(`${up}${lines.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
    height = lines.length;
  };
  return Object.assign(show, { live: true });
}
