import { describe, expect, it } from 'vitest';
import type { JsonObject } from '@tinkerbell/events';
import { FilterError, parseFilter } from './filter';

const value: JsonObject = {
  a: { b: 'text', 'c-d': 2 },
  list: [
    { kind: 'x', n: 1 },
    { kind: 'y', n: 2, deep: [1, 2] },
  ],
};

describe('the jq subset', () => {
  it.each([
    ['.', [value]],
    ['.a.b', ['text']],
    ['.a["c-d"]', [2]],
    ['.a."c-d"', [2]],
    ['."a".b', ['text']],
    ['.list[0].kind', ['x']],
    ['.list[-1].n', [2]],
    ['.list[].n', [1, 2]],
    ['.["list"][1].deep[]', [1, 2]],
    ['.list[] | .kind', ['x', 'y']],
    ['.list[] | select(.kind == "y") | .n', [2]],
    ['.list[]|select(.kind != "y").n', [1]],
    ['.list[] | select(.deep)', [{ kind: 'y', n: 2, deep: [1, 2] }]],
    ['.a.b, .list[0].n', ['text', 1]],
    ['(.list | .[1]).n', [2]],
    ['.missing.field', [null]],
    ['.a.b.c?', []],
    ['"literal"', ['literal']],
    ['.list[] | select(.deep == [1,2])', 'unexpected'],
    ['.a.b.c', 'has no field'],
    ['.a.b[]', 'cannot iterate'],
    ['.missing[]', 'cannot iterate'],
    ['.a[', 'in brackets'],
    ['.a[0', '] is missing'],
    ['.a | ', 'unexpected end'],
    ['.a.', 'field name is missing'],
    ['foo', 'unexpected foo'],
    ['select(.a', ') is missing'],
    ['.a $', 'cannot read'],
    ['."\\x"', 'bad string'],
    ['', 'empty'],
  ] as const)('%s', (text, expected) => {
    const run = () => parseFilter(text)(value);
    if (typeof expected !== 'string') expect(run()).toEqual(expected);
    else {
      expect(run).toThrow(FilterError);
      expect(run).toThrow(expected);
    }
  });
});
