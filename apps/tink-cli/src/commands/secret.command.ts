import type { SecretItem } from '../api-types';
import { define, exit, UsageError, type Context } from '../cli-command';
import { outputFlag, printListing, timeText, type Listing } from '../output/print';
import type { Column } from '../output/table';
import { asOf, atFlag } from './as-of';
import { deleteEach } from './delete-each';
import { readDocument } from './read-document';

const nameForm = /^[a-z0-9-]{1,64}$/;

export const secretSet = define({
  name: 'secret set',
  summary: 'give a secret its value, or another one',
  details: [
    'The value is read from --value-file or standard input, never from the command line, which others can see.',
    'From standard input one line end at the end is dropped; a file is taken as it is. At most 64 KiB of UTF-8.',
    'An action gets it as an environment variable when its template says so; no answer of the server ever holds it.',
  ].join('\n'),
  examples: [
    'tink secret set registry-password --value-file password.txt',
    'printf %s "$PASSWORD" | tink secret set registry-password',
  ],
  positionals: { usage: '<name>', min: 1, max: 1, complete: ['secret'] },
  flags: {
    'value-file': { kind: 'text', value: 'FILE', about: 'file that holds the value', complete: 'file' },
  },
  async run({ flags, positionals: [name = ''] }, context) {
    checkName(name);
    const path = flags['value-file'];
    const missing = "requires the '--value-file' flag, or the value on standard input";
    const source = await readDocument(context, path, missing);
    const value = path === undefined || path === '-' ? source.text.replace(/\r?\n$/, '') : source.text;
    if (value === '') throw new UsageError(`${source.name} is empty`, missing);
    const { version } = await context.client.setSecret(name, value);
    context.out(`Set Secret:  ${name}, version ${version}`);
    return exit.ok;
  },
});

export const secretList = define({
  name: 'secret list',
  summary: 'list all secrets, never their values',
  examples: ['tink secret list', 'tink secret list -o json', 'tink secret list --at 2d'],
  flags: { output: outputFlag, at: atFlag },
  async run({ flags }, present) {
    const context = await asOf(present, flags.at);
    await printListing(context, flags.output, secretListing(context, await context.client.secrets()));
    return exit.ok;
  },
});

export const secretDelete = define({
  name: 'secret delete',
  summary: 'delete secrets',
  details:
    'Prints "Deleted" or "Error" for each name. An action that needs one of them and has not begun fails when its turn comes.',
  examples: ['tink secret delete registry-password'],
  positionals: { usage: '<name>...', min: 1, max: Infinity, complete: ['secret'] },
  flags: {},
  run({ positionals }, context) {
    positionals.forEach(checkName);
    return deleteEach(context, positionals, context.client.deleteSecret);
  },
});

/** Before anything is sent: somebody may have typed the value in the place of the name. */
function checkName(name: string): void {
  if (!nameForm.test(name)) throw new UsageError('the name of a secret is 1 to 64 of a-z 0-9 -');
}

function secretListing(context: Context, secrets: readonly SecretItem[]): Listing<SecretItem> {
  const columns = (wide: boolean): readonly Column<SecretItem>[] => {
    const time = timeText(context, wide);
    return [
      { title: 'Secret', text: ({ name }) => name },
      { title: 'Version', text: ({ version }) => String(version) },
      { title: 'Updated At', text: ({ updatedAt }) => time(updatedAt) },
      { title: 'By', text: ({ by }) => by, drops: 1 },
    ];
  };
  return { rows: secrets, columns, document: secrets };
}
