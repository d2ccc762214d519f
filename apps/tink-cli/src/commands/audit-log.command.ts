import { aggregates, catalogue } from '@tinkerbell/events';
import type { AuditItem } from '../api-types';
import { define, exit, UsageError, type Context } from '../cli-command';
import { noHeadersFlag, outputFlag, printListing, showMac } from '../output/print';
import type { Column } from '../output/table';
import { clock, parsePast } from '../output/time';

const eventTypes = Object.values(catalogue).flatMap((entry) => Object.keys(entry));

export const auditLog = define({
  name: 'audit log',
  summary: 'show who did what: one row per commit of the log',
  details: [
    'Oldest first. Without --from, --after and --id the last 24 hours.',
    'An actor is user:<name>, worker:<id>, boots, reactor:<name> …; --actor user: shows what all users did.',
  ].join('\n'),
  examples: [
    'tink audit log --actor user: --from 7d',
    'tink audit log --type HardwareDeleted --from all',
    'tink audit log --id 2b3b6c1e-45a6-11eb-b13d-0242ac120003 -o wide',
    'tink audit log --from 2026-01-01 --until 2026-02-01 -o csv',
  ],
  flags: {
    actor: { kind: 'text', value: 'NAME', about: 'who; with a colon at the end all whose name begins so' },
    aggregate: { kind: 'text', value: 'NAME', about: 'only commits of these', choices: aggregates },
    id: { kind: 'text', value: 'ID', about: 'only commits of this one', complete: 'workflow' },
    type: { kind: 'text', value: 'TYPE', about: 'only commits with an event of this type', choices: eventTypes },
    from: {
      kind: 'text',
      value: 'TIME',
      about: 'from then on: minutes (15), a duration (2h, 3d), an ISO time, or all',
    },
    until: { kind: 'text', value: 'TIME', about: 'before then: likewise' },
    after: { kind: 'number', value: 'POSITION', about: 'only after this position of the log' },
    limit: { kind: 'number', value: 'N', about: 'only the first N' },
    last: { kind: 'number', value: 'N', about: 'only the newest N' },
    'no-headers': noHeadersFlag,
    output: outputFlag,
  },
  async run({ flags }, context) {
    const { actor, aggregate, id, type, after, limit, last } = flags;
    const everything = id !== undefined || after !== undefined;
    const query = {
      ...{ actor, aggregate, id: id && dashed(id), type, after, limit },
      since: time(context, 'from', flags.from ?? (everything ? 'all' : '1d')),
      until: time(context, 'until', flags.until),
    };
    const rows: AuditItem[] = [];
    for await (const row of context.client.auditLog(query)) {
      rows.push(row);
      if (last !== undefined && rows.length > last) rows.shift();
    }
    const listing = { rows, columns, document: rows };
    await printListing(context, flags.output, listing, { titles: !flags['no-headers'] });
    return exit.ok;

    function columns(wide: boolean): readonly Column<AuditItem>[] {
      return [
        { title: 'Position', text: ({ position }) => String(position) },
        { title: 'When', text: ({ at }) => (wide ? at : clock(at, context.now())) },
        { title: 'Who', text: (row) => row.actor, shrinksTo: 12 },
        { title: 'What', text: ({ types }) => types.join(', '), shrinksTo: 16 },
        { title: 'Of', text: (row) => row.aggregate },
        { title: 'ID', text: (row) => showMac(row.id), shrinksTo: 8 },
        { title: 'Command', text: ({ commandId }) => commandId, wideOnly: true },
        { title: 'Correlation', text: ({ correlationId }) => correlationId ?? '', wideOnly: true },
        { title: 'Caused By', text: ({ causationId }) => causationId ?? '', wideOnly: true },
      ];
    }
  },
});

/** The log has MAC addresses with dashes. */
function dashed(id: string): string {
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(id) ? id.replaceAll(':', '-').toLowerCase() : id;
}

function time(context: Context, flag: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const at = parsePast(text, context.now());
  const hint = 'use 15 (minutes), 30s, 2h, 3d, 2026-01-31T12:00:00Z, or all';
  if (at === undefined) throw new UsageError(`--${flag} does not understand ${JSON.stringify(text)}`, hint);
  return at === 0 ? undefined : new Date(at).toISOString();
}
