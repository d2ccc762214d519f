import { namesIn, shortNames } from '@tinkerbell/projections';
import type { WorkflowItem } from '../api-types';
import { define, exit, type Context } from '../cli-command';
import { decisionFlags, printDecided } from './decision-flags';
import { forEach } from './for-each';
import { checkUuids, someIds } from './ids';
import { isEnded } from './workflow-facts';
import { untilEnded } from './workflow-watch.command';

const someWorkflows = { ...someIds, complete: ['workflow'] } as const;

export const workflowCancel = define({
  name: 'workflow cancel',
  summary: 'end a workflow before it is done',
  details: [
    'Nothing further of it starts, and its worker is told to stop what runs: SIGTERM, some grace, SIGKILL. With --wait the',
    'command ends when that is over and says whether the worker has confirmed it; exit code 1 when it has not, or when the',
    'workflow ended otherwise.',
  ].join('\n'),
  examples: [
    'tink workflow cancel 2b3b6c1e-45a6-11eb-b13d-0242ac120003 --reason "wrong machine"',
    'tink workflow cancel 2b3b6c1e-45a6-11eb-b13d-0242ac120003 --wait',
  ],
  positionals: someWorkflows,
  flags: { wait: { kind: 'switch', short: 'w', about: 'until it has ended' }, ...decisionFlags },
  async run({ flags, positionals }, context) {
    const { done, code } = await decideEach(context, 'cancel', positionals, flags.reason);
    const items: WorkflowItem[] = [];
    let worst = code;
    for (const asked of done) {
      const item = flags.wait ? await untilEnded(context, asked) : asked;
      if (context.signal.aborted) return exit.interrupted;
      items.push(item);
      const told = await outcomeOf(context, item, flags.wait);
      if (!told.good && worst === exit.ok) worst = exit.failure;
      if (flags.output === undefined) context.out(told.line);
      else if (!told.good) context.err(told.line);
    }
    await printDecided(context, flags.output, items, positionals.length);
    return worst;
  },
});

export const workflowPause = define({
  name: 'workflow pause',
  summary: 'start nothing further of a workflow',
  details: 'What runs goes on. "tink workflow resume" lets it continue.',
  examples: ['tink workflow pause 2b3b6c1e-45a6-11eb-b13d-0242ac120003 --reason "the rack is moved"'],
  positionals: someWorkflows,
  flags: decisionFlags,
  run: ({ flags, positionals }, context) => decideAndTell(context, 'pause', 'Paused', positionals, flags),
});

export const workflowResume = define({
  name: 'workflow resume',
  summary: 'let a paused workflow continue',
  examples: ['tink workflow resume 2b3b6c1e-45a6-11eb-b13d-0242ac120003'],
  positionals: someWorkflows,
  flags: decisionFlags,
  run: ({ flags, positionals }, context) => decideAndTell(context, 'resume', 'Resumed', positionals, flags),
});

async function decideAndTell(
  context: Context,
  verb: 'pause' | 'resume',
  word: string,
  ids: readonly string[],
  flags: { readonly reason: string | undefined; readonly output: string | undefined },
): Promise<number> {
  const { done, code } = await decideEach(context, verb, ids, flags.reason);
  if (flags.output === undefined) for (const { id } of done) context.out(`${word}\t${id}`);
  await printDecided(context, flags.output, done, ids.length);
  return code;
}

/** Each workflow as it is after the decision. */
async function decideEach(
  context: Context,
  verb: 'cancel' | 'pause' | 'resume',
  ids: readonly string[],
  reason: string | undefined,
): Promise<{ readonly done: readonly WorkflowItem[]; readonly code: number }> {
  checkUuids(ids);
  const done: WorkflowItem[] = [];
  const code = await forEach(context, ids, async (id) => {
    const { position } = await context.client.decide(id, verb, reason === undefined ? {} : { reason });
    done.push(await context.client.workflow(id, position));
  });
  return { done, code };
}

interface Outcome {
  readonly line: string;
  readonly good: boolean;
}

/** What has become of a workflow that was to be cancelled. */
async function outcomeOf(context: Context, item: WorkflowItem, waited: boolean): Promise<Outcome> {
  const { id, status } = item;
  if (!isEnded(status)) {
    const running = namesIn(item.actions, 'running');
    return { line: `Cancelling\t${id}\tits worker is told to stop ${running.join(', ')}`, good: !waited };
  }
  if (status !== 'cancelled') return { line: `Error\t${id}\tit has ended otherwise: ${status}`, good: false };
  if (!waited) return { line: `Cancelled\t${id}`, good: true };
  const { stopped, doubtful } = await confirmations(context, item);
  if (doubtful.length > 0) {
    const line = `Cancelled\t${id}\tits worker did not confirm that it stopped ${doubtful.join(', ')}: it may still run`;
    return { line, good: false };
  }
  const what = stopped.length === 0 ? 'nothing had to be stopped' : `its worker has stopped ${stopped.join(', ')}`;
  return { line: `Cancelled\t${id}\t${what}`, good: true };
}

/** Names of the actions that were stopped: by word of the worker, or because the server gave up waiting for it. */
async function confirmations(context: Context, { id, actions }: WorkflowItem) {
  const names = shortNames(actions.map(({ spec }) => spec));
  const stopped: string[] = [];
  const doubtful: string[] = [];
  for await (const { event } of context.client.events({ aggregate: 'workflow', id, type: 'ActionCancelled' })) {
    if (event.type !== 'ActionCancelled') continue;
    (event.data.confirmed ? stopped : doubtful).push(names[event.data.index] ?? `action ${event.data.index + 1}`);
  }
  return { stopped, doubtful };
}
