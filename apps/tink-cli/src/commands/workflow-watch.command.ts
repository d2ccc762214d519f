import type { WorkflowItem } from '../api-types';
import { define, exit, type Context } from '../cli-command';
import { redrawing } from '../output/redraw';
import { untilInterrupted } from '../story/follow';
import { feedEvents, News, unlessAway } from '../story/news';
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
  const lines = new Map<number, string>();
  const feeds = [
    feedEvents(inner, { aggregate: 'workflow', id }, news),
    ...(live ? [feedLines(inner, id, news, lines)] : []),
  ];
  try {
    for (;;) {
      show(context, { item, lines, note: news.note });
      if (isEnded(item.status) || signal.aborted) return item;
      await news.next(live ? 1_000 : undefined);
      const { position } = news;
      item = await unlessAway(inner, item, () => inner.client.workflow(id, position, inner.signal));
    }
  } finally {
    stop.abort();
    await Promise.all(feeds);
  }
}

/** The newest line of each action that writes one. */
async function feedLines(context: Context, id: string, news: News, lines: Map<number, string>): Promise<void> {
  try {
    const open = (signal: AbortSignal, onConnect: () => void) => context.client.followLogs(id, {}, signal, onConnect);
    for await (const { index, line, stream } of untilInterrupted(context, open)) {
      if (stream === 'worker') continue;
      lines.set(index, line);
      news.tell({});
    }
  } catch (error) {
    news.fail(error);
  }
}

const showJson: Show = (context, { item }) => context.out(JSON.stringify(item));

function plainView(context: Context): Show {
  const changes = plainChanges(context.screen);
  return ({ now, out }, { item }) => {
    for (const line of changes(item, now())) out(line);
  };
}

function liveView({ screen }: Context): Show {
  const draw = redrawing(screen);
  const show = ({ now }: Context, shown: Shown) => draw(frame(shown, now(), screen));
  return Object.assign(show, { live: true });
}
