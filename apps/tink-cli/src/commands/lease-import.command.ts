import { CommandError, define, exit, UsageError, type Context } from '../cli-command';
import { importBatches } from '../lease-files/import-batches';
import { type FileLease, LeaseFileError, type LeaseFormat, leaseFormats } from '../lease-files/lease-file';
import { guessFormat, type NamedText, readLeaseFiles } from '../lease-files/read-lease-file';
import { documentFlag, printDocument, printListing, showMac } from '../output/print';
import { plain } from '../output/screen';
import type { Column } from '../output/table';
import { reasonOf } from './read-document';

export const leaseImport = define({
  name: 'lease import',
  summary: 'take over the leases of Kea, ISC dhcpd or dnsmasq',
  details: [
    'The file is kea-leases4.csv or kea-leases6.csv (with what lies beside it as .completed, or .2 and .1), dhcpd.leases,',
    'dhcpd6.leases or dnsmasq.leases. Each client keeps its address and its time: the active boots renews it, and offers the',
    'address to nobody else. A file with a fault is not used at all. What cannot be taken is listed with its reason: expired;',
    'outside (in no pool, and no record has it); reserved (for another machine); held (by another client here); elsewhere',
    '(its client has another address here); no-client (it names no Ethernet address, or no DUID); prefix, temporary,',
    'declined (of IPv6). Import when the other server has stopped: what it gives to another client afterwards is held here.',
    'Run it again as often as you like: what is already here stays as it is, and what was renewed there since then is',
    'extended. How to change servers: docs/dhcp.md.',
  ].join('\n'),
  examples: [
    'tink lease import /var/lib/kea/kea-leases4.csv --dry-run',
    'tink lease import /var/lib/dhcp/dhcpd.leases',
    'tink lease import dnsmasq.leases --from dnsmasq -o json',
  ],
  positionals: { usage: '<file>', min: 1, max: 1, complete: ['file'] },
  flags: {
    from: {
      kind: 'text',
      value: 'SERVER',
      choices: leaseFormats,
      about: 'kea, isc or dnsmasq (default: by the content)',
    },
    pool: { kind: 'text', value: 'NAME', about: 'lease pool of the boots (BOOTS_POOL), when there are several' },
    'dry-run': { kind: 'switch', about: 'only say what would be' },
    output: documentFlag,
  },
  async run({ flags, positionals: [path = ''] }, context) {
    const { from, files } = await readAll(context, path, flags.from);
    const document = flags.output === 'json' || flags.output === 'yaml' ? flags.output : undefined;
    let read: ReturnType<typeof sorted>;
    try {
      read = sorted(files, from);
    } catch (error) {
      if (!(error instanceof LeaseFileError)) throw error;
      if (document) await printDocument(context, document, { file: path, from, faults: error.faults });
      throw new CommandError(
        `nothing was imported, since ${path} cannot be used as a file of ${from}:\n${shown(error)}`,
      );
    }
    const pools = await poolsOf(context, flags.pool);
    const dryRun = flags['dry-run'];
    const tally = new Tally(read.passedOver);
    await importAll(context, pools, { leases: read.leases, dryRun }, tally);
    const result = { file: path, from, leasePool: pools[4], dryRun, ...tally.counts, ended: read.ended };
    if (document) await printDocument(context, document, { ...result, passedOver: tally.passedOver });
    else await printResult(context, result, tally.passedOver);
    return exit.ok;
  },
});

function shown({ message }: LeaseFileError): string {
  return message.split('\n').map(plain).join('\n');
}

type Passed = Pick<FileLease, 'file' | 'line' | 'ip'> & {
  readonly mac: string | null;
  readonly hostname: string;
  readonly reason: string;
  readonly message: string;
};

/** Kea writes into the file itself; what it last cleaned up, and what it was about to, lie beside it. */
async function readAll(context: Context, path: string, given: string | undefined) {
  const main = await context.files.read(path).catch((error: unknown) => {
    throw new UsageError(`cannot read ${path}: ${reasonOf(error)}`);
  });
  const from = leaseFormats.find((format) => format === given) ?? guessFormat(main);
  if (from === undefined) {
    throw new UsageError(
      `${path} is like no file of leases that is known`,
      'say whose it is with --from kea, isc or dnsmasq',
    );
  }
  const beside = from === 'kea' ? await keaFilesBeside(context, path) : [];
  return { from, files: [...beside, { name: path, text: main }] };
}

async function keaFilesBeside(context: Context, path: string): Promise<readonly NamedText[]> {
  const read = async (name: string): Promise<readonly NamedText[]> => {
    try {
      return [{ name, text: await context.files.read(name) }];
    } catch (error) {
      if (reasonOf(error) === 'no such file') return [];
      throw new UsageError(`cannot read ${name}: ${reasonOf(error)}`);
    }
  };
  const completed = await read(`${path}.completed`);
  return completed.length > 0 ? completed : [...(await read(`${path}.2`)), ...(await read(`${path}.1`))];
}

const others = {
  prefix: 'boots delegates no prefixes',
  temporary: 'boots leases no temporary addresses',
};

