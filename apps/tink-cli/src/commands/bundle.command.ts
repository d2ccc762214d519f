import { rowsOf, type Bundle } from '@tinkerbell/history';
import { hardwareList, leaseList, machineList, templateList, workflowList } from '@tinkerbell/projections';
import { define, exit } from '../cli-command';
import { outputFlag, printDocument, printListing, type Listing } from '../output/print';
import type { Column } from '../output/table';
import { count } from '@tinkerbell/history';
import { fieldColumns, type Field } from './hardware-views';
import { bundleIn, parseBundle, workflowOrMachine } from './subject';

export const bundle = define({
  name: 'bundle',
  summary: 'write what is known of a workflow or machine into a file, without secrets',
  details: [
    'Every event that has to do with it and what its actions printed: enough for "tink bundle show", "tink replay --bundle" and',
    '"tink explain --bundle" to see the same elsewhere. Passwords, keys, tokens and user data are removed wherever they are recognised;',
    'look at the file before you hand it on.',
  ].join('\n'),
  examples: [
    'tink bundle 2b3b6c1e-45a6-11eb-b13d-0242ac120003 --file incident.ndjson',
    'tink bundle node-1 --file node-1.ndjson',
    'tink bundle show incident.ndjson',
  ],
  positionals: { usage: '<workflow|machine>', min: 1, max: 1, complete: ['workflow'] },
  flags: { file: { kind: 'text', value: 'FILE', about: 'where to write it', required: true, complete: 'file' } },
  async run({ flags, positionals: [name = ''] }, context) {
    const text = await workflowOrMachine(name, (kind) => context.client.bundle(kind, name));
    const { events, lines } = parseBundle(text, 'the answer of the server');
    await context.files.write(flags.file, text);
    const what = `${count(events.length, 'event')} and ${count(lines.length, 'line')} of output`;
    context.out(`${what} written to ${flags.file}, without the secrets that were recognised`);
    return exit.ok;
  },
});

export const bundleShow = define({
  name: 'bundle show',
  summary: 'show what is in a bundle',
  details: 'Asks no server. -o json and yaml print every row that its events make.',
  examples: ['tink bundle show incident.ndjson', 'tink bundle show incident.ndjson -o json'],
  positionals: { usage: '<file>', min: 1, max: 1, complete: ['file'] },
  flags: { output: outputFlag },
  async run({ flags, positionals: [file = ''] }, context) {
    const found = await bundleIn(context, file);
    const rows = allRows(found);
    if (flags.output === 'json' || flags.output === 'yaml') {
      await printDocument(context, flags.output, { ...found.header, ...rows });
      return exit.ok;
    }
    await printListing(context, flags.output, summary(found));
    await printListing(context, flags.output, things(rows));
    return exit.ok;
  },
});

/** Everything that the events make. */
function allRows({ events }: Bundle) {
  return {
    hardware: [...rowsOf(hardwareList, events).values()],
    templates: [...rowsOf(templateList, events).values()],
    workflows: [...rowsOf(workflowList, events).values()],
    machines: [...rowsOf(machineList, events).values()],
    leases: [...rowsOf(leaseList, events).values()],
  };
}

function summary({ header, events, lines }: Bundle): Listing<Field> {
  const rows: readonly Field[] = [
    ['About', `${header.kind} ${header.id}`],
    ['Made At', header.at],
    ['Position Of The Log', String(header.position)],
    ['Events', `${events.length}, from ${events[0]?.at ?? 'never'} to ${events.at(-1)?.at ?? 'never'}`],
    ['Lines Of Output', String(lines.length)],
  ];
  return { rows, columns: () => fieldColumns('Value'), document: rows };
}

interface Thing {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly state: string;
}

/** What the events are about, and how it was in the end. */
function things({ machines, workflows, templates, leases }: ReturnType<typeof allRows>): Listing<Thing> {
  const rows: readonly Thing[] = [
    ...machines.map(({ id, hostname, step }) => ({ kind: 'machine', id, name: hostname, state: step })),
    ...templates.map(({ id, name, version }) => ({ kind: 'template', id, name, state: `version ${version}` })),
    ...workflows.map(({ id, templateName, status, deletedAt }) => ({
      kind: 'workflow',
      id,
      name: templateName,
      state: deletedAt === null ? status : 'deleted',
    })),
    ...leases.map(({ ip, hostname, state }) => ({ kind: 'lease', id: ip, name: hostname, state })),
  ];
  const columns: readonly Column<Thing>[] = [
    { title: 'Kind', text: ({ kind }) => kind },
    { title: 'ID', text: ({ id }) => id, shrinksTo: 9 },
    { title: 'Name', text: ({ name }) => name, shrinksTo: 10 },
    { title: 'State', text: ({ state }) => state },
  ];
  return { rows, columns: () => columns, document: rows };
}
