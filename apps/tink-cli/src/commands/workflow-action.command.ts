import { namesIn } from '@tinkerbell/projections';
import { CommandError, define, exit, UsageError, type Context } from '../cli-command';
import { decisionFlags, printDecided } from './decision-flags';
import { checkUuids } from './ids';

const id = '2b3b6c1e-45a6-11eb-b13d-0242ac120003';
const awaiting = { usage: '<id> [action]', min: 1, max: 2, complete: ['workflow', 'awaiting-approval'] } as const;

export const workflowApprove = define({
  name: 'workflow approve',
  summary: 'let an action run that awaits approval',
  details: 'The action may be left out when only one awaits approval. "tink workflow state" shows what it is about.',
  examples: [`tink workflow approve ${id}`, `tink workflow approve ${id} os/disk-wipe --reason "ticket 4711"`],
  positionals: awaiting,
  flags: decisionFlags,
  run: ({ flags, positionals }, context) => decideAwaiting(context, 'approve', positionals, flags),
});

export const workflowReject = define({
  name: 'workflow reject',
  summary: 'refuse an action that awaits approval',
  details:
    'It counts as failed, for what needs it and for the workflow. The action may be left out when only one awaits approval.',
  examples: [`tink workflow reject ${id} --reason "still in use"`],
  positionals: awaiting,
  flags: decisionFlags,
  run: ({ flags, positionals }, context) => decideAwaiting(context, 'reject', positionals, flags),
});

export const workflowSkip = define({
  name: 'workflow skip',
  summary: 'take an action for done that has not run',
  details: 'What needs it goes on. Possible while it has not started.',
  examples: [`tink workflow skip ${id} os/disk-wipe --reason "the disk is new"`],
  positionals: { usage: '<id> <action>', min: 2, max: 2, complete: ['workflow', 'action'] },
  flags: { ...decisionFlags, reason: { ...decisionFlags.reason, required: true } },
  run: ({ flags, positionals: [workflow = '', action = ''] }, context) =>
    decide(context, { workflow, action, verb: 'skip', word: 'Skipped', body: { reason: flags.reason } }, flags.output),
});

export const workflowResolve = define({
  name: 'workflow resolve',
  summary: 'say what became of an action whose machine was started anew',
  details: [
    'succeeded, failed: it is taken for that. restart: it runs once more. resume: it runs once more and is told so, by',
    'TINKERBELL_RESUMED=1 in its environment.',
  ].join('\n'),
  examples: [
    `tink workflow resolve ${id} os/write-image --as restart`,
    `tink workflow resolve ${id} os/write-image --as succeeded --reason "checked by hand"`,
  ],
  positionals: { usage: '<id> <action>', min: 2, max: 2, complete: ['workflow', 'unknown'] },
  flags: {
    as: {
      kind: 'text',
      value: 'OUTCOME',
      about: 'succeeded, failed, restart or resume',
      required: true,
      choices: ['succeeded', 'failed', 'restart', 'resume'],
    },
    ...decisionFlags,
  },
  run({ flags, positionals: [workflow = '', action = ''] }, context) {
    const body = { as: flags.as, ...reasonOf(flags.reason) };
    return decide(context, { workflow, action, verb: 'resolve', word: 'Resolved', body, how: flags.as }, flags.output);
  },
});

interface Decision {
  readonly workflow: string;
  readonly action: string;
  readonly verb: 'approve' | 'reject' | 'skip' | 'resolve';
  readonly word: string;
  readonly body: object;
  readonly how?: string;
}

async function decide(context: Context, decision: Decision, format: string | undefined): Promise<number> {
  const { workflow, action, verb, word, body, how } = decision;
  checkUuids([workflow]);
  const { position } = await context.client.decideAction(workflow, action, verb, body);
  if (format === undefined) context.out([word, workflow, action, ...(how === undefined ? [] : [how])].join('\t'));
  else await printDecided(context, format, [await context.client.workflow(workflow, position)]);
  return exit.ok;
}

async function decideAwaiting(
  context: Context,
  verb: 'approve' | 'reject',
  [workflow = '', named]: readonly string[],
  flags: { readonly reason: string | undefined; readonly output: string | undefined },
): Promise<number> {
  checkUuids([workflow]);
  const action = named ?? (await theOneAwaiting(context, workflow, verb));
  const word = verb === 'approve' ? 'Approved' : 'Rejected';
  return decide(context, { workflow, action, verb, word, body: reasonOf(flags.reason) }, flags.output);
}

async function theOneAwaiting(context: Context, workflow: string, verb: string): Promise<string> {
  const found = namesIn((await context.client.workflow(workflow)).actions, 'awaiting-approval');
  const [only, ...others] = found;
  if (only === undefined) throw new CommandError(`no action of workflow ${workflow} awaits approval`);
  if (others.length === 0) return only;
  throw new UsageError(
    `${found.length} actions of workflow ${workflow} await approval: ${found.join(', ')}`,
    `name one, for example: tink workflow ${verb} ${workflow} ${only}`,
  );
}

function reasonOf(reason: string | undefined): object {
  return reason === undefined ? {} : { reason };
}
