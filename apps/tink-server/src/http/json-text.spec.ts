import { describe, expect, it } from 'vitest';
import { MalformedJsonError, parseJson } from './json-text';

function faultOf(text: string): string {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof MalformedJsonError) return `${error.line}:${error.column} ${error.fault}`;
    throw error;
  }
  return 'none';
}

describe('parseJson', () => {
  it('reads what JSON.parse reads', () => expect(parseJson(' {"a": [1, "b", null]} ')).toEqual({ a: [1, 'b', null] }));

  it.each([
    ['', '1:1 unexpected end'],
    ['{', '1:2 unexpected end'],
    ['{"a": x}', '1:7 unexpected "x"'],
    ['{\n  "a": 1,\n  "b" 2\n}', '3:7 unexpected "2"'],
    ['[1, 2,]', '1:7 unexpected "]"'],
    ['{"a": 1,}', '1:9 unexpected "}"'],
    ['{"a": 01}', '1:7 unexpected "0"'],
    ['{} {}', '1:4 unexpected "{"'],
    ['{"a": "b\nc"}', '1:7 unexpected "\\""'],
    ['[1}', '1:3 unexpected "}"'],
    ['nul', '1:1 unexpected "n"'],
    ["{'a': 1}", '1:2 unexpected "\'"'],
  ])('says where %j stops being JSON', (text, fault) => expect(faultOf(text)).toBe(fault));

  it('never takes a text that JSON.parse refuses, nor loops on one', () => {
    const sample = '{"a":[1,-2.5e3,true,{"b":"\\u00e9"}],"c":null}';
    for (let end = 0; end < sample.length; end++) expect(faultOf(sample.slice(0, end))).not.toBe('none');
  });
});
