import { InvalidDocumentError } from '@tinkerbell/domain';
import { stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { validTemplate as valid } from '../fixtures/valid-template';
import conformance from '../fixtures/template-validation.json';
import { checkTemplate, parseTemplate } from './parse-template';
import { renderTemplate } from './render-template';
import type { Place } from './yaml-reader';

function refusal(run: () => unknown): InvalidDocumentError {
  try {
    run();
  } catch (error) {
    if (error instanceof InvalidDocumentError) return error;
    throw error;
  }
  throw new Error('accepted');
}

// The table's longest allowed name is 199 characters, by mistake; its own message, and we, say 200.
const isMistake = (name: string) => name.startsWith('name of exactly 200 characters');

describe('as the original validates', () => {
  it.each(conformance.validate.filter(({ name }) => !isMistake(name)))(
    '$name: $expect',
    ({ template, expect: want, message }) => {
      const text = stringify(template);
      for (const validate of [parseTemplate, checkTemplate]) {
        if (want === 'accept') expect(() => validate(text)).not.toThrow();
        else expect(refusal(() => validate(text)).message).toContain(message ?? '');
        if (want === 'reject') expect(refusal(() => validate(text)).faults).toHaveLength(1);
      }
    },
  );
  it('has the case that we decide otherwise', () => {
    const [mistake, ...more] = conformance.validate.filter(({ name }) => isMistake(name));
    expect(more).toEqual([]);
    expect(() => parseTemplate(stringify(mistake?.template))).not.toThrow();
  });
  it.each(conformance.parse)('$name: $expect', ({ yaml, expect: want }) => {
    if (want === 'accept') expect(() => checkTemplate(yaml)).not.toThrow();
    else expect(refusal(() => checkTemplate(yaml)).message).toMatch(/^parsing yaml data: /);
  });
  it.each(conformance.render)('$name', ({ yaml, devices, expect: want }) => {
    if (want.rendered_yaml !== undefined) expect(renderTemplate(yaml, devices)).toBe(want.rendered_yaml);
    else expect(refusal(() => renderTemplate(yaml, devices)).message).toContain(want.error_contains);
  });
});

describe('as today’s tinkerbell renders', () => {
  const [withYaml, ...others] = conformance.monorepo_render;
  const documentOf = (line: string) =>
    valid.replace('environment: {MIRROR: 192.168.1.2}', `environment:\n      ${line}`);
  it('toYaml, indented', () => {
    const text = documentOf(String(withYaml?.environment_template));
    const [task] = parseTemplate(renderTemplate(text, withYaml?.data ?? {})).tasks;
    expect(task?.environment['CONFIG']).toBe(
      '\nhostname: worker-1\nnetwork:\n  gateway: 192.168.1.1\n  ip: 192.168.1.10\n',
    );
  });
  const refused = others.flatMap(({ environment_template: texts }) => texts);
  it.each(refused)('%s is refused, with the reason', (text) => {
    const document = documentOf(`X: '${text}'`);
    for (const run of [() => renderTemplate(document, {}), () => checkTemplate(document)]) {
      expect(refusal(run).message).toMatch(/function "\w+" not defined: a template reaches its data and nothing else/);
    }
  });
  it('are all tried', () => expect(refused).toHaveLength(3));
});

describe('a template', () => {
  it('has everything that it says, scalars as they are written', () =>
    expect(parseTemplate(valid)).toEqual({
      name: 'n',
      globalTimeoutSeconds: 600,
      tasks: [
        {
          name: 't',
          worker: '08:00:27:00:00:01',
          volumes: ['/dev:/dev', '/lib/firmware:/lib/firmware:ro'],
          environment: { MIRROR: '192.168.1.2' },
          actions: [
            {
              name: 'a',
              image: 'registry.local:5000/some/image:v1',
              imagePlace: expect.objectContaining({ path: 'tasks[0].actions[0].image' }) as Place,
              timeoutSeconds: 90,
              command: ['sh', '-c', 'exit 0'],
              onTimeout: ['echo', 'late'],
              onFailure: ['echo', 'failed'],
              volumes: ['/statedir:/statedir'],
              environment: { PORT: '80', DEBUG: 'true', NOTHING: '' },
              pid: 'host',
            },
            expect.objectContaining({ name: 'b', timeoutSeconds: 0, command: [], environment: {}, pid: '' }),
          ],
        },
      ],
    }));
  it('may have tasks without actions, an id, and an unquoted version', () =>
    expect(
      parseTemplate('version: 0.1\nid: x\nname: n\ntasks: [{name: t, worker: w, actions: []}]').tasks[0]?.actions,
    ).toEqual([]));
  it('may use anchors and merge keys', () => {
    const text =
      'version: "0.1"\nname: n\ntasks:\n- name: t\n  worker: w\n  actions:\n  - &a {name: a, image: i, environment: &e {A: 1, B: 2}}\n  - {<<: *a, name: b, environment: {<<: *e, B: 3}}\n';
    expect(parseTemplate(text).tasks[0]?.actions[1]).toMatchObject({
      name: 'b',
      image: 'i',
      environment: { A: '1', B: '3' },
    });
  });
});

describe('before rendering', () => {
  const accepts = (from: string | RegExp, to: string) => {
    const text = valid.replace(from, to);
    expect(text).not.toBe(valid);
    expect(() => checkTemplate(text)).not.toThrow();
  };
  it.each([
    ['a quoted worker', '08:00:27:00:00:01', '"{{.device_1}}"'],
    ['a bare worker', '08:00:27:00:00:01', '{{.device_1}}'],
    ['a timeout', 'timeout: 90', 'timeout: {{.seconds}}'],
    ['a part of an image', 'some/image:v1', '{{.image}}:{{.tag}}'],
    ['a whole list', '[sh, -c, "exit 0"]', '{{.command}}'],
    ['an item', 'sh, -c', '{{.shell}}, -c'],
    ['a volume', '/dev:/dev', '{{.disk}}:/dev'],
    ['a mapping', '{MIRROR: 192.168.1.2}', '{{.env}}'],
    ['two keys', '{MIRROR: 192.168.1.2}', '{ {{.k}}: 1, {{.l}}: 2 }'],
    ['two names', /name: (?=[ab]\n)/g, 'name: {{.n}}'],
    ['a comment', 'name: n\n', 'name: n\n{{/* two\nlines */}}\n'],
    ['an assignment', 'name: n\n', '{{ $x := .y }}\nname: {{ $x }}\n'],
    ['a block text', '{MIRROR: 192.168.1.2}', '\n      CONFIG: |\n        {{ .config }}\n        more'],
    ['a line of its own', 'name: n\n', 'name: n\n{{ .more }}\n'],
    [
      'a block',
      '      - name: b\n        image: b\n',
      '{{ range .images }}\n      - name: {{ . }}\n        image: {{ . }}\n{{ end }}',
    ],
  ])('%s may be filled in later', (_name, from, to) => accepts(from, to));

  it.each([
    [
      'a rule',
      valid.replace('timeout: 90', 'timeout: -1').replace('08:00:27:00:00:01', '{{.device_1}}'),
      'tasks[0].actions[0].timeout: must be 0 to',
    ],
    [
      'a function',
      valid.replace('name: n', 'name: {{ nosuch .x }}'),
      'template: workflow-template:2: function "nosuch" not defined',
    ],
    ['an open action', valid.replace('name: n', 'name: {{ .x'), 'template: workflow-template:3: expected :='],
    ['an open block', `${valid}{{ if .x }}`, 'template: workflow-template:21: unexpected EOF'],
    ['YAML', valid.replace('name: n', 'name: {{ .x }}\n  bad: 1').replace('600', '{{ .y }}'), 'parsing yaml data: '],
  ])('still says what is wrong with %s', (_name, text, message) =>
    expect(refusal(() => checkTemplate(text)).message).toContain(message),
  );

  it('points at the author’s line, whatever stands before it', () => {
    const text = valid.replace('name: n', 'name: {{ .a\n | print }}').replace('timeout: 90', 'timeout: x');
    expect(refusal(() => checkTemplate(text)).faults).toMatchObject([{ line: 13, column: 18 }]);
  });
});
