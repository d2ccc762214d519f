import { explainMachine, explainWorkflow, tellExplanation, type Bundle, type Explanation } from '@tinkerbell/history';
import { CommandError, define, exit, UsageError, type Context } from '../cli-command';
import { printDocument } from '../output/print';
import { paint, plain } from '../output/screen';
import { asOf, atFlag, placeOf } from './as-of';
import { bundleIn, workflowOrMachine } from './subject';

export const explain = define({
  name: 'explain',
  summary: 'tell why a machine or workflow is as it is, and what comes next',
  details: [
    'The events that led to the present state, what it waits for and since when, what comes next and by when, how long that',
    'usually takes. A machine is named by id, MAC, IP address or host name. With --bundle: of what a file holds, without a server;',
    'what usually takes how long is what the server knew when the file was made.',
  ].join('\n'),
  examples: [
    'tink explain node-1',
    'tink explain 2b3b6c1e-45a6-11eb-b13d-0242ac120003 -o json',
    'tink explain node-1 --at 2h',
    'tink explain --bundle incident.ndjson',
  ],
  positionals: { usage: '<machine|workflow>', min: 0, max: 1, complete: ['machine'] },
  flags: {
    at: atFlag,
    bundle: { kind: 'text', value: 'FILE', about: 'a bundle instead of a server', complete: 'file' },
    output: {
      kind: 'text',
      short: 'o',
      value: 'FORMAT',
      about: 'text, json or yaml (default text)',
      choices: ['text', 'json', 'yaml'],
    },
  },
  async run({ flags, positionals: [name] }, context) {
    const bundle = flags.bundle === undefined ? undefined : await bundleIn(context, flags.bundle);
    const told = bundle ? fromBundle(bundle, name, flags.at, context) : await fromServer(context, name, flags.at);
    if (flags.output === 'json' || flags.output === 'yaml') await printDocument(context, flags.output, told);
    else for (const line of tellExplanation(told)) context.out(paintHeading(context, plain(line)));
    if (bundle?.durations.size === 0) context.err(noDurations);
    return exit.ok;
  },
});

const noDurations = 'the bundle holds no durations: how long each step usually takes is not known';

async function fromServer(context: Context, name: string | undefined, at: string | undefined): Promise<Explanation> {
  if (name === undefined) throw new UsageError('which machine or workflow?', 'name one, or a file with --bundle');
  const { client } = await asOf(context, at);
  return workflowOrMachine(name, (kind) => client.explanation(kind, name));
}

/** What the file was made for, or something else in it; as it was when the file was made, or before. */
function fromBundle(
  { header, events, durations }: Bundle,
  name: string | undefined,
  at: string | undefined,
  context: Context,
): Explanation {
  const place = at === undefined ? header.at : placeOf('at', at, context.now());
  const isThen = /^\d+$/.test(place)
    ? (event: (typeof events)[number]) => event.position <= Number(place)
    : (event: (typeof events)[number]) => event.at <= place;
  const known = events.filter(isThen);
  const now = /^\d+$/.test(place) ? (known.at(-1)?.at ?? header.at) : place;
  const evidence = {
    events: known,
    now,
    duration: (key: string) => durations.get(key),
    graceSeconds: header.graceSeconds,
    cancelGraceSeconds: header.cancelGraceSeconds,
    ...(header.delaySeconds ? { delaySeconds: header.delaySeconds } : {}),
  };
  const id = name?.toLowerCase() ?? header.id;
  const told = explainWorkflow(id, evidence) ?? explainMachine(id, evidence);
  if (!told) throw new CommandError(`${id} is not in the bundle`, exit.notFound);
  return told;
}

function paintHeading({ screen }: Context, line: string): string {
  return paint(screen, /^\S.*:$/.test(line) ? 'bold' : undefined, line);
}
