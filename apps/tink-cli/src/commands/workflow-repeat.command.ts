import { define, exit, type Context } from '../cli-command';
import { decisionFlags, printDecided } from './decision-flags';
import { checkUuids } from './ids';

const oneWorkflow = { usage: '<id>', min: 1, max: 1, complete: ['workflow'] } as const;
const { output } = decisionFlags;

export const workflowRetry = define({
  name: 'workflow retry',
  summary: 'make a new workflow that goes on where one went wrong',
  details: [
    'For a workflow that has ended. What succeeded in it and does not build on the action that the new one begins with is',
    'taken over with its outputs and data, and does not run again. "tink workflow clone" repeats all of it.',
  ].join('\n'),
  examples: [
    'tink workflow retry 2b3b6c1e-45a6-11eb-b13d-0242ac120003',
    'tink workflow retry 2b3b6c1e-45a6-11eb-b13d-0242ac120003 --from os/write-image',
  ],
  positionals: oneWorkflow,
  flags: {
    from: {
      kind: 'text',
      value: 'ACTION',
      about: 'action to begin with; otherwise the one that is to blame',
      complete: 'action',
    },
    output,
  },
  run: ({ flags, positionals: [id = ''] }, context) =>
    repeat(context, id, 'retry', flags.from === undefined ? {} : { from: flags.from }, flags.output),
});

export const workflowClone = define({
  name: 'workflow clone',
  summary: 'make a new workflow that does the same from the beginning',
  details: 'What it runs is what that one ran, whatever their template says today.',
  examples: ['tink workflow clone 2b3b6c1e-45a6-11eb-b13d-0242ac120003'],
  positionals: oneWorkflow,
  flags: { output },
  run: ({ flags, positionals: [id = ''] }, context) => repeat(context, id, 'clone', {}, flags.output),
});

async function repeat(
  context: Context,
  id: string,
  verb: 'retry' | 'clone',
  body: object,
  format: string | undefined,
): Promise<number> {
  checkUuids([id]);
  const made = await context.client.decide(id, verb, body);
  if (format === undefined) context.out(`Created Workflow:  ${made.id}`);
  else await printDecided(context, format, [await context.client.workflow(made.id, made.position)]);
  return exit.ok;
}
