import { ApiError } from '../api-errors';
import { CommandError, define, exit, UsageError, type Context } from '../cli-command';
import type { HardwareItem, PushedHardware } from '../api-types';
import type { Query } from '../transport';
import { documentFlag, formats, outputFlag, printDocument, printListing, quietFlag, showMac } from '../output/print';
import { plain } from '../output/screen';
import { asOf, atFlag } from './as-of';
import { valueText } from './diff.command';
import { deleteEach } from './delete-each';
import { getDocument, getFlags } from './get-flags';
import { fieldListing, hardwareListing, interfaceLines } from './hardware-views';
import { checkIps, checkMacs, checkUuids, isMac, isUuid, someIds } from './ids';
import { readDocument } from './read-document';
import { orFaults } from './refused-document';

const someHardware = { ...someIds, complete: ['hardware'] } as const;

export const hardwarePush = define({
  name: 'hardware push',
  summary: 'push new hardware to tink',
  details: [
    'Registers a machine, or replaces what is known of it (same id) and says what was changed by that. The document is read',
    'from --file or standard input.',
  ].join('\n'),
  examples: ['tink hardware push --file machine.json', 'cat machine.json | tink hardware push'],
  flags: {
    file: { kind: 'text', value: 'FILE', about: 'hardware data file (JSON)', complete: 'file' },
    output: documentFlag,
  },
  async run({ flags }, context) {
    const source = await readDocument(
      context,
      flags.file,
      "either pipe the data or provide the required '--file' flag",
    );
    if (source.text.trim() === '') throw new UsageError(`${source.name} is empty`);
    const pushed = await orFaults(context, source, () => context.client.pushHardware(source.text));
    if (flags.output !== undefined) {
      await printDocument(context, flags.output === 'yaml' ? 'yaml' : 'json', pushed);
      return exit.ok;
    }
    // The line of the original, then ours.
    context.out('Hardware data pushed successfully');
    for (const line of pushedLines(pushed)) context.out(line);
    return exit.ok;
  },
});

function pushedLines({ id, changed, created, fields }: PushedHardware): readonly string[] {
  if (created) return [`created ${id}`];
  if (!changed) return [`unchanged ${id}: it is known so already`];
  return [
    `updated ${id}, a record that was there before:`,
    ...fields.map(({ path, from, to }) => `  ${plain(path)}: ${valueText(from, 'none')} -> ${valueText(to, 'none')}`),
  ];
}

export const hardwareList = define({
  name: 'hardware list',
  summary: 'list all known hardware',
  examples: ['tink hardware list', 'tink hardware list -q', 'tink hardware list -o wide'],
  flags: { quiet: quietFlag('hardware'), output: outputFlag, at: atFlag },
  async run({ flags }, present) {
    const context = await asOf(present, flags.at);
    const items = await context.client.hardwareList();
    // As the original: an id a line, and a line per interface.
    if (flags.quiet) for (const { item } of interfaceLines(items)) context.out(item.hardware.id);
    else
      await printListing(
        context,
        flags.output,
        hardwareListing(
          context,
          items,
          items.map(({ hardware }) => hardware),
        ),
      );
    return exit.ok;
  },
});

export const hardwareGet = define({
  name: 'hardware get',
  summary: 'display one or many hardware',
  details: 'Without arguments: all of it. A machine is named by id, MAC, IP address or host name.',
  examples: [
    'tink hardware get',
    'tink hardware get 0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94 -o json',
    'tink hardware get node-1',
  ],
  positionals: { usage: '[id]...', min: 0, max: Infinity, complete: ['hardware'] },
  flags: getFlags,
  async run({ flags, positionals }, present) {
    const context = await asOf(present, flags.at);
    const items = positionals.length === 0 ? await context.client.hardwareList() : await findAll(context, positionals);
    const document = getDocument(
      flags,
      items.map(({ hardware }) => hardware),
      positionals,
    );
    const listing = hardwareListing(context, items, document);
    await printListing(context, flags.output ?? flags.format, listing, { titles: !flags['no-headers'] });
    return exit.ok;
  },
});

