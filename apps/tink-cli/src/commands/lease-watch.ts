import type { LeaseEvent } from '@tinkerbell/events';
import { foldInto } from '@tinkerbell/history';
import { leaseList, type Projection } from '@tinkerbell/projections';
import type { LeaseItem } from '../api-types';
import { exit, UsageError, type Context, type Flag } from '../cli-command';
import { redrawing } from '../output/redraw';
import { fit, paint, plain } from '../output/screen';
import { showMac } from '../output/print';
import { renderCsv, renderTable } from '../output/table';
import { clock } from '../output/time';
import { feedEvents, News, unlessAway } from '../story/news';
import { asTheyAre, endOf, inOrder, leaseListing } from './lease-views';

export const watchFlag = {
  ...{ kind: 'switch', short: 'w', about: 'go on with what changes, until Ctrl-C' },
} as const satisfies Flag;

interface Wish {
  readonly output: string | undefined;
  readonly at: string | undefined;
}

/** Of one machine, or of all: of these there may be very many. */
interface Source {
  readonly of: string | undefined;
  readonly read: (context: Context, minSeq?: number) => Promise<readonly LeaseItem[]>;
}

/** As the API has it. */
const listed: Projection<LeaseEvent, LeaseItem> = {
  ...leaseList,
  evolve(row, recorded) {
    const next = leaseList.evolve(row, recorded);
    return next && { ...next, mac: next.mac && showMac(next.mac) };
  },
};

/** `note`: what keeps us from knowing more. */
type Show = (leases: readonly LeaseItem[], note: string) => void;

/** Shows the leases that are asked for, then what changes. */
export async function watchLeases(
  context: Context,
  { output, at }: Wish,
  { of, read }: Source,
  isAsked: (lease: LeaseItem) => boolean,
): Promise<number> {
  if (at !== undefined) throw new UsageError('--watch is of now: it does not go with --at');
  if (output === 'yaml') throw new UsageError('--watch prints no yaml', 'take -o json, one lease a line');
  const isLive = context.screen.isTty && (output === undefined || output === 'table' || output === 'wide');
  const show = isLive
    ? liveTable(context, output === 'wide', isAsked)
    : changes(context, lineOf(context, output), isAsked);
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const news = new News(signal);
  // On a live view a message would end up in the middle of the picture.
  const inner: Context = { ...context, signal, ...(isLive ? { err: (note) => news.tell({ note }) } : {}) };
  const model = (await context.client.readModels()).find(({ name }) => name === 'lease-list');
  let leases = await read(inner);
  const rows = new Map(leases.map((lease) => [lease.ip, lease]));
  // From before the list was read: what came meanwhile is looked at once more.
  const feed = feedEvents(inner, { aggregate: 'lease', after: model?.position ?? 0 }, news, (recorded) => {
    if (of === undefined) foldInto(rows, listed, recorded);
  });
  try {
    let seen = 0;
    while (!signal.aborted) {
      show(asTheyAre(leases, context.now()), news.note);
      await news.next(isLive ? 1_000 : undefined);
      const { position } = news;
      if (position <= seen) continue;
      const before = leases;
      leases =
        of === undefined ? inOrder([...rows.values()]) : await unlessAway(inner, before, () => read(inner, position));
      if (leases !== before) seen = position;
    }
    return exit.interrupted;
  } finally {
    stop.abort();
    await feed;
  }
}

/** As many as there is room for. */
function liveTable(context: Context, isWide: boolean, isAsked: (lease: LeaseItem) => boolean): Show {
  const { screen } = context;
  const draw = redrawing(screen);
  return (all, note) => {
    const leases = all.filter(isAsked);
    const columns = leaseListing(context, leases)
      .columns(isWide)
      .filter(({ wideOnly }) => isWide || !wideOnly);
    // The titles with their borders, the lower border, the line of what is left out, and the cursor's.
    const room = Math.max(1, (screen.rows ?? Infinity) - 6 - (note === '' ? 0 : 1));
    const more = leases.length - room;
    const foot = [...(more > 0 ? [`… and ${more} more`] : []), ...(note === '' ? [] : [note])];
    const width = screen.columns ?? Infinity;
    draw([
      ...renderTable(leases.slice(0, room), columns, screen),
      ...foot.map((line) => paint(screen, 'dim', fit(plain(line), width))),
    ]);
  };
}

/** Each lease once, and again when it is another than it was; also when that makes it one that was not asked for. */
function changes({ out }: Context, line: (lease: LeaseItem) => string, isAsked: (lease: LeaseItem) => boolean): Show {
  const known = new Map<string, string>();
  return (leases) => {
    for (const lease of leases) {
      const before = known.get(lease.ip);
      const now = JSON.stringify(lease);
      if (before === now || (before === undefined && !isAsked(lease))) continue;
      if (isAsked(lease)) known.set(lease.ip, now);
      else known.delete(lease.ip);
      out(line(lease));
    }
  };
}

function lineOf(context: Context, output: string | undefined): (lease: LeaseItem) => string {
  if (output === 'json') return (lease) => JSON.stringify(lease);
  if (output !== 'csv') return (lease) => told(lease, context.now());
  let isFirst = true;
  return (lease) => {
    const lines = renderCsv([lease], leaseListing(context, []).columns(true), isFirst);
    isFirst = false;
    return lines.join('\n');
  };
}

function told(lease: LeaseItem, now: number): string {
  const { ip, mac, clientId, hostname, state, updatedAt } = lease;
  const end = endOf(lease, (iso) => (iso === null ? '' : clock(iso, now)));
  const who = [ip, mac === null ? (clientId ?? '') : showMac(mac), hostname].filter((text) => text !== '');
  return plain(`${clock(updatedAt, now)}  ${who.join('  ')}  ${state}${end && ` until ${end}`}`);
}
