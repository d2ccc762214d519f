import { foreverSeconds } from '@tinkerbell/domain';
import { idText } from '@tinkerbell/history';
import type { HolderItem, LeaseDetailItem, LeaseItem, TenureItem } from '../api-types';
import { define, exit, type Context } from '../cli-command';
import { asOf, atFlag } from './as-of';
import { checkIps } from './ids';
import { outputFlag, printDocument, printListing, showMac, timeText, type Listing } from '../output/print';
import { colorOf } from '../output/screen';
import { clock } from '../output/time';
import type { Column } from '../output/table';

const states = ['bound', 'expired', 'released', 'declined', 'conflict'] as const;

export const leaseList = define({
  name: 'lease list',
  summary: 'list all DHCP leases, or those of one machine',
  details: [
    'With an IP address, MAC, client id (hex), hardware id or host name: all leases of that machine, IPv4 before IPv6.',
    'Expires: of an address that was declined or found in use (conflict), when its quarantine ends.',
  ].join('\n'),
  examples: [
    'tink lease list',
    'tink lease list node-1',
    'tink lease list --state declined,conflict --subnet lab',
    'tink lease list -o json',
  ],
  positionals: { usage: '[machine|ip]', min: 0, max: 1, complete: ['machine'] },
  flags: {
    state: { kind: 'list', value: 'STATE', about: `only these: ${states.join(', ')}`, choices: states },
    subnet: { kind: 'list', value: 'NAME', about: 'only of these subnets' },
    output: outputFlag,
    at: atFlag,
  },
  async run({ flags, positionals: [name] }, present) {
    const context = await asOf(present, flags.at);
    const { client } = context;
    const leases = name === undefined ? inOrder(await client.leases()) : await client.leasesOf(name);
    const isWanted = (wanted: readonly string[], value: string) => wanted.length === 0 || wanted.includes(value);
    const shown = leases
      .map((lease) => ({ ...lease, state: stateOf(lease, context.now()) }))
      .filter(({ state, subnet }) => isWanted(flags.state, state) && isWanted(flags.subnet, subnet));
    await printListing(context, flags.output, leaseListing(context, shown));
    return exit.ok;
  },
});

/** The log only knows of what machines said; that a lease ran out is a matter of the time. */
function stateOf({ state, expiresAt }: LeaseItem, now: number): LeaseItem['state'] {
  return state === 'bound' && Date.parse(expiresAt ?? '') < now ? 'expired' : state;
}

/** By address as a number, IPv4 before IPv6. */
function inOrder(leases: readonly LeaseItem[]): readonly LeaseItem[] {
  const keyOf = ({ ip }: LeaseItem) => (ip.includes(':') ? groupsOf(ip) : ip.split('.').map(Number));
  return leases
    .map((lease) => ({ lease, key: keyOf(lease) }))
    .sort((a, b) => a.key.length - b.key.length || difference(a.key, b.key))
    .map(({ lease }) => lease);
}

function difference(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((part, i) => part !== other[i]);
  return at < 0 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}

/** The eight groups of an IPv6 address. */
function groupsOf(ip: string): readonly number[] {
  const [head = [], tail = []] = ip.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].map((group) => parseInt(group, 16));
}

function leaseListing(context: Context, leases: readonly LeaseItem[]): Listing<LeaseItem> {
  const columns = (wide: boolean): readonly Column<LeaseItem>[] => {
    const time = timeText(context, wide);
    return [
      { title: 'IP Address', text: ({ ip }) => ip },
      { title: 'MAC Address', text: ({ mac }) => showMac(mac ?? '') },
      { title: 'Hostname', text: ({ hostname }) => hostname, shrinksTo: 12 },
      { title: 'State', text: ({ state }) => state, color: ({ state }) => colorOf(state) },
      { title: 'Expires', text: (lease) => endOf(lease, time) },
      { title: 'Bound At', text: ({ boundAt }) => time(boundAt), wideOnly: true },
      { title: 'Subnet', text: ({ subnet }) => subnet, wideOnly: true },
      { title: 'Origin', text: ({ origin }) => origin, wideOnly: true },
      { title: 'Client ID', text: ({ clientId }) => clientId ?? '', wideOnly: true },
      { title: 'Hardware ID', text: ({ hardwareId }) => hardwareId ?? '', wideOnly: true },
    ];
  };
  return { rows: leases, columns, document: leases };
}

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

/** `expiresAt` of one that never ends (RFC 2131 §3.3) is 136 years away. */
function endText({ leaseSeconds }: Pick<LeaseItem, 'leaseSeconds'>, time: string): string {
  return leaseSeconds === foreverSeconds ? 'never' : time;
}

/** Of an address in quarantine the end of that; of one that was given back nothing. */
function endOf(lease: LeaseItem, time: (iso: string | null) => string): string {
  const { state, expiresAt, quarantinedUntil } = lease;
  if (state === 'released') return '';
  return state === 'declined' || state === 'conflict' ? time(quarantinedUntil) : endText(lease, time(expiresAt));
}

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
  details:
    'Oldest first, with what was released, declined or ran out. Named by MAC, IP address, hardware id or host name.',
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
  const { hostname, mac, clientId, state, until } = previous;
  return `${nobody}; ${[hostname, showMac(mac ?? clientId ?? '')].filter(Boolean).join(' ')} had it until ${time(until)} (${state})`;
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
      { title: 'State', text: ({ state }) => state, color: ({ state }) => colorOf(state) },
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