export const hardwareId = define({
  name: 'hardware id',
  summary: 'get hardware by id',
  details: 'Prints each record as one line of JSON.',
  examples: ['tink hardware id 224ee6ab-ad62-4070-a900-ed816444cec0 cb76ae54-93e9-401c-a5b2-d455bb3800b1'],
  positionals: someHardware,
  flags: { output: outputFlag, at: atFlag },
  async run({ flags, positionals }, present) {
    checkUuids(positionals);
    const context = await asOf(present, flags.at);
    for (const id of positionals) {
      const item = await context.client.hardware(id);
      if (flags.output === undefined) context.out(JSON.stringify(item.hardware));
      else await printListing(context, flags.output, hardwareListing(context, [item], item.hardware));
    }
    return exit.ok;
  },
});

const detailsFlags = {
  details: { kind: 'switch', short: 'd', about: 'provide the complete hardware details in json format' },
  output: outputFlag,
  at: atFlag,
} as const;

export const hardwareMac = define({
  name: 'hardware mac',
  summary: 'get hardware by any associated mac',
  examples: ['tink hardware mac 00:00:00:00:00:01 00:00:00:00:00:02'],
  positionals: { usage: '<mac>...', min: 1, max: Infinity, complete: ['mac'] },
  flags: detailsFlags,
  run({ flags, positionals }, context) {
    checkMacs(positionals);
    return lookUp(context, flags, 'mac', positionals);
  },
});

export const hardwareIp = define({
  name: 'hardware ip',
  summary: 'get hardware by any associated ip',
  examples: ['tink hardware ip 10.0.0.2 10.0.0.3'],
  positionals: { usage: '<ip>...', min: 1, max: Infinity, complete: ['ip'] },
  flags: detailsFlags,
  run({ flags, positionals }, context) {
    checkIps(positionals);
    return lookUp(context, flags, 'ip', positionals);
  },
});

export const hardwareDelete = define({
  name: 'hardware delete',
  summary: 'delete hardware by id',
  details:
    'Prints "Deleted" or "Error" for each id. The machine is no longer answered; what happened to it stays in the log.',
  examples: ['tink hardware delete 224ee6ab-ad62-4070-a900-ed816444cec0'],
  positionals: someHardware,
  flags: {},
  run({ positionals }, context) {
    checkUuids(positionals);
    return deleteEach(context, positionals, context.client.deleteHardware);
  },
});

/** Machines named by id, MAC, IP address or host name, in that order. Throws CommandError naming the one that is not there. */
export async function findHardware(context: Context, name: string): Promise<HardwareItem> {
  if (isUuid(name)) return context.client.hardware(name);
  const query: Query = isMac(name) ? { mac: name } : /^[\d.]+$|:/.test(name) ? { ip: name } : {};
  const items = await context.client.hardwareList(query);
  const byName = ({ hardware }: HardwareItem) => hardware.network.interfaces.some(({ dhcp }) => dhcp.hostname === name);
  const [found, ...others] = Object.keys(query).length > 0 ? items : items.filter(byName);
  if (!found) throw new CommandError(`hardware ${name} not found`, exit.notFound);
  if (others.length > 0) {
    const ids = [found, ...others].map(({ hardware }) => hardware.id).join(', ');
    throw new CommandError(`several machines are ${name}: ${ids}`);
  }
  return found;
}

async function findAll(context: Context, names: readonly string[]): Promise<readonly HardwareItem[]> {
  const items: HardwareItem[] = [];
  for (const name of names) items.push(await findHardware(context, name));
  return items;
}

async function lookUp(
  present: Context,
  flags: { readonly details: boolean; readonly output: string | undefined; readonly at: string | undefined },
  key: 'mac' | 'ip',
  values: readonly string[],
): Promise<number> {
  const context = await asOf(present, flags.at);
  const same = (text: string) => showMac(text.toLowerCase());
  for (const value of values) {
    const items = await context.client.hardwareList({ [key]: value });
    const [item] = items;
    if (!item) throw new ApiError(404, 'NOT_FOUND', `no hardware with ${key} ${value}`);
    const format = flags.details ? 'json' : flags.output;
    if (format !== undefined && format !== formats[0]) {
      await printListing(context, format, hardwareListing(context, items, item.hardware));
      continue;
    }
    const listing = fieldListing(item.hardware, ({ dhcp }) =>
      key === 'mac' ? same(dhcp.mac) === same(value) : dhcp.ip?.address === value,
    );
    await printListing(context, format, listing);
  }
  return exit.ok;
}
