import { define, exit, UsageError } from '../cli-command';
import { askServer } from '../completion/ask-server';
import { candidatesFor } from '../completion/candidates';
import { scripts, shells } from '../completion/scripts';
import { plain } from '../output/screen';

/** A shell waits for us while its user waits for the shell. Milliseconds. */
const patience = 2_000;

export const completion = define({
  name: 'completion',
  summary: 'generate a completion script for your shell',
  details: [
    'Commands, flags and their values are completed, ids, MAC addresses and action names too: the script asks the server for them.',
    'Load it in the start-up file of the shell: source <(tink completion bash), source <(tink completion zsh),',
    'tink completion fish | source, or tink completion powershell | Out-String | Invoke-Expression.',
  ].join('\n'),
  examples: ['source <(tink completion bash)', 'tink completion fish > ~/.config/fish/completions/tink.fish'],
  positionals: { usage: 'bash|zsh|fish|powershell', min: 1, max: 1, complete: [shells] },
  hidden: true,
  flags: {},
  run({ positionals: [name = ''] }, context) {
    const shell = shells.find((one) => one === name);
    if (!shell) throw new UsageError(`unknown shell ${JSON.stringify(name)}`, `it is one of ${shells.join(', ')}`);
    context.out(scripts[shell].trimEnd());
    return Promise.resolve(exit.ok);
  },
});

/** What the scripts call: the words after `tink`, the last of them being completed; one candidate a line, a tab, what it is. */
export const complete = define({
  name: '__complete',
  summary: 'candidates for the last of the given words',
  examples: [],
  hidden: true,
  passThrough: true,
  flags: {},
  async run({ positionals }, context) {
    const words = positionals.map((word) => (word === '""' ? '' : word));
    const planned = candidatesFor(words.length === 0 ? [''] : words, context.commands);
    if (planned.kind === 'paths') {
      context.out(planned.foldersOnly ? ':folders' : ':files');
      return exit.ok;
    }
    const prefix = planned.kind === 'ask' ? planned.prefix : '';
    const current = words.at(-1) ?? '';
    const found =
      planned.kind === 'words'
        ? planned.words
        : await askServer(context.client.within(patience), planned.what, planned.before).catch(() => []);
    const also = planned.kind === 'ask' ? (planned.also ?? []) : [];
    for (const { text, about } of [...also, ...found]) {
      if ((prefix + text).startsWith(current))
        context.out(about === '' ? prefix + text : `${prefix}${text}\t${plain(about)}`);
    }
    return exit.ok;
  },
});
