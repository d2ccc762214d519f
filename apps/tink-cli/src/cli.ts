import { exit, UsageError, type Args, type CliCommand, type Context } from './cli-command';
import { Client } from './client';
import { commands } from './command-table';
import { commandHelp, globalFlags, groupHelp, groups, rootHelp } from './help';
import { nearest } from '@tinkerbell/domain';
import { leadingFlags, parseArguments } from './parse-arguments';
import { asUsage, reportError } from './report-error';
import { resolveSettings, type Given, type Settings, type Surroundings } from './settings';
import { withWholeIds } from './short-ids';
import { Transport } from './transport';
import { version } from './version';

/** What the process gives: everything of a Context but what depends on the command line. */
export type Host = Omit<Context, 'client' | 'commands'> & { readonly around: Surroundings };

/** Runs one command line; the exit code. Never throws. */
export async function runCli(argv: readonly string[], host: Host): Promise<number> {
  let name = '';
  let settings: Settings | undefined;
  let flags: Args['flags'] = {};
  try {
    const { before, rest } = leadingFlags(argv, globalFlags);
    const leading = parseArguments(before, nothing, { ...globalFlags, version: versionFlag }).global;
    if (leading.flags['version']) return say(host, `tink ${version}`);
    const [group = ''] = rest;
    if (group in groups) name = group;
    const found = findCommand(rest);
    if (found.kind === 'help') return say(host, found.text);
    const { command, args } = found;
    name = command.name;
    if (command.passThrough) {
      const connect = () => new Transport(resolveSettings(connectionFlags(leading, lenientFlags(args)), host.around));
      return await command.run({ flags: {}, positionals: args }, contextOf(host, connect));
    }
    const { given, global } = parseArguments(args, command, globalFlags);
    flags = given.flags;
    if (global.flags['help'] || leading.flags['help']) return say(host, commandHelp(command));
    const connect = () => {
      settings = resolveSettings(connectionFlags(leading, global), host.around);
      return new Transport(settings);
    };
    const context = contextOf(host, connect);
    return await command.run(await withWholeIds(command, given, context.client), context);
  } catch (error) {
    if (host.signal.aborted) return exit.interrupted;
    return reportError(asUsage(error, flags), name, host, settings?.unusedCredentials);
  }
}

const nothing: CliCommand = { name: '', summary: '', examples: [], flags: {}, run: () => Promise.resolve(0) };
const versionFlag = { kind: 'switch', short: 'v', about: 'version of tink' } as const;

function contextOf(host: Host, connect: () => Transport): Context {
  return { ...host, client: new Client(connect, host.signal), commands };
}

/** Global flags among words that are not all typed yet: a shell completes with the server that they name. */
function lenientFlags(words: readonly string[]): Args {
  const flags: Record<string, string> = {};
  words.forEach((word, index) => {
    const [, name = '', value] = /^--([a-z]+)(?:=(.*))?$/.exec(word) ?? [];
    if (name in globalFlags) flags[name] = value ?? words[index + 1] ?? '';
  });
  return { flags, positionals: [] };
}

/** A flag after the command wins over the same one before it. */
function connectionFlags(leading: Args, global: Args): Given {
  const textOf = (name: string) => {
    const value = global.flags[name] ?? leading.flags[name];
    return typeof value === 'string' ? value : undefined;
  };
  return { server: textOf('server'), ca: textOf('ca'), user: textOf('user'), password: textOf('password') };
}

type Found =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'command'; readonly command: CliCommand; readonly args: readonly string[] };

/** The command with the longest name that the words begin with. */
function findCommand(words: readonly string[]): Found {
  const [first, second, ...more] = words;
  if (first === undefined || first === 'help') {
    const wanted = first === 'help' ? [second, ...more].filter((word) => word !== undefined) : [];
    return wanted.length === 0 ? { kind: 'help', text: rootHelp(commands) } : helpFor(wanted);
  }
  const exact = (name: string) => commands.find((each) => each.name === name);
  const asksHelp = second === '--help' || second === '-h';
  const pair = second === undefined ? undefined : exact(`${first} ${second}`);
  if (pair) return { kind: 'command', command: pair, args: more };
  if (first in groups && (asksHelp || (second === undefined && !exact(first)))) {
    return { kind: 'help', text: groupHelp(first, commands) };
  }
  const single = exact(first);
  // A group that is also a command takes flags, but a word after it is meant to be one of its commands.
  const meantMember = first in groups && second !== undefined && !second.startsWith('-');
  if (single && !meantMember) return { kind: 'command', command: single, args: words.slice(1) };
  // `tink workflow --lsit`: the flag is what is wrong.
  if (second?.startsWith('-')) parseArguments([second], { ...nothing, name: first }, globalFlags);
  throw unknownCommand(first, second);
}

function helpFor(words: readonly string[]): Found {
  const name = words.slice(0, 2).join(' ');
  const command = commands.find((each) => each.name === name) ?? commands.find((each) => each.name === words[0]);
  const group = words[0] ?? '';
  if (words.length === 1 && group in groups) return { kind: 'help', text: groupHelp(group, commands) };
  if (!command) throw unknownCommand(group, words[1]);
  return { kind: 'help', text: commandHelp(command) };
}

function unknownCommand(first: string, second: string | undefined): UsageError {
  const shown = commands.filter(({ hidden }) => !hidden).map(({ name }) => name);
  if (first in groups && second !== undefined) {
    const members = shown.flatMap((name) => (name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : []));
    const meant = nearest(second, members);
    const hint = meant === undefined ? `it is one of ${members.join(', ')}` : `did you mean "tink ${first} ${meant}"?`;
    return new UsageError(`unknown command ${JSON.stringify(second)} of tink ${first}`, hint);
  }
  const heads = [...new Set(shown.map((name) => name.split(' ')[0] ?? ''))];
  const meant = nearest(first, heads);
  const hint = meant === undefined ? `it is one of ${heads.join(', ')}` : `did you mean "tink ${meant}"?`;
  return new UsageError(`unknown command ${JSON.stringify(first)}`, hint);
}

function say(host: Host, text: string): number {
  host.out(text);
  return exit.ok;
}
