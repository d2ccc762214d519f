import { InvalidDocumentError } from '@tinkerbell/domain';
import { describe, expect, it } from 'vitest';
import { planWorkflow } from './plan-workflow';
import { renderTemplate } from './render-template';

function resultOf(template: string, data: Readonly<Record<string, unknown>> = {}): string {
  try {
    return renderTemplate(template, data);
  } catch (error) {
    if (error instanceof InvalidDocumentError) return error.message;
    throw error;
  }
}

describe('functions reach data only', () => {
  it.each([
    [
      '{{ $d := dict }}{{ $_ := set $d "__proto__" (dict "x" 1) }}{{ toJson $d }} {{ get (dict) "x" }}.',
      '{"__proto__":{"x":1}} .',
    ],
    [
      '{{ toJson (merge (dict) (fromJson "{\\"__proto__\\": {\\"x\\": 1}}")) }} {{ hasKey (dict) "x" }}',
      '{"__proto__":{"x":1}} false',
    ],
    [
      '{{ toJson (mergeOverwrite (dict) (fromYaml "__proto__: {x: 1}")) }} {{ hasKey (dict) "x" }}',
      '{"__proto__":{"x":1}} false',
    ],
    ['{{ get (dict) "constructor" }}.{{ hasKey (dict) "toString" }}{{ pluck "valueOf" (dict) }}', '.false[]'],
    ['{{ dig "constructor" "name" "none" (dict) }} {{ dig "__proto__" "none" (dict) }}', 'none none'],
    [
      '{{ pick (dict "a" 1) "constructor" "a" }} {{ (split "," "a").constructor }}',
      'map has no entry for key "constructor"',
    ],
    ['{{ regexReplaceAll "(?P<a>x)" "x" "${constructor}" }}.', '.'],
    ['{{ $d := dict "__proto__" "x" }}{{ $_ := unset $d "__proto__" }}{{ $d }}', 'map[]'],
  ])('%s', (template, want) => expect(resultOf(template)).toContain(want));

  it('never change the caller’s data', () => {
    const data = { m: { a: 1, list: [1] } };
    expect(resultOf('{{ $_ := set .m "b" 2 }}{{ $_ := unset .m "a" }}{{ toJson .m }}', data)).toBe(
      '{"b":2,"list":[1]}',
    );
    expect(data).toEqual({ m: { a: 1, list: [1] } });
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

const grown = '{{ $l := list 1 2 3 4 5 6 7 8 9 10 }}';
describe('functions cannot use the server up', () => {
  it.each([
    ['a map in itself', '{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ $d }}', 'nested deeper than 100'],
    [
      'a chain',
      '{{ $root := dict }}{{ $d := $root }}{{ range until 500 }}{{ $n := dict }}{{ $_ := set $d "x" $n }}{{ $d = $n }}{{ end }}{{ $root }}',
      'nested deeper than 100',
    ],
    ['a list that doubles', `${grown}{{ range until 40 }}{{ $l = concat $l $l }}{{ end }}`, 'more than 50000 parts'],
    ['a tree that doubles', `${grown}{{ range until 40 }}{{ $l = list $l $l }}{{ end }}`, 'more than 50000 parts'],
    ['texts in a list', '{{ $x := repeat 100000 "x" }}{{ toJson (list $x $x $x) }}', 'longer than 262144 characters'],
    ['repeat', '{{ repeat 1000000000 "x" }}', 'longer than 262144 characters'],
    ['until', '{{ until 1000000000 }}', 'more than 50000 parts'],
    ['untilStep', '{{ untilStep 0 1000000000 1 }}', 'more than 50000 parts'],
    ['seq', '{{ seq 1000000000 }}', 'more than 50000 parts'],
    ['indent', '{{ indent 1000000000 "x" }}', 'longer than 262144 characters'],
    ['nindent of many lines', '{{ nindent 1000 (repeat 1000 "\\n") }}', 'longer than 262144 characters'],
    ['replace', '{{ replace "" (repeat 1000 "y") (repeat 1000 "x") }}', 'longer than 262144 characters'],
    ['join', '{{ join (repeat 1000 "y") (until 1000) }}', 'longer than 262144 characters'],
    ['wrapWith', '{{ wrapWith 1 (repeat 1000 "y") (repeat 1000 "x") }}', 'longer than 262144 characters'],
    [
      'regexReplaceAll',
      '{{ regexReplaceAll "x" (repeat 1000 "x") (repeat 1000 "y") }}',
      'longer than 262144 characters',
    ],
    ['a long pattern', '{{ regexMatch (repeat 1001 "x") "x" }}', 'false'],
    ['a pattern for a long text', '{{ regexFind "(x+x+)+y" (repeat 200000 "x") }}.', '.'],
    ['much work for a pattern', '{{ regexFind (repeat 100 "x?") (repeat 200000 "x") }}', 'are too long'],
    [
      'large values again and again',
      '{{ $x := until 40000 }}{{ range until 400 }}{{ $_ := last $x }}{{ end }}',
      'more than 100000 steps',
    ],
    [
      'aliases',
      '{{ fromYaml "a: &a [x,x,x,x,x,x,x,x,x]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]" }}',
      'Excessive alias count',
    ],
    ['deep YAML', `{{ fromYaml "${'['.repeat(300)}${']'.repeat(300)}" }}`, 'nested deeper than 100'],
    ['deep JSON', `{{ fromJson "${'['.repeat(300)}${']'.repeat(300)}" }}`, 'nested deeper than 100'],
    ['chunks of nothing', '{{ chunk 0 (list 1) }}', 'cannot make chunks of 0'],
  ])('%s', (_what, template, want) => expect(resultOf(template)).toContain(want));
});

it('YAML alias bombs in a template are refused', () => {
  const bomb = `x: &a [${'y,'.repeat(300)}]\nz: &b [${'*a,'.repeat(300)}]\n`;
  const text = `version: "1.0"\nname: n\n${bomb}tasks: [{name: t, worker: 192.168.1.5, actions: [{name: a, image: i, command: *b}]}]`;
  expect(() => planWorkflow(text, {}, { byMac: () => 'x', byIp: () => 'x' })).toThrow(InvalidDocumentError);
});
