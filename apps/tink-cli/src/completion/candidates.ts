import type { CliCommand, Completer, Flag, Flags } from '../cli-command';
import { globalFlags, groups } from '../help';

export interface Candidate {
  readonly text: string;
  readonly about: string;
}

/** What may stand at the cursor: these words, something that only the server knows, or a path. */
export type Candidates =
  | { readonly kind: 'words'; readonly words: readonly Candidate[] }
  | {
      readonly kind: 'ask';
      readonly what: Exclude<Completer, 'file' | 'folder'>;
      /** Written before the candidate, e.g. `--id=`. */
      readonly prefix: string;
      /** Positionals before the cursor: the workflow whose actions are wanted. */
      readonly before: readonly string[];
      /** Words that may stand there as well. */
      readonly also?: readonly Candidate[];
    }
  | { readonly kind: 'paths'; readonly foldersOnly: boolean };

const none: Candidates = { kind: 'words', words: [] };

/** Plans the completion of the last of these words, those after `tink`. Pure: asks nobody. */
export function candidatesFor(words: readonly string[], commands: readonly CliCommand[]): Candidates {
  const rest = afterGlobals(words);
  const shown = commands.filter(({ hidden }) => !hidden);
  const [first = '', second] = rest;
  if (rest.length <= 1) return first.startsWith('-') ? flagNames(globalFlags) : firstWords(shown);
  const command = commandOf(rest, commands);
  const more = members(first, shown);
  // `tink bundle`: a command whose first argument may also be the second word of another.
  const alone = shown.find(({ name }) => name === first);
  if (alone && !(first in groups) && rest.length === 2 && more.words.length > 0) {
    const own = inCommand(alone, [second ?? '']);
    if (own.kind === 'ask') return { ...own, also: more.words };
    return own.kind === 'words' && !second?.startsWith('-') ? { ...own, words: [...own.words, ...more.words] } : own;
  }
  if (!command || (rest.length === 2 && first in groups && !(second ?? '').startsWith('-')))
    return members(first, shown);
  const given = rest.slice(command.name.split(' ').length);
  return command.passThrough ? none : inCommand(command, given);
}

function inCommand(command: CliCommand, given: readonly string[]): Candidates {
  const flags: Flags = { ...globalFlags, ...command.flags };
  const current = given.at(-1) ?? '';
  const previous = given.at(-2);
  const before = positionalsOf(given.slice(0, -1), command.flags, flags);
  const open = previous === undefined ? undefined : flagOf(previous, command.flags, flags);
  if (open && open.kind !== 'switch' && !previous?.includes('=')) return valuesOf(open, '', before);
  const inline = /^(--[^=]+)=/.exec(current);
  if (inline) {
    const flag = flagOf(inline[1] ?? '', command.flags, flags);
    return flag ? valuesOf(flag, inline[0], before) : none;
  }
  if (current.startsWith('-')) return flagNames(flags);
  const { complete = [], max = 0 } = command.positionals ?? {};
  const wanted = before.length < max ? (complete[before.length] ?? complete.at(-1)) : undefined;
  if (wanted === undefined) return none;
  if (typeof wanted !== 'string') return { kind: 'words', words: wanted.map((text) => ({ text, about: '' })) };
  return ask(wanted, '', before);
}

function valuesOf(flag: Flag, prefix: string, before: readonly string[]): Candidates {
  if (flag.kind !== 'text' && flag.kind !== 'list') return none;
  if (flag.choices)
    return { kind: 'words', words: flag.choices.map((choice) => ({ text: prefix + choice, about: '' })) };
  return flag.complete === undefined ? none : ask(flag.complete, prefix, before);
}

function ask(what: Completer, prefix: string, before: readonly string[]): Candidates {
  if (what === 'file' || what === 'folder') return { kind: 'paths', foldersOnly: what === 'folder' };
  return { kind: 'ask', what, prefix, before };
}

function firstWords(shown: readonly CliCommand[]): Candidates {
  const single = shown
    .filter(({ name }) => !name.includes(' '))
    .map(({ name, summary }) => ({ text: name, about: summary }));
  return { kind: 'words', words: [...Object.entries(groups).map(([text, about]) => ({ text, about })), ...single] };
}

function members(group: string, shown: readonly CliCommand[]): Extract<Candidates, { readonly kind: 'words' }> {
  const inGroup = shown.filter(({ name }) => name.startsWith(`${group} `));
  return {
    kind: 'words',
    words: inGroup.map(({ name, summary }) => ({ text: name.slice(group.length + 1), about: summary })),
  };
}

function flagNames(flags: Flags): Candidates {
  return { kind: 'words', words: Object.entries(flags).map(([name, { about }]) => ({ text: `--${name}`, about })) };
}

/** The flag that `--name` or `-n` means; a command's own short names win. */
function flagOf(text: string, own: Flags, all: Flags): Flag | undefined {
  const named = (flags: Flags) =>
    Object.entries(flags).find(([name, { short }]) => text === `--${name}` || text === `-${short}`)?.[1];
  return named(own) ?? named(all);
}

function positionalsOf(given: readonly string[], own: Flags, all: Flags): readonly string[] {
  const found: string[] = [];
  for (let i = 0; i < given.length; i++) {
    const word = given[i] ?? '';
    if (!word.startsWith('-')) found.push(word);
    else if ((flagOf(word, own, all)?.kind ?? 'switch') !== 'switch') i++;
  }
  return found;
}

function commandOf(
  [first = '', second = '']: readonly string[],
  commands: readonly CliCommand[],
): CliCommand | undefined {
  return commands.find(({ name }) => name === `${first} ${second}`) ?? commands.find(({ name }) => name === first);
}

function afterGlobals(words: readonly string[]): readonly string[] {
  let start = 0;
  while (start < words.length - 1 && words[start]?.startsWith('-')) {
    const flag = flagOf(words[start] ?? '', globalFlags, globalFlags);
    start += flag && flag.kind !== 'switch' ? 2 : 1;
  }
  return words.slice(Math.min(start, words.length - 1));
}
