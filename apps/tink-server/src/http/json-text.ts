/** The body is not JSON. `line` and `column` (from 1) tell where. */
export class MalformedJsonError extends Error {
  constructor(
    readonly line: number,
    readonly column: number,
    readonly fault: string,
  ) {
    super(`body is not JSON: ${fault} at line ${line}, column ${column}`);
  }
}

/** `JSON.parse` whose error names the place: V8's own message leaves it out for short texts. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const offset = faultOffset(text);
    const before = text.slice(0, offset).split('\n');
    const found = text[offset];
    const fault = found === undefined ? 'unexpected end' : `unexpected ${JSON.stringify(found)}`;
    throw new MalformedJsonError(before.length, (before.at(-1) ?? '').length + 1, fault);
  }
}

const literal = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
// RFC 8259 §7: control characters must be escaped.
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const space = /[ \t\n\r]*/y;

type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end';

/** Where the text stops being JSON: a tokenizer with a stack of the brackets that are open. */
function faultOffset(text: string): number {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    at = skip(space, text, at) ?? at;
    const char = text[at];
    if (char === undefined) return at;
    const next = step(char, expected, open, text, at);
    if (next === undefined) return at;
    at = next.at;
    expected = next.expected;
    if (open.length === 0 && expected === 'comma-or-end') return skip(space, text, at) ?? at;
  }
}

function step(
  char: string,
  expected: Expected,
  open: ('{' | '[')[],
  text: string,
  at: number,
): { at: number; expected: Expected } | undefined {
  const inside = open.at(-1);
  const mayClose = expected === 'comma-or-end' || expected === 'value-or-end' || expected === 'key-or-end';
  if (mayClose && ((char === '}' && inside === '{') || (char === ']' && inside === '['))) {
    open.pop();
    return { at: at + 1, expected: 'comma-or-end' };
  }
  if (expected === 'comma-or-end') {
    return char === ',' ? { at: at + 1, expected: inside === '{' ? 'key' : 'value' } : undefined;
  }
  if (expected === 'colon') return char === ':' ? { at: at + 1, expected: 'value' } : undefined;
  if (expected === 'key' || expected === 'key-or-end') {
    const end = skip(string, text, at);
    return end === undefined ? undefined : { at: end, expected: 'colon' };
  }
  if (char === '{' || char === '[') {
    open.push(char);
    return { at: at + 1, expected: char === '{' ? 'key-or-end' : 'value-or-end' };
  }
  const end = skip(char === '"' ? string : literal, text, at);
  return end === undefined ? undefined : { at: end, expected: 'comma-or-end' };
}

function skip(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
