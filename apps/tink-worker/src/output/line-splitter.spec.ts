import { describe, expect, it } from 'vitest';
import { LineSplitter, maxLineBytes } from './line-splitter';

function split(...chunks: readonly (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  chunks.forEach((chunk) => splitter.push(Buffer.from(chunk)));
  splitter.end();
  return lines;
}

describe('line splitter', () => {
  it('gives the same lines however the bytes were cut', () => {
    const whole = 'één\n\nzwei\r\n10%\r20%\r\rdone\r\nlast ¾ half';
    const lines = ['één', '', 'zwei', '10%', '20%', 'done', 'last ¾ half'];
    const bytes = Buffer.from(whole);
    expect(split(whole)).toEqual(lines);
    expect(split(...[...bytes].map((byte) => Buffer.from([byte])))).toEqual(lines);
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(split(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(lines);
    }
  });

  it('cuts a very long line between characters, losing none', () => {
    const long = '€'.repeat(maxLineBytes);
    const pieces = split(long, '\nnext\n');
    expect(pieces.at(-1)).toBe('next');
    expect(pieces.slice(0, -1).join('')).toBe(long);
    expect(Math.max(...pieces.map((piece) => Buffer.byteLength(piece)))).toBeLessThanOrEqual(maxLineBytes);
    expect(split('x'.repeat(maxLineBytes) + '\n')).toEqual(['x'.repeat(maxLineBytes)]);
  });

  it('cuts bytes that are no UTF-8 too', () => {
    const lines = split(Buffer.alloc(maxLineBytes * 2 + 1, 0x80));
    expect(lines.map((line) => line.length)).toEqual([maxLineBytes, maxLineBytes, 1]);
  });

  it('emits nothing for nothing', () => {
    expect(split('')).toEqual([]);
    expect(split('a\n')).toEqual(['a']);
  });
});
