import type { Screen } from './screen';

/** Draws each picture over the one before. */
export function redrawing({ write }: Pick<Screen, 'write'>): (lines: readonly string[]) => void {
  let height = 0;
  return (lines) => {
    // Up to the first line of the last picture; each line is cleared to its end, what is left of the last one below goes too.
    const up = height > 0 ? `\u001b[${height}A\r` : '';
    write(`${up}${lines.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
    height = lines.length;
  };
}
