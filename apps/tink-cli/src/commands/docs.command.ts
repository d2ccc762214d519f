import { join } from 'node:path';
import { define, exit, UsageError, type CliCommand } from '../cli-command';
import { flagText, flagTitle, globalFlags, groups, usageLine } from '../help';
import { count } from '@tinkerbell/history';
import { version } from '../version';

const kinds = ['markdown', 'man'] as const;

export const docs = define({
  name: 'docs',
  summary: 'generate documentation',
  details: 'Writes one page per command.',
  examples: ['tink docs markdown --path docs/cli', 'tink docs man --path /usr/local/share/man/man1'],
  positionals: { usage: 'markdown|man', min: 1, max: 1, complete: [kinds] },
  hidden: true,
  flags: {
    path: {
      kind: 'text',
      short: 'p',
      value: 'FOLDER',
      about: 'path where documentation will be generated',
      complete: 'folder',
    },
  },
  async run({ flags, positionals: [kind = ''] }, context) {
    const page = kind === 'markdown' ? markdownPage : kind === 'man' ? manPage : undefined;
    if (!page) throw new UsageError(`unknown format ${JSON.stringify(kind)}`, `it is one of ${kinds.join(', ')}`);
    const folder = flags.path ?? '.';
    const shown = context.commands.filter(({ hidden }) => !hidden);
    for (const command of shown) {
      const words = ['tink', ...command.name.split(' ')];
      const file = kind === 'markdown' ? `${words.join('_')}.md` : `${words.join('-')}.1`;
      await context.files.write(join(folder, file), page(command));
    }
    context.err(`${count(shown.length, 'page')} written to ${folder}`);
    return exit.ok;
  },
});

export function markdownPage(command: CliCommand): string {
  return `${markdownSection(command, '##')}\n`;
}

/** All commands, group by group: the second half of docs/cli.md. */
export function markdownReference(commands: readonly CliCommand[]): string {
  const shown = commands.filter(({ hidden }) => !hidden);
  const heads = [...new Set(shown.map(({ name }) => name.split(' ')[0] ?? ''))];
  return heads
    .flatMap((head) => {
      const own = shown.filter(({ name }) => name.split(' ')[0] === head);
      const about = groups[head];
      return [
        ...(about === undefined ? [] : [`### tink ${head}`, '', about, '']),
        ...own.map((each) => markdownSection(each, '####')),
      ];
    })
    .join('\n')
    .trimEnd();
}

function markdownSection(command: CliCommand, heading: string): string {
  const { name, summary, details, examples, flags } = command;
  const lines = [`${heading} tink ${name}`, '', summary, '', '```', usageLine(command), '```', ''];
  if (details) lines.push(...details.split('\n').map((line) => line.replaceAll('<', '\\<')), '');
  const rows = Object.entries(flags).map(([flag, spec]) => `- \`${flagTitle(flag, spec).trim()}\`: ${flagText(spec)}`);
  if (rows.length > 0) lines.push(...rows, '');
  if (examples.length > 0) lines.push('```', ...examples, '```', '');
  return lines.join('\n');
}

/** groff's man macros. */
export function manPage(command: CliCommand): string {
  const { name, summary, details, examples, flags } = command;
  const title = `tink-${name.replaceAll(' ', '-')}`;
  const option = ([flag, spec]: [string, (typeof flags)[string]]) => [
    '.TP',
    `.B ${roff(flagTitle(flag, spec).trim())}`,
    roff(flagText(spec)),
  ];
  return [
    `.TH "${roff(title).toUpperCase()}" 1 "" "tink ${version}" "Tinkerbell"`,
    '.SH NAME',
    `${roff(title)} \\- ${roff(summary)}`,
    '.SH SYNOPSIS',
    `.B ${roff(usageLine(command))}`,
    ...(details ? ['.SH DESCRIPTION', ...details.split('\n').map(roff)] : []),
    ...(Object.keys(flags).length > 0 ? ['.SH OPTIONS', ...Object.entries(flags).flatMap(option)] : []),
    '.SH GLOBAL OPTIONS',
    ...Object.entries(globalFlags).flatMap(option),
    ...(examples.length > 0 ? ['.SH EXAMPLES', '.nf', ...examples.map(roff), '.fi'] : []),
    '',
  ].join('\n');
}

/** A hyphen is a minus sign in man pages unless escaped, and a leading dot or quote would be a macro. */
function roff(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
