import { describe, expect, it } from 'vitest';
import { evaluate, isTruthy, parseExpression, referencesOf, type ExpressionScope } from './expression';

const scope: ExpressionScope = {
  actions: { 't/a': { status: 'failed', exitCode: 3, attempts: 2, seconds: 1.5 } },
  outputs: { 't/a': { n: 5, s: 'text', list: ['x', { y: 1 }], flag: true, none: null }, plain: { k: 'v' } },
  success: false,
  failure: true,
};
const value = (text: string) => evaluate(parseExpression(text), scope);

describe('an expression', () => {
  it.each([
    ["actions['t/a'].status == 'failed'", true],
    ["actions['t/a'].exitCode >= 3 && actions['t/a'].attempts < 3", true],
    ['outputs["t/a"].n', 5],
    ["outputs['t/a'].list[0]", 'x'],
    ["outputs['t/a'].list[1].y == 1", true],
    ["outputs['t/a']['s']", 'text'],
    ['outputs.plain.k', 'v'],
    ["outputs['t/a'].missing.deep", null],
    ["outputs['t/a'].missing == null", true],
    ["outputs['t/a'].none == null", true],
    ["outputs['t/a'].s.length", null],
    ["outputs['t/a'].toString", null],
    ["outputs['__proto__'].x", null],
    ['outputs.constructor.name', null],
    ['outputs.other.k', null],
    ["outputs['t/a'].n > '4'", false],
    ["outputs['t/a'].n != '5'", true],
    ["'b' > 'a'", true],
    ['!true || false', false],
    ['!(true && false)', true],
    ['true || false && false', true],
    ['failure() && !success()', true],
    ["contains(outputs['t/a'].s, 'ex')", true],
    ["contains(outputs['t/a'].list, 'x')", true],
    ["startsWith('text', 'te') && endsWith('text', 'xt')", true],
    ['contains(null, null)', false],
    ["'it''s'", "it's"],
    ['"a ""b"""', 'a "b"'],
    ['-1.5', -1.5],
    ['null', null],
  ])('%s is %j', (text, want) => expect(value(text)).toEqual(want));

  it.each([
    ['', 'something is missing at the end', 0],
    ['a', "there is no a: use actions['task/name'], outputs['task/name'] or a text in quotes", 0],
    ["actions == 'x'", "actions of which action? Write actions['task/name']", 0],
    ["outputs['t'", 'expected ], found the end', 11],
    ["outputs['t", "the text that ' begins does not end", 8],
    ['1 = 1', 'to compare write ==', 2],
    ['1 == 1 == 1', 'comparisons cannot be chained: join two of them with &&', 2],
    ['true true', 'unexpected true', 5],
    ['contains(1)', 'contains takes 2 arguments, not 1', 0],
    ['success(1)', 'success takes 0 arguments, not 1', 0],
    ['1 + 1', '"+" has no meaning here', 2],
    ['outputs.', 'a name has to follow the dot', 8],
    ['outputs[x]', 'a text in quotes or a number has to follow [', 8],
    ['(true', 'expected ), found the end', 5],
    ['true &&', 'something is missing at the end', 7],
    [`${'('.repeat(60)}1${')'.repeat(60)}`, 'nested deeper than 50', 51],
    [`${'!'.repeat(60)}1`, 'nested deeper than 50', 51],
    ['x'.repeat(2001), 'an expression has at most 2000 characters, not 2001', 0],
  ])('%.20s is refused: %s', (text, fault, at) => {
    let error: unknown;
    try {
      parseExpression(text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ fault, at });
  });

  it('knows which actions it names, and where', () =>
    expect(
      referencesOf(parseExpression("!(outputs['a/b'].x == 1) && contains(actions.c.status, 'x') || true")),
    ).toEqual([
      { action: 'a/b', at: 2 },
      { action: 'c', at: 37 },
    ]));
  it.each([
    [null, false],
    [0, false],
    ['', false],
    [false, false],
    ['0', true],
    [[], true],
    [{}, true],
  ])('%j counts as %s', (json, want) => expect(isTruthy(json)).toBe(want));
});
