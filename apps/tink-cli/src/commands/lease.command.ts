import { actorName, idText } from '@tinkerbell/history';
import type { HolderItem, LeaseDetailItem, LeaseItem, TenureItem } from '../api-types';
import { define, exit, type Context } from '../cli-command';
import { asOf, atFlag } from './as-of';
import { checkIps } from './ids';
import { outputFlag, printDocument, printListing, showMac, timeText, type Listing } from '../output/print';
import { colorOf } from '../output/screen';
import { clock } from '../output/time';
import type { Column } from '../output/table';
import { asTheyAre, endOf, endText, inOrder, leaseListing, leaseStates } from './lease-views';
import { watchFlag, watchLeases } from './lease-watch';

export const leaseList = define({
  name: 'lease list',
  summary: 'list all DHCP leases, or those of one machine',
  details: [
    'With an IP address, MAC, client id (hex), hardware id or host name: all leases of that machine, IPv4 before IPv6.',
    'Expires: of an address that was declined or found in use (conflict), when its quarantine ends.',
    'With --watch: on a terminal the table, always as it is now. Otherwise one line for each lease, and one after each change.',
  ].join('\n'),
  examples: [
    'tink lease list',
    'tink lease list node-1',
    'tink lease list --state declined,conflict --subnet lab',
    'tink lease list -o json',
    'tink lease list --subnet lab --watch',
  ],
  positionals: { usage: '[machine|ip]', min: 0, max: 1, complete: ['machine'] },
  flags: {
    state: { kind: 'list', value: 'STATE', about: `only these: ${leaseStates.join(', ')}`, choices: leaseStates },
    subnet: { kind: 'list', value: 'NAME', about: 'only of these subnets' },
    watch: watchFlag,
    output: outputFlag,
    at: atFlag,
  },
  async run({ flags, positionals: [name] }, present) {
    const isWanted = (wanted: readonly string[], value: string) => wanted.length === 0 || wanted.includes(value);
    const isAsked = ({ state, subnet }: LeaseItem) => isWanted(flags.state, state) && isWanted(flags.subnet, subnet);
    const read = async ({ client }: Context, minSeq?: number) =>
      name === undefined ? inOrder(await client.leases(minSeq)) : client.leasesOf(name, minSeq);
    if (flags.watch) return watchLeases(present, flags, { of: name, read }, isAsked);
    const context = await asOf(present, flags.at);
    const shown = asTheyAre(await read(context), context.now()).filter(isAsked);
    await printListing(context, flags.output, leaseListing(context, shown));
    return exit.ok;
  },
});

export const leaseGet = define({
  name: 'lease get',
  summary: 'show one lease: who has the address, since when, until when, and what was last heard',
  details: [
    'Named by IP address, MAC, client id (hex), hardware id or host name; of a machine the lease that it holds, else its last.',
    'Where it is plugged in is what its relay says (option 82).',
  ].join('\n'),
  examples: [
    'tink lease get 192.168.1.5',
    'tink lease get 52:54:00:12:34:56 -o json',
    'tink lease get 192.168.1.5 --at 2h',
  ],
  positionals: { usage: '<ip|mac|client-id>', min: 1, max: 1, complete: ['machine'] },
  flags: { output: outputFlag, at: atFlag },
  async run({ flags, positionals: [name = ''] }, present) {
    const context = await asOf(present, flags.at);
    const lease = await context.client.lease(name);
    await printListing(context, flags.output, leaseSheet(context, lease, flags.output === 'wide'));
    return exit.ok;
  },
});

type Fact = readonly [name: string, value: string];

function leaseSheet(context: Context, lease: LeaseDetailItem, isExact: boolean): Listing<Fact> {
  const time = timeText(context, isExact);
  const { giaddr, circuitId, remoteId, lastEvent, clientId, hardwareId, quarantinedUntil } = lease;
  const facts: readonly Fact[] = [
    ['IP Address', lease.ip],
    ['State', lease.state],
    ['MAC Address', showMac(lease.mac ?? '')],
    ['Hostname', lease.hostname],
    ['Hardware ID', hardwareId ?? ''],
    ['Client ID', clientId === null ? '' : clientText(clientId)],
    ['Bound At', time(lease.boundAt)],
    ['Expires', quarantinedUntil === null ? endOf(lease, time) : ''],
    ['Quarantined Until', time(quarantinedUntil)],
    ['Renewals', String(lease.renewals)],
    ['Subnet', lease.subnet],
    ['Origin', lease.origin],
    ['Relay', giaddr ?? ''],
    ['Circuit ID', circuitId === null ? '' : clientText(circuitId)],
    ['Remote ID', remoteId === null ? '' : clientText(remoteId)],
    ['Last Event', lastEvent === null ? '' : `${lastEvent.text} (${lastEvent.type}, ${time(lastEvent.at)})`],
  ];
  const columns: readonly Column<Fact>[] = [
    { title: 'Field', text: ([name]) => name },
    { title: 'Value', text: ([, value]) => value },
  ];
  return { rows: facts.filter(([, value]) => value !== ''), columns: () => columns, document: lease };
}

