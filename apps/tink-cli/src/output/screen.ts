export type Color = 'red' | 'green' | 'yellow' | 'blue' | 'cyan' | 'dim' | 'bold';

/** Where output goes. */
export interface Screen {
  readonly isTty: boolean;
  readonly color: boolean;
  /** Columns of the terminal; undefined when lines may be as long as they like. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  /** As it is, without a line end. */
  readonly write: (text: string) => void;
}

const codes: Readonly<Record<Color, number>> = { red: 31, green: 32, yellow: 33, blue: 34, cyan: 36, dim: 2, bold: 1 };

export function paint(screen: Pick<Screen, 'color'>, color: Color | undefined, text: string): string {
  return screen.color && color !== undefined && text !== '' ? `\u001b[${codes[color]}m${text}\u001b[0m` : text;
}

/** Colours only on a terminal that knows them, and not where NO_COLOR (https://no-color.org) is set and not empty. */
export function wantsColor(isTty: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTty && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

/** Colour of a state, wherever it is shown. */
export function colorOf(status: string): Color | undefined {
  if (/^(success|bound|disk)$/.test(status)) return 'green';
  if (/^(failed|timeout|declined|cancelled)$/.test(status)) return 'red';
  if (/^(running|unknown|awaiting-approval)$/.test(status)) return 'yellow';
  return /^(pending|released|ended|off|skipped)$/.test(status) ? 'dim' : undefined;
}

// Combining marks and joiners take no column; East Asian wide characters and emoji take two (Unicode TR 11, its large blocks).
const zeroWidth = /[\u0300-\u036f\u200b-\u200f\u20d0-\u20ff\ufe00-\ufe0f]/u;
const doubleWidth =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

function columnsOf(character: string): number {
  return zeroWidth.test(character) ? 0 : doubleWidth.test(character) ? 2 : 1;
}

/** Columns that the text takes on a terminal. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** At most so many columns; what is cut off leaves an ellipsis. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let fitted = '';
  let width = 1;
  for (const character of text) {
    width += columnsOf(character);
    if (width > columns) break;
    fitted += character;
  }
  return `${fitted}…`;
}

/** One line of plain text: whatever would move the cursor or change the terminal is shown as `\x1b`, not done. */
export function plain(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) =>
    character === '\t' ? ' ' : character === '\n' ? '⏎' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** A line that some program wrote for a terminal: its colours stay, everything else that acts on a terminal goes. */
export function harmless(line: string, color: boolean): string {
  const kept = line.replace(
    /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g,
    (sequence) => (color && /^\u001b\[[0-9;]*m$/.test(sequence) ? sequence : ''),
  );
  // A carriage return starts the line anew, as progress bars do: what is left is what a terminal would show.
  const shown = kept.replace(/\r+$/, '').split('\r').at(-1) ?? '';

  const clean = shown.replace(/[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g, '');
  return color && clean.includes('\u001b') ? `${clean}\u001b[0m` : clean;
}
