import { UsageError, type Args, type CliCommand, type Completer } from './cli-command';
import type { Client } from './client';

/** The beginning of a UUID. */
const shortId = /^[0-9a-f]{4}[0-9a-f-]{0,31}$/i;
const mostTold = 10;

type Kind = Extract<Completer, 'workflow' | 'hardware' | 'template'>;
interface Known {
  readonly id: string;
  /** What else it may be called. */
  readonly names: readonly string[];
}

/**
 * The command line with whole ids of workflows, hardware and templates, of which the beginning is enough when only one begins so. A name is
 * left as it is, and so is what nothing begins with. Throws UsageError when several do.
 */
export async function withWholeIds(command: CliCommand, args: Args, client: Client): Promise<Args> {
  const lists = new Map<Kind, Promise<readonly Known[]>>();
  const listOf = (kind: Kind) => {
    const list = lists.get(kind) ?? known[kind](client);
    lists.set(kind, list);
    return list;
  };
  const positionals = args.positionals.map(async (text, index) => {
    const kind = kindAt(command, index);
    return kind && shortId.test(text) ? wholeId(kind, text.toLowerCase(), await listOf(kind)) : text;
  });
  return { ...args, positionals: await Promise.all(positionals) };
}

const known: Readonly<Record<Kind, (client: Client) => Promise<readonly Known[]>>> = {
  workflow: async (client) => (await client.workflows()).map(({ id }) => ({ id, names: [] })),
  hardware: async (client) =>
    (await client.hardwareList()).map(({ hardware: { id, network } }) => ({
      id,
      names: network.interfaces.map(({ dhcp }) => dhcp.hostname),
    })),
  template: async (client) => (await client.templates()).map(({ id, name }) => ({ id, names: [name] })),
};

/** Where machines may be named too, which host names and MACs do, nothing is made of what is given. */
function kindAt({ positionals }: CliCommand, index: number): Kind | undefined {
  const { complete = [], usage = '' } = positionals ?? {};
  const completer = complete[Math.min(index, complete.length - 1)];
  const isKind = completer === 'workflow' || completer === 'hardware' || completer === 'template';
  return isKind && !usage.includes('machine') ? completer : undefined;
}

function wholeId(kind: Kind, text: string, all: readonly Known[]): string {
  if (all.some(({ names }) => names.some((name) => name.toLowerCase() === text))) return text;
  const found = all.map(({ id }) => id).filter((id) => id.startsWith(text));
  const [only = text, ...others] = found;
  if (others.length === 0) return only;
  const more = found.length > mostTold ? `, and ${found.length - mostTold} more` : '';
  const what = kind === 'hardware' ? 'hardware records' : `${kind}s`;
  throw new UsageError(
    `${text} is ambiguous: ${found.length} ${what} begin so`,
    `${found.slice(0, mostTold).join(', ')}${more}`,
  );
}
