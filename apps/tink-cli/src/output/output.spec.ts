import { describe, expect, it } from 'vitest';
import { fit, harmless, plain, wantsColor, widthOf } from './screen';
import { renderCsv, renderTable, type Column } from './table';
import { clock, duration, parsePast, relative, took } from './time';

const now = Date.parse('2026-01-01T12:00:00.000Z');

describe('times', () => {
  it.each([
    [0, '0s'],
    [59.6, '1m'],
    [75, '1m15s'],
    [3_600, '1h'],
    [45_000, '12h'],
    [5 * 3_600 + 720, '5h12m'],
    [90_000, '1d1h'],
    [864_000, '10d'],
  ])('%d seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text));

  it('are told from now', () => {
    expect(relative('2026-01-01T11:55:00.000Z', now)).toBe('5m ago');
    expect(relative('2026-01-01T14:00:00.000Z', now)).toBe('in 2h');
    expect(relative('2026-01-01T12:00:00.400Z', now)).toBe('now');
    expect(relative('soon', now)).toBe('soon');
    expect(took(3.14)).toBe('3.1s');
    expect(clock('2025-12-24T12:00:00.000Z', now)).toMatch(/^2025-12-2\d \d\d:00:00$/);
  });

  it('in the past are given in four ways', () => {
    expect(parsePast('15', now)).toBe(now - 900_000);
    expect(parsePast('30s', now)).toBe(now - 30_000);
    expect(parsePast('3d', now)).toBe(now - 259_200_000);
    expect(parsePast('2026-01-01T11:00:00Z', now)).toBe(now - 3_600_000);
    expect(parsePast('all', now)).toBe(0);
    for (const wrong of ['', 'x', '5w', '2026-13-01', '-5']) expect(parsePast(wrong, now)).toBeUndefined();
  });
});

describe('text on a terminal', () => {
  it('is measured in columns', () => {
    expect(widthOf('aé漢🙂e\u0301')).toBe(1 + 1 + 2 + 2 + 1);
    expect(fit('漢字漢字', 5)).toBe('漢字…');
    expect(fit('abc', 3)).toBe('abc');
  });

  it('does nothing but stand there', () => {
    expect(plain('a\u001b[31mb\nc\td\u0000')).toBe('a\\x1b[31mb⏎c d\\x00');
    expect(harmless('a\u001b[31mb\u001b[5;5Hc\u0007', true)).toBe('a\u001b[31mbc\u001b[0m');
    expect(harmless('a\u001b[31mb\u001b[5;5Hc\u0007', false)).toBe('abc');
    expect(harmless('10%\r20%\r', false)).toBe('20%');
  });

  it('has colours only where they are wanted', () => {
    expect(wantsColor(true, {})).toBe(true);
    expect(wantsColor(true, { NO_COLOR: '1' })).toBe(false);
    expect(wantsColor(true, { NO_COLOR: '' })).toBe(true);
    expect(wantsColor(true, { TERM: 'dumb' })).toBe(false);
    expect(wantsColor(false, {})).toBe(false);
  });
});

describe('tables', () => {
  const columns: readonly Column<readonly string[]>[] = [
    { title: 'Id', text: ([id = '']) => id },
    { title: 'Message', text: ([, message = '']) => message, shrinksTo: 6, color: () => 'red' },
  ];
  const rows = [
    ['1', 'a long message'],
    ['2', '漢字'],
  ];
  const screen = (over: object) => ({
    isTty: true,
    color: false,
    columns: undefined,
    rows: undefined,
    write: () => undefined,
    ...over,
  });

  it('are as wide as they need to be where nothing limits them', () => {
    expect(renderTable(rows, columns, screen({}))).toEqual([
      '+----+----------------+',
      '| ID | MESSAGE        |',
      '+----+----------------+',
      '| 1  | a long message |',
      '| 2  | 漢字           |',
      '+----+----------------+',
    ]);
  });

  it('shrink to the terminal, but not below what is readable', () => {
    const widths = (available: number) => renderTable(rows, columns, screen({ columns: available })).map(widthOf);
    expect(new Set(widths(20))).toEqual(new Set([20]));
    expect(new Set(widths(5))).toEqual(new Set([1 + 5 + 9]));
    expect(renderTable(rows, columns, screen({ columns: 20 }))[3]).toBe('| 1  | a long mes… |');
  });

  it('leave out what can be done without before they run over', () => {
    const three: typeof columns = [...columns, { title: 'Since', text: () => '5m ago', drops: 1 }];
    expect(renderTable(rows, three, screen({ columns: 24 }))[1]).toBe('| ID | MESSA… | SINCE  |');
    expect(renderTable(rows, three, screen({ columns: 23 }))[1]).toBe('| ID | MESSAGE        |');
    expect(renderTable(rows, three, screen({}))[1]).toContain('SINCE');
  });

  it('are coloured without losing their shape', () => {
    expect(renderTable(rows, columns, screen({ color: true, columns: 20 }))[3]).toBe(
      '| 1  | \u001b[31ma long mes…\u001b[0m |',
    );
  });

  it('become CSV', () => {
    expect(renderCsv([['1', 'say "hi", twice\n']], columns, true)).toEqual(['Id,Message', '1,"say ""hi"", twice\n"']);
  });
});
