import type { CliCommand, Flag, Flags } from './cli-command';

/** Accepted by every command. */
export const globalFlags = {
  server: { kind: 'text', value: 'URL', about: 'tink-server (TINK_SERVER)' },
  ca: { kind: 'text', value: 'FILE', about: "PEM certificate of the server's CA (TINK_CA)", complete: 'file' },
  user: { kind: 'text', value: 'NAME', about: 'user name (TINK_AUTH_USERNAME)' },
  password: { kind: 'text', value: 'TEXT', about: 'password (TINK_AUTH_PASSWORD keeps it off the process list)' },
  facility: { kind: 'text', short: 'f', value: 'NAME', about: 'accepted for scripts of the original; has no effect' },
  help: { kind: 'switch', short: 'h', about: 'show this help' },
} as const satisfies Flags;

/** Words that several commands begin with, and what they are about. */
export const groups: Readonly<Record<string, string>> = {
  hardware: 'machines: who they are and which addresses they get',
  template: 'templates: what to do with a machine, step by step',
  workflow: 'workflows: a template applied to machines',
  events: 'the log: everything that happened, in words or as it was recorded',
  subscription: 'who is told of public events: webhooks and durable readers',
  machine: 'machines as they are now: what each one last did on its way',
  boot: 'machines on their way up',
  lease: 'DHCP leases',
  dhcp: 'settings of DHCP',
  worker: 'workers: what runs the actions on a machine',
  secret: 'secrets: values for actions that no template, log or answer holds',
  audit: 'the audit: that the log is what was written, and who did what',
  'read-models': 'what tink-server answers from: rows made of the log',
};

const width = 30;

export function rootHelp(commands: readonly CliCommand[]): string {
  const shown = commands.filter(({ hidden }) => !hidden);
  const single = shown.filter(({ name }) => !name.includes(' ') && !(name in groups));
  const rows = [
    ...Object.entries(groups).map(([name, about]) => row(name, about)),
    ...single.map(({ name, summary }) => row(name, summary)),
  ];
  return [
    'tink: command line of the Tinkerbell provisioner',
    '',
    'Usage:',
    '  tink <command> [flags]',
    '',
    'Commands:',
    ...rows,
    '',
    'Global flags:',
    ...flagRows(globalFlags),
    '',
    'Settings come from the flags, else the environment, else a JSON file {server, ca, username, password}:',
    '$TINK_CONFIG, ./.tinkerbell/cli.json or ~/.tinkerbell/cli.json, else http://127.0.0.1:42114.',
    '',
    'Of the ids of workflows, hardware and templates the first characters are enough, 4 or more, when only one begins so.',
    '',
    'Exit codes: 0 done, 1 failed (also: the workflow failed), 2 bad usage, 3 server not reachable or access denied, 4 not found.',
    '',
    '"tink <command> --help" tells more. "tink completion bash|zsh|fish|powershell" prints a script for your shell.',
  ].join('\n');
}

export function groupHelp(group: string, commands: readonly CliCommand[]): string {
  const members = commands.filter(({ name, hidden }) => !hidden && name.startsWith(`${group} `));
  const own = commands.find(({ name }) => name === group);
  return [
    groups[group] ?? '',
    '',
    'Usage:',
    `  tink ${group} <command> [flags]`,
    ...(own ? [`  ${usageLine(own)}`] : []),
    '',
    'Commands:',
    ...members.map(({ name, summary }) => row(name.slice(group.length + 1), summary)),
    ...(own ? ['', `"tink ${group}" alone: ${own.summary}`, '', 'Flags:', ...flagRows(own.flags)] : []),
    ...(own ? ['', 'Examples:', ...own.examples.map((example) => `  ${example}`)] : []),
    '',
    `"tink ${group} <command> --help" tells more.`,
  ].join('\n');
}

export function commandHelp(command: CliCommand): string {
  const { summary, details, examples, flags, passThrough } = command;
  const parts = [summary, '', 'Usage:', `  ${usageLine(command)}`];
  if (details) parts.push('', details);
  if (examples.length > 0) parts.push('', 'Examples:', ...examples.map((example) => `  ${example}`));
  if (Object.keys(flags).length > 0) parts.push('', 'Flags:', ...flagRows(flags));
  if (!passThrough) parts.push('', 'Global flags:', ...flagRows(withoutShorts(flags)));
  return parts.join('\n');
}

export function usageLine({ name, positionals, flags, passThrough }: CliCommand): string {
  const required = Object.entries(flags).flatMap(([flag, spec]) =>
    spec.kind === 'text' && spec.required ? [`--${flag} ${spec.value}`] : [],
  );
  return ['tink', name, positionals?.usage ?? '', ...required, passThrough ? '' : '[flags]']
    .filter((part) => part !== '')
    .join(' ');
}

/** `-o, --output FORMAT` */
export function flagTitle(name: string, flag: Flag): string {
  const value = flag.kind === 'switch' ? '' : ` ${flag.value}`;
  return `${flag.short === undefined ? '    ' : `-${flag.short}, `}--${name}${value}`;
}

function withoutShorts(own: Flags): Flags {
  const taken = new Set(Object.values(own).map(({ short }) => short));
  return Object.fromEntries(
    Object.entries<Flag>(globalFlags).map(([name, flag]) => {
      const { short, ...rest } = flag;
      return [name, short !== undefined && taken.has(short) ? rest : flag];
    }),
  );
}

function flagRows(flags: Flags): readonly string[] {
  return Object.entries(flags).map(([name, flag]) => row(flagTitle(name, flag), flagText(flag)));
}

/** What the flag is about, with its default and the other long names that people know it by. */
export function flagText(flag: Flag): string {
  const preset = flag.kind === 'number' && flag.default !== undefined ? ` (default ${flag.default})` : '';
  const quoted = (flag.aliases ?? []).filter((alias) => alias.includes(' ')).map((alias) => `--"${alias}"`);
  return `${flag.about}${preset}${quoted.length > 0 ? ` (also ${quoted.join(', ')})` : ''}`;
}

function row(title: string, about: string): string {
  return title.length >= width ? `  ${title}\n  ${' '.repeat(width)}${about}` : `  ${title.padEnd(width)}${about}`;
}