/** Throws LeaseFileError. */
function sorted(files: readonly NamedText[], from: LeaseFormat) {
  const entries = readLeaseFiles(files, from);
  const passedOver = entries.flatMap((entry): readonly Passed[] => {
    if (entry.kind !== 'prefix' && entry.kind !== 'temporary') return [];
    const { kind, ip, file, line } = entry;
    return [{ ip, file, line, mac: null, hostname: '', reason: kind, message: others[kind] }];
  });
  return {
    leases: entries.flatMap((entry) => (entry.kind === 'lease' ? [entry] : [])),
    ended: entries.filter(({ kind }) => kind === 'ended').length,
    passedOver,
  };
}

/** The lease pools of the one boots; 6: undefined where nobody answers DHCPv6. */
async function poolsOf({ client }: Context, given: string | undefined) {
  const known = (await client.dhcpServers()).map(({ leasePool }) => leasePool);
  const named = known.filter((name) => !known.some((other) => name === `${other}-v6`));
  const [first, second] = given === undefined ? named : [given];
  if (first === undefined) throw new CommandError('there is no lease pool: boots has not run yet with this server');
  if (second !== undefined)
    throw new UsageError(`there are several lease pools: ${named.join(', ')}`, 'name one with --pool');
  return { 4: first, 6: known.includes(`${first}-v6`) ? `${first}-v6` : undefined };
}

interface Wanted {
  readonly leases: readonly FileLease[];
  readonly dryRun: boolean;
}

/** One part after the other: others' commits come between. */
async function importAll(
  { client, progress, err, signal }: Context,
  pools: Awaited<ReturnType<typeof poolsOf>>,
  { leases, dryRun }: Wanted,
  tally: Tally,
): Promise<void> {
  try {
    for (const family of [4, 6] as const) {
      const pool = pools[family];
      const own = leases.filter((lease) => lease.family === family);
      if (pool === undefined) {
        tally.passAll(own, 'outside', 'no boots answers DHCPv6');
        continue;
      }
      for (const batch of importBatches(own)) {
        signal.throwIfAborted();
        const plain = batch.map(({ ip, mac, clientId, hostname, state, expiresAt }) => {
          return { ip, mac, clientId, hostname: hostname.slice(0, 255), state, expiresAt };
        });
        tally.add(batch, (await client.importLeases(pool, { leases: plain, dryRun })).leases);
        progress?.(`${tally.done} of ${leases.length} leases`);
      }
    }
  } catch (error) {
    progress?.('');
    if (!dryRun && tally.done > 0)
      err(`${tally.done} of ${leases.length} leases were seen to before this; run it again for the others`);
    throw error;
  }
  progress?.('');
}

type Answered = Awaited<ReturnType<Context['client']['importLeases']>>['leases'];

class Tally {
  readonly counts = { bound: 0, extended: 0, quarantined: 0, already: 0 };
  readonly passedOver: Passed[];
  done = 0;

  constructor(passedOver: readonly Passed[]) {
    this.passedOver = [...passedOver];
  }

  add(leases: readonly FileLease[], answers: Answered): void {
    leases.forEach((lease, at) => {
      const answer = answers[at];
      if (answer?.ip !== lease.ip) throw new CommandError(`the server did not say what became of ${lease.ip}`);
      if (answer.result === 'passed-over') this.#pass(lease, answer.reason, answer.message);
      else this.counts[answer.result]++;
    });
    this.done += leases.length;
  }

  passAll(leases: readonly FileLease[], reason: string, message: string): void {
    for (const lease of leases) this.#pass(lease, reason, message);
    this.done += leases.length;
  }

  #pass({ ip, mac, hostname, file, line }: FileLease, reason: string, message: string): void {
    this.passedOver.push({ ip, mac: mac === null ? null : showMac(mac), hostname, file, line, reason, message });
  }
}

interface Result {
  readonly file: string;
  readonly from: string;
  readonly leasePool: string;
  readonly dryRun: boolean;
  readonly bound: number;
  readonly extended: number;
  readonly quarantined: number;
  readonly already: number;
  readonly ended: number;
}

const columns: readonly Column<Passed>[] = [
  { title: 'IP Address', text: ({ ip }) => ip },
  { title: 'MAC Address', text: ({ mac }) => mac ?? '' },
  { title: 'Hostname', text: ({ hostname }) => hostname, shrinksTo: 12 },
  { title: 'Line', text: ({ line }) => String(line) },
  { title: 'Passed Over', text: ({ reason }) => reason },
  { title: 'Why', text: ({ message }) => message, shrinksTo: 20 },
];

async function printResult(context: Context, result: Result, passedOver: readonly Passed[]): Promise<void> {
  const { leasePool, dryRun, bound, extended, quarantined, already, ended } = result;
  if (passedOver.length > 0) {
    await printListing(context, undefined, { rows: passedOver, columns: () => columns, document: passedOver });
    context.out('');
  }
  const reasons = new Map<string, number>();
  for (const { reason } of passedOver) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const why = [...reasons].map(([reason, count]) => `${count} ${reason}`).join(', ');
  context.out(
    [
      `${dryRun ? 'would be in' : 'in'} lease pool ${leasePool}: ${bound} bound, ${extended} extended, ${quarantined} quarantined`,
      `already here: ${already}; passed over: ${passedOver.length}${why === '' ? '' : ` (${why})`}`,
      ...(ended > 0 ? [`addresses whose lease is over in the file: ${ended}`] : []),
    ].join('\n'),
  );
}
