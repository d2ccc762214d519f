import type { Json } from '@tinkerbell/events';
import type { RowChange } from '../api-types';
import { define, exit } from '../cli-command';
import { outputFlag, printListing, showMac, type Listing } from '../output/print';
import { plain, type Color } from '../output/screen';
import type { Column } from '../output/table';
import { placeOf } from './as-of';

export const diff = define({
  name: 'diff',
  summary: 'show what changed between two moments',
  details: [
    'Which things appeared or vanished, and each field that changed. A moment is a position of the log (812), a duration ago (30s,',
    '10m, 2h, 3d) or an ISO time; --to is now unless it is given.',
  ].join('\n'),
  examples: [
    'tink diff --from 1h',
    'tink diff --from 800 --to 812 --kind workflow',
    'tink diff --from 2026-01-31T12:00:00Z 2b3b6c1e-45a6-11eb-b13d-0242ac120003 -o json',
  ],
  positionals: { usage: '[id]', min: 0, max: 1, complete: ['workflow'] },
  flags: {
    from: { kind: 'text', value: 'TIME', about: 'the earlier moment', required: true },
    to: { kind: 'text', value: 'TIME', about: 'the later moment' },
    kind: {
      kind: 'text',
      value: 'KIND',
      about: 'only hardware, template, workflow, machine or lease',
      choices: ['hardware', 'template', 'workflow', 'machine', 'lease'],
    },
    output: outputFlag,
  },
  async run({ flags, positionals: [id] }, context) {
    const now = context.now();
    const from = placeOf('from', flags.from, now);
    const to = flags.to === undefined ? undefined : placeOf('to', flags.to, now);
    const changes: RowChange[] = [];
    for await (const change of context.client.differences({ from, to, kind: flags.kind, id })) changes.push(change);
    if (changes.length === 0 && !/json|yaml|csv/.test(flags.output ?? '')) context.err('nothing changed');
    else await printListing(context, flags.output, changeListing(changes));
    return exit.ok;
  },
});

interface Line {
  readonly change: RowChange;
  readonly what: string;
  readonly from: string;
  readonly to: string;
}

function linesOf(change: RowChange): readonly Line[] {
  if (change.change !== 'changed') return [{ change, what: change.change, from: '', to: '' }];
  return change.fields.map(({ path, from, to }) => ({ change, what: path, from: valueText(from), to: valueText(to) }));
}

function changeListing(changes: readonly RowChange[]): Listing<Line> {
  const colors: Readonly<Record<RowChange['change'], Color | undefined>> = {
    appeared: 'green',
    vanished: 'red',
    changed: undefined,
  };
  const columns = (wide: boolean): readonly Column<Line>[] => [
    { title: 'Kind', text: ({ change }) => change.kind },
    { title: 'ID', text: ({ change }) => showMac(change.id), shrinksTo: 9 },
    { title: 'Name', text: ({ change }) => plain(change.name), shrinksTo: 10, drops: 1 },
    { title: 'What', text: ({ what }) => what, color: ({ change }) => colors[change.change] },
    { title: 'From', text: ({ from }) => cut(from, wide), shrinksTo: 12 },
    { title: 'To', text: ({ to }) => cut(to, wide), shrinksTo: 12 },
  ];
  return { rows: changes.flatMap(linesOf), columns, document: changes };
}

/** A text as it is, everything else as JSON; nothing where there was nothing. */
/** Of a value that may not be there: `none`. */
export function valueText(value: Json | undefined, none = ''): string {
  return value === undefined ? none : plain(typeof value === 'string' ? value : JSON.stringify(value));
}

const most = 100;
function cut(text: string, wide: boolean): string {
  return wide || text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