/** Hex, and what it says when that is text. */
function clientText(hex: string): string {
  const text = idText(hex);
  return text === hex ? hex : `${text} (${hex})`;
}

export const leaseHistory = define({
  name: 'lease history',
  summary: 'show every lease that a machine or an address ever had',
  details: [
    'Oldest first, with what was released, declined, ran out or was ended, and by whom.',
    'Named by MAC, IP address, hardware id or host name.',
  ].join('\n'),
  examples: [
    'tink lease history 192.168.1.5',
    'tink lease history node-1 -o json',
    'tink lease history node-1 --at 2d',
  ],
  positionals: { usage: '<machine|ip>', min: 1, max: 1, complete: ['machine'] },
  flags: { output: outputFlag, at: atFlag },
  async run({ flags, positionals: [name = ''] }, present) {
    const context = await asOf(present, flags.at);
    await printListing(context, flags.output, tenureListing(await context.client.leaseHistory(name), present.now()));
    return exit.ok;
  },
});

export const leaseWhoHad = define({
  name: 'lease who-had',
  summary: 'tell which machine had an IP address, now or at a moment',
  details: 'Exits with 4 when no machine had it; the last one before is named all the same.',
  examples: ['tink lease who-had 192.168.1.5', 'tink lease who-had 192.168.1.5 --at 2026-01-31T12:00:00Z'],
  positionals: { usage: '<ip>', min: 1, max: 1, complete: ['ip'] },
  flags: { output: outputFlag, at: atFlag },
  async run({ flags, positionals: [ip = ''] }, present) {
    checkIps([ip]);
    const context = await asOf(present, flags.at);
    const found = await context.client.leaseHolder(ip);
    if (flags.output === 'json' || flags.output === 'yaml') await printDocument(context, flags.output, found);
    else if (found.holder) await printListing(context, flags.output, tenureListing([found.holder], present.now()));
    else context.err(nobodyHad(context, found));
    return found.holder ? exit.ok : exit.notFound;
  },
});

function nobodyHad(context: Context, { ip, at, previous }: HolderItem): string {
  const time = timeText(context, true);
  const nobody = `no machine had ${ip} at ${time(at)}`;
  if (!previous) return nobody;
  const { hostname, mac, clientId, until } = previous;
  return `${nobody}; ${[hostname, showMac(mac ?? clientId ?? '')].filter(Boolean).join(' ')} had it until ${time(until)} (${stateText(previous)})`;
}

function stateText({ state, endedBy }: TenureItem): string {
  return endedBy ? `${state} by ${actorName(endedBy)}` : state;
}

/** Times of day, also those of the past: how long ago is not what history is asked for. */
function tenureListing(tenures: readonly TenureItem[], now: number): Listing<TenureItem> {
  const columns = (wide: boolean): readonly Column<TenureItem>[] => {
    const time = (iso: string) => (wide ? iso : clock(iso, now));
    return [
      { title: 'IP Address', text: ({ ip }) => ip },
      { title: 'MAC Address', text: ({ mac }) => showMac(mac ?? '') },
      { title: 'Hostname', text: ({ hostname }) => hostname, shrinksTo: 12 },
      { title: 'From', text: ({ boundAt }) => time(boundAt) },
      {
        title: 'Until',
        text: (tenure) => (tenure.state === 'bound' ? endText(tenure, time(tenure.until)) : time(tenure.until)),
      },
      { title: 'State', text: stateText, color: ({ state }) => colorOf(state) },
      { title: 'Renewals', text: ({ renewals }) => String(renewals) },
      { title: 'Relay', text: ({ giaddr }) => giaddr ?? '', wideOnly: true },
      { title: 'Circuit ID', text: ({ circuitId }) => idText(circuitId ?? ''), wideOnly: true },
      { title: 'Position', text: ({ position }) => String(position), wideOnly: true },
      { title: 'Client ID', text: ({ clientId }) => clientId ?? '', wideOnly: true },
      { title: 'Hardware ID', text: ({ hardwareId }) => hardwareId ?? '', wideOnly: true },
    ];
  };
  return { rows: tenures, columns, document: tenures };
}
