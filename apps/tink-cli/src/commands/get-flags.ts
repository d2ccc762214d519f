import type { Flag } from '../cli-command';
import { atFlag } from './as-of';
import { formats, noHeadersFlag, outputFlag } from '../output/print';

/** Flags of `get [id]`: ours, and `--format` as tink 0.6 has it, which wraps JSON into `{"data": […]}`. */
export const getFlags = {
  output: outputFlag,
  format: { kind: 'text', value: 'FORMAT', choices: formats, about: 'as -o; json comes as {"data": [...]}' },
  'no-headers': noHeadersFlag,
  at: atFlag,
} as const satisfies Readonly<Record<string, Flag>>;

export interface GetFlags {
  readonly output: string | undefined;
  readonly format: string | undefined;
  readonly 'no-headers': boolean;
}

/** A single thing is printed as itself, several as a list. */
export function getDocument<T>(flags: GetFlags, documents: readonly T[], ids: readonly string[]): unknown {
  if (flags.output === undefined && flags.format !== undefined) return { data: documents };
  return ids.length === 1 ? documents[0] : documents;
}
