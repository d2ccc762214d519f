import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidDocumentError } from '@tinkerbell/domain';
import { stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { validTemplate } from '../fixtures/valid-template';
import conformance from '../fixtures/template-validation.json';
import { convertTemplate } from './convert-template';
import { parseTemplate } from './parse-template';
import { planWorkflow } from './plan-workflow';
import type { FindWorker } from './resolve-worker';

const anybody: FindWorker = { byMac: (mac) => mac, byIp: (address) => address };
const devices = { device_1: '08:00:27:00:00:01', device_2: '192.168.1.5' };
const example = readFileSync(join(__dirname, '../../../docs/examples/template.yaml'), 'utf8');

/** Everything that runs, and what waits for what. */
function planOf(text: string): unknown {
  const { name, globalTimeoutSeconds, actions } = planWorkflow(text, devices, anybody);
  return { name, globalTimeoutSeconds, actions };
}
function faultsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof InvalidDocumentError) {
      return error.faults.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
    }
    throw error;
  }
  return [];
}
const flow = (tasks: string) => `{version: "0.1", name: n, global_timeout: 90, tasks: [${tasks}]}`;

const samples: readonly (readonly [string, string])[] = [
  ['every part of a template', validTemplate],
  ['the example', example],
  ...conformance.validate
    .filter(
      ({ expect: want, template }) => want === 'accept' && template.tasks.every(({ actions }) => actions.length > 0),
    )
    .map(({ name, template }) => [name, stringify(template)] as const),
  [
    'two tasks in flow style',
    flow(
      '{name: a, worker: "{{.device_1}}", actions: [{name: x, image: i, timeout: 5}]}, {name: "b c", worker: 192.168.1.5, actions: [{name: x, image: i}]}',
    ),
  ],
  [
    'three tasks',
    'version: 0.1\nname: n\ntasks:\n- name: "one, two"\n  worker: {{.device_1}}\n  actions: [{name: a, image: i}]\n- name: a b # second\n  worker: {{.device_2}}\n  actions:\n  - name: a\n    image: i\n    on-timeout: [x]\n- worker: {{.device_2}}\n  name: third\n  actions: [{name: a, image: i, on-failure: [y, z]}]\n',
  ],
  [
    'values',
    'version: "0.1"\nname: n\nid: 12\nglobal_timeout: {{ 60 }}\ntasks:\n- name: {{ "t" }}\n  worker: {{.device_1}}\n  actions:\n  - name: a\n    image: i\n    timeout: {{ add 1 2 }}0\n    environment: {X: "${{ .device_1 }}", Y: "$5"}\n- name: u\n  worker: {{.device_1}}\n  actions: [{name: a, image: i, timeout: ~}]\n',
  ],
  [
    'anchors and merge keys',
    'version: "0.1"\nname: n\ntasks:\n- name: t\n  worker: {{.device_1}}\n  actions:\n  - &a {name: a, image: i, timeout: 7200, on-failure: &f [x], environment: &e {A: 1, B: 2}}\n  - {<<: *a, name: b, environment: {<<: *e, B: 3}}\n- {name: u, worker: {{.device_1}}, actions: [{<<: *a, name: c, on-timeout: *f}]}\n',
  ],
  [
    'a block in an action',
    'version: "0.1"\nname: n\ntasks:\n- name: t\n  worker: {{.device_1}}\n  actions:\n  {{- range $i := until 3 }}\n  - name: a{{ $i }}\n    image: i\n    timeout: {{ $i }}\n    {{- if eq $i 1 }}\n    on-timeout: [x]\n    {{- end }}\n  {{- end }}\n',
  ],
  [
    'a timeout of nothing',
    'version: "0.1"\nname: n\nglobal_timeout: 0\ntasks: [{name: t, worker: 192.168.1.5, actions: [{name: a, image: i, timeout: 0}, {name: b, image: i, timeout: 3661}]}]',
  ],
];

describe('a template 0.1 becomes one of 1.0 that comes to the same', () => {
  it.each(samples)('%s', (_name, text) => {
    const converted = convertTemplate(text);
    expect(() => parseTemplate(converted)).toThrow(InvalidDocumentError);
    expect(planOf(converted)).toEqual(planOf(text));
  });
  it('whatever it is made of', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const text = randomTemplate(seed);
      expect(planOf(convertTemplate(text)), text).toEqual(planOf(text));
    }
  });
});

