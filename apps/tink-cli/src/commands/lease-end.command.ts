import { formatMac, isForGood, parseIp, parseMac } from '@tinkerbell/domain';
import type { EndedItem, LeaseItem } from '../api-types';
import { CommandError, define, exit, UsageError, type Context } from '../cli-command';
import { documentFlag, printDocument, showMac } from '../output/print';
import { plain } from '../output/screen';

export const leaseEnd = define({
  name: 'lease end',
  summary: 'give the address of a lease, or one in quarantine, free before its time',
  details: [
    'Named by IP address, MAC, client id (hex), hardware id or host name; of a machine the lease that it holds, else its address',
    'in quarantine. The active boots of the lease pool does it, in your name. From then on others may be given the address. Its',
    'machine gets it again when it asks before anybody else has it, and always gets what its hardware record reserves for it.',
    'Nobody tells a machine that its lease is over: it goes on using the address until it renews, after half of the lease. Then',
    'it keeps the address if that is still free, else it is told no and takes another. Until then boots asks the address itself',
    'before it offers it (IPv4, "probe" in docs/dhcp.md): while the machine answers nobody is given it, and it rests in',
    'quarantine. With IPv6, whoever is given it finds out and declines it. So a lease is ended only when you say yes, on the',
    'terminal or with --yes; a quarantine is ended without a question.',
  ].join('\n'),
  examples: [
    'tink lease end 192.168.1.5',
    'tink lease end 52:54:00:12:34:56 --subnet lab --yes',
    'tink lease end 2001:db8::5 --yes -o json',
  ],
  positionals: { usage: '<ip|mac>', min: 1, max: 1, complete: ['machine'] },
  flags: {
    subnet: { kind: 'text', value: 'NAME', about: 'only what is of this subnet, when a machine has several leases' },
    pool: { kind: 'text', value: 'NAME', about: 'lease pool of the boots (BOOTS_POOL), when several have the address' },
    yes: { kind: 'switch', short: 'y', about: 'do not ask' },
    output: documentFlag,
  },
  async run({ flags, positionals: [name = ''] }, context) {
    const { client } = context;
    const ip = parseIp(name)?.address ?? (await addressOf(context, name, flags.subnet));
    const { pool, subnet, yes, output } = flags;
    const { leasePool, ...found } = await client.endLease(ip, { ...(pool !== undefined && { pool }), dryRun: true });
    if (subnet !== undefined && found.subnet !== subnet) {
      throw new CommandError(`${ip} is of subnet ${found.subnet || '(none)'}, not of ${subnet}`, exit.notFound);
    }
    if (found.was === 'bound' && !yes && !(await isMeant(context, found))) {
      context.err('nothing was ended');
      return exit.failure;
    }
    const { was, mac, clientId } = found;
    // What was shown, and nobody else's that took its place meanwhile.
    const ended = await client.endLease(ip, { pool: leasePool, seen: { was, mac, clientId } });
    if (output === 'json' || output === 'yaml') await printDocument(context, output, ended);
    else printEnded(context, ended);
    return exit.ok;
  },
});

/** The one address that this machine has, or that rests because of it. */
async function addressOf({ client, now }: Context, name: string, subnet: string | undefined): Promise<string> {
  const mac = parseMac(name);
  const isMeant = (lease: LeaseItem) =>
    (mac === undefined || parseMac(lease.mac ?? '') === mac) && (subnet === undefined || lease.subnet === subnet);
  const named = (await client.leasesOf(name)).filter(isMeant);
  const held = named.filter(({ state, expiresAt }) => state === 'bound' && Date.parse(expiresAt ?? '') > now());
  const resting = named.filter(
    ({ state, quarantinedUntil }) =>
      (state === 'declined' || state === 'conflict') && Date.parse(quarantinedUntil ?? '') > now(),
  );
  const [first, second] = held.length > 0 ? held : resting;
  const who = mac ? formatMac(mac) : plain(name);
  const where = subnet === undefined ? '' : ` in subnet ${plain(subnet)}`;
  if (!first)
    throw new CommandError(`${who} holds no lease${where}, and no address is in quarantine for it`, exit.notFound);
  if (second) {
    const all = (held.length > 0 ? held : resting).map((lease) => `${lease.ip}${lease.subnet && ` (${lease.subnet})`}`);
    throw new UsageError(`${who} has several addresses: ${all.join(', ')}`, 'name one of them, or its --subnet');
  }
  return first.ip;
}

/** Throws UsageError where nobody can be asked. */
async function isMeant({ ask, now }: Context, lease: Omit<EndedItem, 'leasePool'>): Promise<boolean> {
  const { ip } = lease;
  const what = `${ip} is leased to ${holderOf(lease)} ${lasting(lease, now())}, and may be in use`;
  if (!ask) throw new UsageError(what, 'end it all the same with --yes');
  const answer = await ask(
    `${what}.\nIts machine is not told, and others may be given the address. End the lease? [y/N] `,
  );
  return /^\s*y(es)?\s*$/i.test(answer);
}

function holderOf({ mac, clientId }: Pick<EndedItem, 'mac' | 'clientId'>): string {
  return mac === null ? (clientId ?? 'nobody') : showMac(mac);
}

function lasting(lease: Pick<EndedItem, 'expiresAt'>, now: number): string {
  return isForGood(lease, new Date(now).toISOString()) ? 'for good' : `until ${lease.expiresAt}`;
}

function printEnded({ out, now }: Context, { ip, was, origin, hardwareId, ...rest }: EndedItem): void {
  const until = `would have lasted ${lasting(rest, now())}`;
  if (was !== 'bound') return out(`Ended\t${ip}\tits quarantine, which ${until}`);
  out(`Ended\t${ip}\tthe lease of ${holderOf(rest)}, which ${until}`);
  if (origin === 'reservation')
    out(`Reserved\t${ip}\tby hardware record ${hardwareId}: its machine gets it when it asks`);
}
