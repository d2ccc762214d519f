import type { DhcpServerItem, PoolItem, ServiceItem } from '../api-types';
import { define, exit, type Context } from '../cli-command';
import { asOf, atFlag } from './as-of';
import { outputFlag, printListing, showMac, timeText, type Listing } from '../output/print';
import type { Column } from '../output/table';

export const leasePools = define({
  name: 'lease pools',
  summary: 'show how full each pool is, and who serves it',
  details: [
    'Pools are those of BOOTS_DHCP_FILE (docs/dhcp.md). Used: leased and not told to be over yet; quarantined: found in use',
    'by somebody else; in use is both of them. Crossed: when the pool last passed 80, 90 or 100 per cent, or fell below again.',
  ].join('\n'),
  examples: ['tink lease pools', 'tink lease pools -o wide', 'tink lease pools --at 2h -o json'],
  flags: { output: outputFlag, at: atFlag },
  async run({ flags }, present) {
    const context = await asOf(present, flags.at);
    const pools = await context.client.leasePools();
    await printListing(context, flags.output, poolListing(context, pools));
    if (pools.length === 0) context.err('there are no pools: only machines with a hardware record get an address');
    return exit.ok;
  },
});

function poolListing(context: Context, pools: readonly PoolItem[]): Listing<PoolItem> {
  const columns = (wide: boolean): readonly Column<PoolItem>[] => {
    const time = timeText(context, wide);
    return [
      { title: 'Pool', text: ({ pool }) => pool },
      { title: 'Subnet', text: ({ subnet }) => subnet, wideOnly: true },
      { title: 'Range', text: ({ ranges }) => ranges.join(', '), shrinksTo: 20 },
      { title: 'Size', text: ({ size }) => String(size) },
      { title: 'Used', text: ({ used }) => String(used) },
      { title: 'Free', text: ({ free }) => String(free) },
      { title: 'Quarantined', text: ({ quarantined }) => String(quarantined) },
      {
        title: 'In Use',
        text: ({ utilisation }) => `${utilisation} %`,
        color: ({ utilisation }) => colorAt(utilisation),
      },
      { title: 'Crossed', text: ({ crossed }) => (crossed ? `${crossing(crossed)}, ${time(crossed.at)}` : '') },
      { title: 'Served By', text: ({ service }) => servedBy(service) },
      { title: 'Lease Pool', text: ({ leasePool }) => leasePool, wideOnly: true },
    ];
  };
  return { rows: pools, columns, document: pools };
}

function colorAt(utilisation: number): 'red' | 'yellow' | undefined {
  if (utilisation >= 90) return 'red';
  return utilisation >= 80 ? 'yellow' : undefined;
}

function crossing({ level, before }: NonNullable<PoolItem['crossed']>): string {
  if (level < before) return `below ${before} %`;
  return level === 100 ? 'full' : `over ${level} %`;
}

function servedBy({ active, answers, standbys }: ServiceItem): string {
  const own = active === null ? 'nobody' : `${active.address}${answers === false ? ' (does not answer)' : ''}`;
  return standbys === null || standbys.length === 0 ? own : `${own}, standby ${standbys.join(', ')}`;
}

export const leaseServers = define({
  name: 'lease servers',
  summary: 'show which boots gives out leases, and other DHCP servers on the wire',
  details: [
    'Of the boots that share a lease pool one is active, the others stand by; IPv6 leases are a pool of their own (-v6).',
    '"other" is a DHCP server that is none of ours:',
    'it answered the question that boots asks when it starts, or was heard of since. It is told of once a day while it is there.',
  ].join('\n'),
  examples: ['tink lease servers', 'tink lease servers -o json'],
  flags: { output: outputFlag, at: atFlag },
  async run({ flags }, present) {
    const context = await asOf(present, flags.at);
    await printListing(context, flags.output, serverListing(context, await context.client.dhcpServers()));
    return exit.ok;
  },
});

interface ServerLine {
  readonly server: string;
  readonly role: string;
  readonly leasePool: string;
  readonly since: string;
  readonly seenAt: string;
  readonly seenBy: string;
}

function serverListing(context: Context, pools: readonly DhcpServerItem[]): Listing<ServerLine> {
  const columns = (wide: boolean): readonly Column<ServerLine>[] => {
    const time = timeText(context, wide);
    return [
      { title: 'Server', text: ({ server }) => server },
      { title: 'Role', text: ({ role }) => role, color: ({ role }) => (role === 'other' ? 'red' : undefined) },
      { title: 'Since', text: ({ since }) => time(since) },
      { title: 'Last Seen', text: ({ seenAt }) => time(seenAt) },
      { title: 'Seen By', text: ({ seenBy }) => seenBy },
      { title: 'Lease Pool', text: ({ leasePool }) => leasePool },
    ];
  };
  return { rows: pools.flatMap(linesOf), columns, document: pools };
}

function linesOf({ leasePool, active, answers, standbys, others }: DhcpServerItem): readonly ServerLine[] {
  const ours = { leasePool, seenAt: '', seenBy: '' };
  const role = answers === false ? 'active, does not answer' : 'active';
  return [
    ...(active ? [{ ...ours, server: active.address, role, since: active.since }] : []),
    ...(standbys ?? []).map((server) => ({ ...ours, server, role: 'standby', since: '' })),
    ...others.map(({ server, sign, clientMac, offered, seenAt, firstSeenAt }) => ({
      ...{ leasePool, server, role: 'other', since: firstSeenAt, seenAt },
      seenBy: `${sign} ${sign === 'request' ? 'of' : 'to'} ${showMac(clientMac)}${offered === null ? '' : `, ${offered}`}`,
    })),
  ];
}
