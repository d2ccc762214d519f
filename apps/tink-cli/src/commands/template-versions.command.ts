import type { TemplateVersionItem } from '../api-types';
import { define, exit, UsageError } from '../cli-command';
import { documentFlag, outputFlag, printDocument, printListing, timeText } from '../output/print';
import type { Column } from '../output/table';
import { asOf, atFlag } from './as-of';

const oneTemplate = { usage: '<template>', min: 1, max: 1, complete: ['template'] } as const;

export const templateVersions = define({
  name: 'template versions',
  summary: 'list every version that a template had',
  details:
    'Each update is a version; a workflow runs the one that it was created with. A deleted template is named by its id.',
  examples: [
    'tink template versions install',
    'tink template versions install -o json',
    'tink template versions install --at 2d',
  ],
  positionals: oneTemplate,
  flags: { output: outputFlag, at: atFlag },
  async run({ flags, positionals: [idOrName = ''] }, present) {
    const context = await asOf(present, flags.at);
    const rows = await context.client.templateVersions(idOrName);
    const columns = (wide: boolean): readonly Column<TemplateVersionItem>[] => {
      const time = timeText(context, wide);
      return [
        { title: 'Version', text: ({ version, isCurrent }) => `${version}${isCurrent ? ' (current)' : ''}` },
        { title: 'Template Name', text: ({ name }) => name, shrinksTo: 14 },
        { title: 'Saved At', text: ({ at }) => time(at) },
        { title: 'By', text: ({ actor }) => actor },
        { title: 'Bytes', text: ({ bytes }) => String(bytes), drops: 1 },
      ];
    };
    await printListing(context, flags.output, { rows, columns, document: rows });
    return exit.ok;
  },
});

export const templateDiff = define({
  name: 'template diff',
  summary: 'show what differs between two versions of a template',
  details: 'Without --from and --to: between the newest version and the one before it.',
  examples: ['tink template diff install', 'tink template diff install --from 3 --to 7'],
  positionals: oneTemplate,
  flags: {
    from: { kind: 'number', value: 'N', about: 'version (default: the one before)' },
    to: { kind: 'number', value: 'N', about: 'version (default: the newest)' },
    output: documentFlag,
  },
  async run({ flags, positionals: [idOrName = ''] }, context) {
    const diff = await context.client.templateDiff(idOrName, { from: flags.from, to: flags.to });
    if (flags.output !== undefined) {
      await printDocument(context, flags.output === 'yaml' ? 'yaml' : 'json', diff);
      return exit.ok;
    }
    const { from, to, name, unified } = diff;
    if (name.from !== name.to) context.out(`The name changed from ${name.from} to ${name.to}.`);
    if (unified === '') context.err(`The texts of version ${from} and version ${to} are the same.`);
    else context.out(unified.replace(/\n$/, ''));
    return exit.ok;
  },
});

export const templateRestore = define({
  name: 'template restore',
  summary: 'make an old version of a template the newest',
  details: 'The old text is saved as a new version; the name stays. A deleted template (by its id) comes back.',
  examples: ['tink template restore install 3'],
  positionals: { usage: '<template> <version>', min: 2, max: 2, complete: ['template'] },
  flags: {},
  async run({ positionals: [idOrName = '', version = ''] }, context) {
    if (!/^[1-9]\d{0,8}$/.test(version)) {
      throw new UsageError(`${version} is no version`, `"tink template versions ${idOrName}" lists them`);
    }
    const { id } = await context.client.restoreTemplate(idOrName, Number(version));
    context.out(`Restored Template:  ${id}`);
    return exit.ok;
  },
});
