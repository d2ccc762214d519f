import { fit, paint, plain, widthOf, type Color, type Screen } from './screen';

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly color?: (row: Row) => Color | undefined;
  /** Shown with `-o wide` only. */
  readonly wideOnly?: true;
  /** May be cut when the terminal is too narrow, down to so many columns. */
  readonly shrinksTo?: number;
  /** May be left out when cutting is not enough; 1 goes first. */
  readonly drops?: 1 | 2 | 3;
}

/**
 * A table as the originals draw it: `+---+` borders and upper-case titles. On a terminal that is too narrow, cells that may shrink
 * are cut, the widest first, and if that is not enough columns are left out; without a terminal nothing is ever cut.
 */
export function renderTable<Row>(
  rows: readonly Row[],
  wanted: readonly Column<Row>[],
  screen: Screen,
  { titles = true }: { readonly titles?: boolean } = {},
): readonly string[] {
  const columns = thatFit(rows, wanted, titles, screen.columns);
  const cells = rows.map((row) => columns.map(({ text }) => plain(text(row))));
  const widths = widthsOf(cells, columns, titles, screen.columns);
  const border = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  const line = (texts: readonly string[], colorOf: (index: number) => Color | undefined) =>
    `|${texts.map((text, index) => ` ${cell(text, widths[index] ?? 0, colorOf(index), screen)} `).join('|')}|`;
  const body = cells.map((texts, rowIndex) =>
    line(texts, (index) => {
      const row = rows[rowIndex];
      return row === undefined ? undefined : columns[index]?.color?.(row);
    }),
  );
  const head = columns.map(({ title }) => title.toUpperCase());
  return [border, ...(titles ? [line(head, () => 'bold'), border] : []), ...body, border];
}

/** RFC 4180. */
export function renderCsv<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  titles: boolean,
): readonly string[] {
  const quote = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const head = columns.map(({ title }) => quote(title)).join(',');
  return [...(titles ? [head] : []), ...rows.map((row) => columns.map(({ text }) => quote(text(row))).join(','))];
}

/** Leaves columns out, the most dispensable first, until the rest can be made to fit. */
function thatFit<Row>(
  rows: readonly Row[],
  wanted: readonly Column<Row>[],
  titles: boolean,
  available: number | undefined,
): readonly Column<Row>[] {
  if (available === undefined) return wanted;
  const least = ({ title, text, shrinksTo = Infinity }: Column<Row>) =>
    Math.min(shrinksTo, Math.max(titles ? widthOf(title) : 0, ...rows.map((row) => widthOf(plain(text(row)))))) + 3;
  let kept = wanted;
  for (const order of [1, 2, 3]) {
    if (kept.reduce((sum, column) => sum + least(column), 1) <= available) break;
    kept = kept.filter(({ drops }) => drops !== order);
  }
  return kept;
}

function cell(text: string, width: number, color: Color | undefined, screen: Screen): string {
  const fitted = fit(text, width);
  return paint(screen, color, fitted) + ' '.repeat(width - widthOf(fitted));
}

function widthsOf<Row>(
  cells: readonly (readonly string[])[],
  columns: readonly Column<Row>[],
  titles: boolean,
  available: number | undefined,
): readonly number[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(titles ? widthOf(title) : 0, ...cells.map((row) => widthOf(row[index] ?? ''))),
  );
  if (available === undefined) return widths;
  const lowest = columns.map(({ shrinksTo }, index) => Math.min(widths[index] ?? 0, shrinksTo ?? Infinity));
  let excess = widths.reduce((sum, width) => sum + width + 3, 1) - available;
  while (excess > 0) {
    const room = widths.map((width, index) => (width > (lowest[index] ?? 0) ? width : 0));
    const widest = room.indexOf(Math.max(...room));
    if ((room[widest] ?? 0) === 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
  return widths;
}
