import { formatMac, parseMac, presentHardware } from '@tinkerbell/domain';
import type { Json } from '@tinkerbell/events';
import { changedFields, type FieldChange } from '@tinkerbell/history';
import type { RowHistory } from '@tinkerbell/event-store';
import type { TinkHistory } from '../read-side';

export const kinds = ['hardware', 'template', 'workflow', 'machine', 'lease'] as const;
export type Kind = (typeof kinds)[number];

/** What became of one row between two positions. */
export type RowChange = { readonly kind: Kind; readonly id: string; readonly name: string } & (
  | { readonly change: 'appeared' | 'vanished'; readonly row: Json }
  | { readonly change: 'changed'; readonly fields: readonly FieldChange[] }
);

interface Shown {
  readonly name: string;
  /** As the API shows the row, without its places in the log. */
  readonly row: Json;
}

/** One kind of rows: where their past is, and how they look. A row that is not shown is undefined. */
interface Table {
  readonly keysBetween: RowHistory<unknown>['keysBetween'];
  shownAt(key: string, position: number): Shown | undefined;
}

function table<Row>(
  history: RowHistory<Row>,
  show: (row: Row) => { readonly name: string; readonly row: object } | undefined,
): Table {
  return {
    keysBetween: (from, to) => history.keysBetween(from, to),
    shownAt(key, position) {
      const row = history.at(position).get(key);
      const shown = row === undefined ? undefined : show(row);
      if (!shown) return undefined;
      const { position: _, createdPosition: _created, ...rest } = shown.row as Readonly<Record<string, unknown>>;
      // Rows are JSON.
      return { name: shown.name, row: rest as Json };
    },
  };
}

function tablesOf(history: TinkHistory): Readonly<Record<Kind, Table>> {
  return {
    hardware: table(history.hardware, ({ hardware, ...row }) => ({
      name: hardware.network.interfaces[0]?.dhcp.hostname ?? '',
      row: { ...row, hardware: presentHardware(hardware) },
    })),
    template: table(history.templates, (row) => ({ name: row.name, row })),
    workflow: table(history.workflows, (row) => (row.deletedAt === null ? { name: row.templateName, row } : undefined)),
    machine: table(history.machines, (row) => ({ name: row.hostname, row: { ...row, mac: formatMac(row.mac) } })),
    lease: table(history.leases, (row) => ({
      name: row.hostname,
      row: { ...row, mac: row.mac && formatMac(row.mac) },
    })),
  };
}

/** Rows that are others at `to` than they were at `from`, kind by kind in the order of their ids. `id` as people write it. */
export function* rowChanges(
  history: TinkHistory,
  { from, to, kind, id }: { readonly from: number; readonly to: number; readonly kind?: Kind; readonly id?: string },
): Generator<RowChange> {
  const tables = tablesOf(history);
  const key = id === undefined ? undefined : (parseMac(id) ?? id);
  for (const one of kind === undefined ? kinds : [kind]) {
    for (const each of tables[one].keysBetween(from, to)) {
      if (key !== undefined && each !== key && each !== key.toLowerCase()) continue;
      const change = changeOf(tables[one].shownAt(each, from), tables[one].shownAt(each, to));
      if (change) yield { kind: one, id: each, ...change };
    }
  }
}

function changeOf(before: Shown | undefined, after: Shown | undefined) {
  if (before && after) {
    const fields = changedFields(before.row, after.row);
    return fields.length === 0 ? undefined : { name: after.name, change: 'changed' as const, fields };
  }
  if (after) return { name: after.name, change: 'appeared' as const, row: after.row };
  return before && { name: before.name, change: 'vanished' as const, row: before.row };
}
