import { describe, expect, it } from 'vitest';
import random from '../fixtures/go-random-results.json';
import golden from '../fixtures/go-results.json';
import { TemplateError } from './go-template/template-error';
import { renderTemplate } from './render-template';

interface Golden {
  readonly template: string;
  readonly want?: string;
  readonly error?: string;
}
const cases: readonly Golden[] = golden.cases;

describe('as Go’s text/template renders', () => {
  it.each(cases.filter(({ error }) => error === undefined))('$template', ({ template, want }) =>
    expect(renderTemplate(template, golden.data)).toBe(want),
  );
});

it('renders random templates as Go does', () => {
  const ours = random.cases.map(([template = '']) => [template, renderTemplate(template, random.data)]);
  expect(ours).toEqual(random.cases);
});

describe('as Go’s text/template refuses', () => {
  it.each(cases.filter(({ error }) => error !== undefined))('$template', ({ template, error }) =>
    expect(failureOf(template)).toBe(error),
  );
});

function failureOf(template: string): string {
  try {
    return `rendered: ${renderTemplate(template, golden.data)}`;
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
}

/** Where we know better than Go's engine, or refuse on purpose. */
describe('differs from Go', () => {
  it.each([
    ['{{define "x"}}{{end}}', '{{define}} is not supported'],
    ['{{template "x"}}', '{{template}} is not supported'],
    ['{{block "x" .}}{{end}}', '{{block}} is not supported'],
    ['{{call .s}}', 'function "call" not defined'],
    ['{{env "PATH"}}', 'function "env" not defined'],
    ['{{printf "%[1]d" 1}}', 'argument indexes are not supported'],
    ['{{$x = 1}}', 'undefined variable "$x"'],
    ['{{(index .machines 0).zip}}', 'at <(index .machines 0).zip>: map has no entry for key "zip"'],
    ['{{9223372036854775808}}', 'integer overflow'],
    ['{{1i}}', 'bad number syntax'],
  ])('%s', (template, message) => expect(failureOf(template)).toContain(message));

  it('hexadecimal and binary floats are not printed', () =>
    expect(renderTemplate('{{printf "%x %b" .f .f}}', golden.data)).toBe('%!x(float64=1.5) %!b(float64=1.5)'));

  it('whole numbers of the data are ints, others floats', () =>
    expect(renderTemplate('{{.a}} {{.b}} {{printf "%T %T" .a .b}}', { a: 4194304, b: 0.5 })).toBe(
      '4194304 0.5 int float64',
    ));
});

describe('keeps a template in its box', () => {
  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'prototype'])('cannot reach %s', (name) => {
    expect(failureOf(`{{.${name}}}`)).toContain(`map has no entry for key "${name}"`);
    expect(failureOf(`{{.m.${name}}}`)).toContain(`map has no entry for key "${name}"`);
    expect(renderTemplate(`{{index .m "${name}"}}`, golden.data)).toBe('<no value>');
    expect(failureOf(`{{.s.${name}}}`)).toContain(`can't evaluate field ${name}`);
    expect(failureOf(`{{.list.${name}}}`)).toContain(`can't evaluate field ${name}`);
  });
  it('an own key of that name is data like any other', () =>
    expect(
      renderTemplate(
        '{{.constructor}} {{index . "__proto__"}}',
        JSON.parse('{"constructor":1,"__proto__":2}') as object as Record<string, unknown>,
      ),
    ).toBe('1 2'));
  it.each([
    ['output', '{{range 30000}}aaaaaaaaaa{{end}}', 'longer than 262144 bytes'],
    ['steps', '{{range 1000}}{{range 1000}}{{end}}{{end}}', 'more than 100000 steps'],
    ['a loop over a huge number', '{{range 9000000000000000000}}{{end}}', 'more than 100000 steps'],
    ['a text that doubles', `{{$x := "ab"}}{{range 40}}{{$x = print $x $x}}{{end}}`, 'longer than 262144 characters'],
    [
      'a text handled often',
      `{{$x := "ab"}}{{range 15}}{{$x = print $x $x}}{{end}}{{range 9000}}{{if len $x}}{{end}}{{end}}`,
      'steps',
    ],
    ['padding', '{{printf "%9999999d" 1}}', 'a width or precision of 9999999'],
    ['precision', '{{printf "%.9999999f" 1.5}}', 'a width or precision of 9999999'],
    ['parentheses', `{{${'('.repeat(5000)}1${')'.repeat(5000)}}}`, 'max expression depth exceeded'],
    ['blocks', `${'{{if true}}'.repeat(5000)}${'{{end}}'.repeat(5000)}`, 'nested deeper than 100'],
    ['size', ' '.repeat(262_145), 'template is 262145 bytes'],
  ])('limits %s', (_what, template, message) => expect(() => renderTemplate(template, {})).toThrow(message));
  it('refuses data nested without end', () => {
    const loop: Record<string, unknown> = {};
    loop['loop'] = loop;
    expect(() => renderTemplate('x', loop)).toThrow('data is nested deeper than 100');
  });
  it('names the place, line and column from 1', () => {
    const place = expect.objectContaining({ faults: [expect.objectContaining({ line: 2, column: 6 })] }) as Error;
    expect(() => renderTemplate('é\né é{{.missing}}', {})).toThrow(place);
    expect(() => renderTemplate('é\né é{{) }}', {})).toThrow(place);
  });
});

describe('hardware', () => {
  it('is there as .Hardware unless the data has that key', () => {
    const options = { hardware: { id: 'x' } };
    expect(renderTemplate('{{.Hardware.id}}', {}, options)).toBe('x');
    expect(renderTemplate('{{.Hardware.id}}', { Hardware: { id: 'mine' } }, options)).toBe('mine');
    expect(() => renderTemplate('{{.Hardware.id}}', {})).toThrow('map has no entry for key "Hardware"');
  });
});
