import { define, exit, UsageError, type Context } from '../cli-command';
import type { TemplateItem } from '../api-types';
import { outputFlag, printDocument, printListing, quietFlag, timeText, type Listing } from '../output/print';
import type { Column } from '../output/table';
import { asOf, atFlag } from './as-of';
import { deleteEach } from './delete-each';
import { getDocument, getFlags } from './get-flags';
import { checkUuids, isUuid, someIds } from './ids';
import { readDocument } from './read-document';
import { orFaults } from './refused-document';
import { templatePath as pathFlag } from './template-text.command';

const someTemplates = { ...someIds, complete: ['template'] } as const;
export const templateCreate = define({
  name: 'template create',
  summary: 'create a workflow template',
  details:
    'The template (YAML) is read from --path or standard input. Every fault is shown with the line that it is in.',
  examples: [
    'tink template create --name install --path install.yaml',
    'cat install.yaml | tink template create -n install',
  ],
  flags: {
    name: {
      kind: 'text',
      short: 'n',
      value: 'NAME',
      about: 'unique name for the template (alphanumeric)',
      required: true,
    },
    path: pathFlag,
  },
  async run({ flags }, context) {
    const source = await readDocument(
      context,
      flags.path,
      "requires the '--path' flag, or the template on standard input",
    );
    const body = { name: flags.name, data: source.text };
    const { id } = await orFaults(context, source, () => context.client.createTemplate(body));
    context.out(`Created Template:  ${id}`);
    return exit.ok;
  },
});

export const templateGet = define({
  name: 'template get',
  summary: 'get a template',
  details: [
    'With ids or names: prints the text of each template as it was saved, or what --output asks for.',
    'Without: the table of all templates.',
  ].join('\n'),
  examples: [
    'tink template get install --version 3',
    'tink template get 614168df-45a5-11eb-b13d-0242ac120003 > install.yaml',
    'tink template get',
    'tink template get install -o json',
  ],
  positionals: { usage: '[id]...', min: 0, max: Infinity, complete: ['template'] },
  flags: { ...getFlags, version: { kind: 'number', value: 'N', about: 'as it was in this version' } },
  async run({ flags, positionals }, present) {
    const context = await asOf(present, flags.at);
    const format = flags.output ?? flags.format;
    if (flags.version !== undefined) return getVersion(context, positionals, flags.version, format);
    const items: TemplateItem[] = [];
    if (positionals.length === 0) items.push(...(await context.client.templates()));
    else for (const id of positionals) items.push(await context.client.template(id));
    if (positionals.length > 0 && format === undefined && !flags['no-headers']) {
      for (const { data } of items) context.out(data.replace(/\n$/, ''));
      return exit.ok;
    }
    const listing = templateListing(context, items, getDocument(flags, items, positionals));
    await printListing(context, format, listing, { titles: !flags['no-headers'] });
    return exit.ok;
  },
});

async function getVersion(
  context: Context,
  [id, ...more]: readonly string[],
  version: number,
  format: string | undefined,
): Promise<number> {
  if (id === undefined || more.length > 0) throw new UsageError('--version is about one template: name it');
  const item = await context.client.templateVersion(id, version);
  if (format === 'json' || format === 'yaml') await printDocument(context, format, item);
  else context.out(item.data.replace(/\n$/, ''));
  return exit.ok;
}

export const templateList = define({
  name: 'template list',
  summary: 'list all saved templates',
  examples: ['tink template list', 'tink template list -q'],
  flags: { quiet: quietFlag('template'), output: outputFlag, at: atFlag },
  async run({ flags }, present) {
    const context = await asOf(present, flags.at);
    const items = await context.client.templates();
    if (flags.quiet) for (const { id } of items) context.out(id);
    else await printListing(context, flags.output, templateListing(context, items, items));
    return exit.ok;
  },
});

export const templateUpdate = define({
  name: 'template update',
  summary: 'update a template',
  details:
    'Changes the text (--path or standard input), the name, or both. Workflows that exist keep what they were made from.',
  examples: [
    'tink template update 614168df-45a5-11eb-b13d-0242ac120003 --path install.yaml',
    'cat install.yaml | tink template update 614168df-45a5-11eb-b13d-0242ac120003',
    'tink template update 614168df-45a5-11eb-b13d-0242ac120003 --name reinstall',
  ],
  positionals: { usage: '<id>', min: 1, max: 1, complete: ['template'] },
  flags: { name: { kind: 'text', short: 'n', value: 'NAME', about: 'new name of the template' }, path: pathFlag },
  async run({ flags, positionals: [idOrName = ''] }, context) {
    const renameOnly = flags.name !== undefined && flags.path === undefined;
    const missing = "requires the '--path' flag, the template on standard input, or --name";
    const source = renameOnly ? undefined : await readDocument(context, flags.path, missing);
    if (source?.text.trim() === '') throw new UsageError(`${source.name} is empty`, missing);
    const id = isUuid(idOrName) ? idOrName : (await context.client.template(idOrName)).id;
    const body = {
      ...(flags.name === undefined ? {} : { name: flags.name }),
      ...(source ? { data: source.text } : {}),
    };
    const update = () => context.client.updateTemplate(id, body);
    await (source ? orFaults(context, source, update) : update());
    context.out(`Updated Template:  ${id}`);
    return exit.ok;
  },
});

export const templateDelete = define({
  name: 'template delete',
  summary: 'delete a template',
  details: 'Prints "Deleted" or "Error" for each id. Workflows that were made from it go on.',
  examples: ['tink template delete 614168df-45a5-11eb-b13d-0242ac120003'],
  positionals: someTemplates,
  flags: {},
  run({ positionals }, context) {
    checkUuids(positionals);
    return deleteEach(context, positionals, context.client.deleteTemplate);
  },
});

function templateListing(context: Context, items: readonly TemplateItem[], document: unknown): Listing<TemplateItem> {
  const columns = (wide: boolean): readonly Column<TemplateItem>[] => {
    const time = timeText(context, wide);
    return [
      { title: 'Template ID', text: ({ id }) => id },
      { title: 'Template Name', text: ({ name }) => name, shrinksTo: 14 },
      { title: 'Created At', text: ({ createdAt }) => time(createdAt), drops: 1 },
      { title: 'Updated At', text: ({ updatedAt }) => time(updatedAt) },
      { title: 'Version', text: ({ version }) => String(version), wideOnly: true },
    ];
  };
  return { rows: items, columns, document };
}
