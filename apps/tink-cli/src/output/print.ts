import type { Context, Flag } from '../cli-command';
import { relative } from './time';
import { renderCsv, renderTable, type Column } from './table';

export const formats = ['table', 'wide', 'json', 'yaml', 'csv'] as const;

/** `-o`, for every command that prints resources. */
export const outputFlag = {
  kind: 'text',
  short: 'o',
  value: 'FORMAT',
  choices: formats,
  about: 'table, wide, json, yaml or csv (default table)',
} as const satisfies Flag;

/** For commands that print one document. */
export const documentFlag = {
  kind: 'text',
  short: 'o',
  value: 'FORMAT',
  choices: ['json', 'yaml'],
  about: 'json or yaml',
} as const satisfies Flag;

export const noHeadersFlag = { kind: 'switch', about: 'leave the titles of the columns out' } as const satisfies Flag;
export const quietFlag = (what: string) =>
  ({ kind: 'switch', short: 'q', about: `only display ${what} IDs` }) as const satisfies Flag;

export interface Listing<Row> {
  readonly rows: readonly Row[];
  readonly columns: (wide: boolean) => readonly Column<Row>[];
  /** What json and yaml print; one document when the user asked for one thing. */
  readonly document: unknown;
}

export async function printListing<Row>(
  context: Context,
  format: string | undefined,
  { rows, columns, document }: Listing<Row>,
  options: { readonly titles?: boolean } = {},
): Promise<void> {
  if (format === 'json' || format === 'yaml') return printDocument(context, format, document);
  const wide = format === 'wide' || format === 'csv';
  const shown = columns(wide).filter(({ wideOnly }) => wide || !wideOnly);
  const lines =
    format === 'csv'
      ? renderCsv(rows, shown, options.titles ?? true)
      : renderTable(rows, shown, wide ? { ...context.screen, columns: undefined } : context.screen, options);
  for (const line of lines) context.out(line);
}

export async function printDocument(context: Context, format: 'json' | 'yaml', document: unknown): Promise<void> {
  if (format === 'json') return context.out(JSON.stringify(document, null, 2));
  context.out((await toYaml(document)).trimEnd());
}

/** The yaml package is loaded only when something is printed with it. */
export async function toYaml(document: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** A time in a table: how long ago; with `-o wide`: exactly. */
export function timeText(context: Context, wide: boolean): (iso: string | null) => string {
  return (iso) => (iso === null || iso === '' ? '' : wide ? iso : relative(iso, context.now()));
}

/** MAC addresses are shown with colons, also where the log keeps them with dashes. */
export function showMac(text: string): string {
  return /^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/i.test(text) ? text.replaceAll('-', ':') : text;
}