/** Park and Miller's generator. */
function randomTemplate(seed: number): string {
  let state = seed * 7919;
  const below = (limit: number): number => (state = (state * 48_271) % 2_147_483_647) % limit;
  const maybe = (text: string): string => (below(2) === 0 ? '' : text);
  const names = [
    'plain',
    '"quoted"',
    "'it''s'",
    'with space',
    '{{ "made" }}',
    'a-b_c.d',
    'é',
    'x # no',
    '"{{ .device_2 }}"',
  ];
  const numbers = ['90', '0', '3600', '{{ 5 }}', '{{ 1 }}2', '~', '7261'];
  const pick = (all: readonly string[]): string => all[below(all.length)] ?? '';
  const action = (i: number, isFlow: boolean): string => {
    const fields = [`name: "a${i}"`, 'image: some/image:{{ 1 }}', maybe(`timeout: ${pick(numbers)}`)];
    fields.push(
      maybe('on-timeout: [a, "b c"]'),
      maybe('on-failure: [{{ .device_1 }}]'),
      maybe('command: [x, "$HOME"]'),
    );
    fields.push(maybe('environment: {A: 1, B: "${{ .device_1 }}"}'), maybe('volumes: [/a:/b]'), maybe('pid: host'));
    const given = fields.filter((field) => field !== '');
    return isFlow ? `    - {${given.join(', ')}}\n` : `    - ${given.join('\n      ')} # ${i}\n`;
  };
  const task = (i: number): string => {
    const name = pick(names).replace(/^(["']?)/, `$1${i}`);
    const head = [
      `name: ${name}`,
      'worker: {{ .device_1 }}',
      maybe('volumes: [/x:/y, /a:/c]'),
      maybe('environment: {A: 0}'),
    ];
    const fields = head.filter((field) => field !== '');
    if (below(2) === 0) fields.reverse();
    const actions = Array.from({ length: 1 + below(3) }, (_, j) => action(j, below(2) === 0)).join('');
    return `  - ${fields.join('\n    ')}\n    actions:\n${actions}`;
  };
  const tasks = Array.from({ length: 1 + below(4) }, (_, i) => task(i)).join('');
  return `# begin\nversion: ${pick(['0.1', '"0.1"', "'0.1'"])}\nname: n\n${maybe('id: 5 # gone\n')}${maybe(`global_timeout: ${pick(numbers)}\n`)}tasks:\n${tasks}# end\n`;
}

describe('what is not about the version stays as it is', () => {
  it('comments, order, {{ }}', () =>
    expect(convertTemplate(example.replace('global_timeout', '# half an hour\nglobal_timeout'))).toBe(
      example
        .replace("'0.1'", '"1.0"')
        .replace('global_timeout: 1800', '# half an hour\ntimeout: 30m')
        .replace('timeout: 900', 'timeout: 15m')
        .replaceAll('timeout: 60', 'timeout: 60s'),
    ));
  it('a second task needs the first', () =>
    expect(
      convertTemplate(
        'version: "0.1"\nname: n\ntasks:\n- name: a # first\n  worker: w\n  actions: [{name: x, image: i}]\n- name: b # second\n  worker: w\n  actions: [{name: x, image: i}]\n',
      ),
    ).toBe(
      'version: "1.0"\nname: n\ntasks:\n- name: a # first\n  worker: w\n  actions: [{name: x, image: i}]\n- name: b # second\n  needs: [a]\n  worker: w\n  actions: [{name: x, image: i}]\n',
    ));
});

describe('refuses, with the place', () => {
  it.each([
    ['a template 1.0', 'version: "1.0"\nname: n\n', '1:1 version: it is of version 1.0 already'],
    ['a faulty template', flow('{name: a, worker: w, actions: [{name: x, image: I}]}'), 'invalid action image: I'],
    [
      'a name',
      flow('{name: a/b, worker: w, actions: [{name: x, image: i}]}'),
      '"a/b" cannot be a name in 1.0: change it first',
    ],
    [
      'a reserved name',
      flow('{name: finally, worker: w, actions: [{name: x, image: i}]}'),
      '"finally" cannot be a name',
    ],
    ['an action’s name', flow('{name: a, worker: w, actions: [{name: "x[1]", image: i}]}'), '"x[1]" cannot be a name'],
    ['an empty task', flow('{name: a, worker: w}'), 'a task needs at least one action in 1.0'],
    [
      'a task that may be there',
      'version: "0.1"\nname: n\ntasks:\n{{ if .x }}\n- name: a\n  worker: w\n  actions: [{name: x, image: i}]\n{{ end }}\n',
      '5:3 tasks[0]: whether it is there is only known after rendering',
    ],
    [
      'a shape that is not known',
      'version: "0.1"\nname: n\ntasks:\n{{ if .x }}\n- {name: a, worker: w}\n{{ else }}\n   - x\n{{ end }}\n',
      'its shape is only known after rendering',
    ],
  ])('%s', (_what, text, message) => expect(faultsOf(() => convertTemplate(text)).join()).toContain(message));
});
