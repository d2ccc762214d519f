import { parseArgs } from 'node:util';
import { UsageError } from './up.options';

export interface RestoreOptions {
  /** The backup. */
  readonly file: string;
  /** The data folder to make. */
  readonly data: string;
  /** PEM file of the keys whose signatures are believed. */
  readonly key: string | undefined;
  readonly json: boolean;
}

export const restoreUsage = [
  'tinkerbell restore: makes a new data folder for "tinkerbell up" from a backup.',
  '',
  'Usage: tinkerbell restore --file FILE --data FOLDER [--key FILE] [--json]',
  '',
  '  --file FILE     the backup, written by "tink backup"',
  '  --data FOLDER   the new data folder; one that has a log is refused',
  '  --key FILE      believe only signatures of the public keys in this PEM file ("tink audit key")',
  '  --json          say what was done as one line of JSON',
].join('\n');

/** Throws UsageError. */
export function readRestoreOptions(args: readonly string[]): RestoreOptions | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const { file, data, key, json = false } = values;
  if (!file) throw new UsageError('--file is required: the backup.\nSee tinkerbell restore --help.');
  if (!data) throw new UsageError('--data is required: the new data folder.\nSee tinkerbell restore --help.');
  return { file, data, key, json };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        file: { type: 'string' },
        data: { type: 'string' },
        key: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nSee tinkerbell restore --help.`, { cause: error });
  }
}
