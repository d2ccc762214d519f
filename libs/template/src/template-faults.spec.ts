import { InvalidDocumentError, type Fault } from '@tinkerbell/domain';
import { describe, expect, it } from 'vitest';
import { validTemplate as valid } from '../fixtures/valid-template';
import { parseTemplate } from './parse-template';

function refusal(run: () => unknown): InvalidDocumentError {
  try {
    run();
  } catch (error) {
    if (error instanceof InvalidDocumentError) return error;
    throw error;
  }
  throw new Error('accepted');
}
const faultsOf = (text: string): readonly Fault[] => refusal(() => parseTemplate(text)).faults;

/** One change to the valid template, and the one fault that it makes. */
const single: readonly (readonly [string, string | RegExp, string, Fault])[] = [
  ['no name', 'name: n\n', '', { path: 'name', message: 'name cannot be empty', line: 1, column: 1 }],
  [
    'wrong version',
    '"0.1"',
    '"0.2"',
    { path: 'version', message: 'invalid template version: 0.2; there are 0.1 and 1.0', line: 1, column: 10 },
  ],
  [
    'no version',
    'version: "0.1"\n',
    '',
    { path: 'version', message: 'invalid template version: ', line: 1, column: 1 },
  ],
  [
    'unknown key',
    'name: n\n',
    'name: n\nfoo: bar\n',
    { path: 'foo', message: 'unknown key foo; known are version, name, id, global_timeout, tasks', line: 3, column: 1 },
  ],
  [
    'unknown key in a task',
    '    worker',
    '    wrker: x\n    worker',
    {
      path: 'tasks[0].wrker',
      message: 'unknown key wrker; did you mean worker? Known are name, worker, volumes, environment, actions',
      line: 6,
      column: 5,
    },
  ],
  [
    'unknown key in an action',
    'timeout: 90',
    'timeout: 90\n        retries: 3',
    {
      path: 'tasks[0].actions[0].retries',
      message: expect.stringContaining('unknown key retries') as string,
      line: 13,
      column: 9,
    },
  ],
  [
    'duplicate key',
    'name: n\n',
    'name: n\nname: m\n',
    { path: '', message: 'Map keys must be unique', line: 3, column: 1 },
  ],
  [
    'negative global timeout',
    '600',
    '-1',
    { path: 'global_timeout', message: 'must be 0 to 2147483647 seconds, got -1', line: 3, column: 17 },
  ],
  [
    'huge timeout',
    'timeout: 90\n',
    'timeout: 99999999999\n',
    {
      path: 'tasks[0].actions[0].timeout',
      message: 'must be 0 to 2147483647 seconds, got 99999999999',
      line: 12,
      column: 18,
    },
  ],
  [
    'timeout in quotes',
    'timeout: 90\n',
    'timeout: "60"\n',
    {
      path: 'tasks[0].actions[0].timeout',
      message: 'must be a whole number of seconds, got "60"',
      line: 12,
      column: 18,
    },
  ],
  [
    'timeout with a unit',
    'timeout: 90\n',
    'timeout: 90s\n',
    {
      path: 'tasks[0].actions[0].timeout',
      message: 'must be a whole number of seconds, got 90s',
      line: 12,
      column: 18,
    },
  ],
  [
    'fractional timeout',
    'timeout: 90\n',
    'timeout: 1.5\n',
    {
      path: 'tasks[0].actions[0].timeout',
      message: 'must be a whole number of seconds, got 1.5',
      line: 12,
      column: 18,
    },
  ],
  [
    'task without name',
    'name: t',
    'name: ""',
    { path: 'tasks[0].name', message: 'name cannot be empty', line: 5, column: 11 },
  ],
  [
    'task without worker',
    'worker: 08:00:27:00:00:01',
    'worker: ""',
    { path: 'tasks[0].worker', message: 'worker cannot be empty', line: 6, column: 13 },
  ],
  [
    'same action twice',
    'name: b',
    'name: a',
    {
      path: 'tasks[0].actions[1].name',
      message: 'two actions in a task cannot have same name: a',
      line: 19,
      column: 15,
    },
  ],
  [
    'upper-case image',
    'image: b',
    'image: Bad',
    {
      path: 'tasks[0].actions[1].image',
      message: 'invalid action image: Bad (the repository name must be lower case)',
      line: 20,
      column: 16,
    },
  ],
  [
    'no image',
    '        image: b\n',
    '',
    { path: 'tasks[0].actions[1].image', message: 'invalid action image:  (it is empty)', line: 19, column: 9 },
  ],
  [
    'volume without target',
    '/dev:/dev',
    '/dev',
    {
      path: 'tasks[0].volumes[0]',
      message: 'invalid volume "/dev": it must be host:container or host:container:mode',
      line: 7,
      column: 15,
    },
  ],
  [
    'volume with a relative target',
    '/dev:/dev',
    '/dev:dev',
    {
      path: 'tasks[0].volumes[0]',
      message: 'invalid volume "/dev:dev": "dev" is not an absolute path',
      line: 7,
      column: 15,
    },
  ],
  [
    'volume with an unknown mode',
    'firmware:ro',
    'firmware:readonly',
    {
      path: 'tasks[0].volumes[1]',
      message: expect.stringContaining('"readonly" is not a mode such as ro') as string,
      line: 7,
      column: 26,
    },
  ],
  [
    'volume over the root',
    '/dev:/dev',
    '/dev:/',
    {
      path: 'tasks[0].volumes[0]',
      message: 'invalid volume "/dev:/": it would hide the whole container',
      line: 7,
      column: 15,
    },
  ],
  [
    'environment as a list',
    '{MIRROR: 192.168.1.2}',
    '[MIRROR=1]',
    { path: 'tasks[0].environment', message: 'must be a mapping, got a list', line: 8, column: 18 },
  ],
  [
    'environment with a bad name',
    'MIRROR: ',
    '"MIR ROR": ',
    {
      path: 'tasks[0].environment.MIR ROR',
      message: 'invalid environment variable name "MIR ROR"',
      line: 8,
      column: 30,
    },
  ],
  [
    'environment with a list',
    'PORT: 80',
    'PORT: [80]',
    { path: 'tasks[0].actions[0].environment.PORT', message: 'must be a text, got a list', line: 17, column: 29 },
  ],
  [
    'command as a text',
    '[sh, -c, "exit 0"]',
    'sh',
    { path: 'tasks[0].actions[0].command', message: 'must be a list, got a text', line: 13, column: 18 },
  ],
  [
    'command with a mapping',
    '-c, ',
    '{a: b}, ',
    { path: 'tasks[0].actions[0].command[1]', message: 'must be a text, got a mapping', line: 13, column: 23 },
  ],
  [
    'on-failure as a mapping',
    'on-failure: [echo, failed]',
    'on-failure: {a: b}',
    { path: 'tasks[0].actions[0].on-failure', message: 'must be a list, got a mapping', line: 15, column: 21 },
  ],
  [
    'another pid',
    'pid: host',
    'pid: container',
    { path: 'tasks[0].actions[0].pid', message: 'pid must be host or absent, got container', line: 18, column: 14 },
  ],
  [
    'name over two lines',
    'name: t',
    'name: "a\\nb"',
    { path: 'tasks[0].name', message: 'name cannot have control characters', line: 5, column: 11 },
  ],
  [
    'a tag',
    'name: t',
    'name: !!binary dA==',
    { path: 'tasks[0].name', message: 'tags are not supported, got tag:yaml.org,2002:binary', line: 5, column: 20 },
  ],
  [
    'an alias to nothing',
    'name: t',
    'name: *x',
    { path: 'tasks[0].name', message: 'there is no anchor x before this alias', line: 5, column: 11 },
  ],
  [
    'two documents',
    'version',
    'version: 1\n---\nversion',
    { path: '', message: expect.stringContaining('multiple documents') as string, line: 2, column: 1 },
  ],
  [
    'a tab',
    '  - name: t',
    '\t- name: t',
    { path: '', message: 'Tabs are not allowed as indentation', line: 5, column: 1 },
  ],
  [
    'tasks as a mapping',
    /tasks:[^]*/,
    'tasks: {a: b}',
    { path: 'tasks', message: 'must be a list, got a mapping', line: 4, column: 8 },
  ],
  [
    'no tasks',
    /tasks:[^]*/,
    'tasks: []',
    { path: 'tasks', message: 'template must have at least one task defined', line: 4, column: 8 },
  ],
  [
    'null tasks',
    /tasks:[^]*/,
    'tasks:',
    { path: 'tasks', message: 'template must have at least one task defined', line: 4, column: 7 },
  ],
  ['a text', /[^]*/, 'hello', { path: '', message: 'must be a mapping, got a text', line: 1, column: 1 }],
];

describe('one fault', () => {
  it.each(single)('%s', (_name, from, to, fault) => {
    const text = valid.replace(from, to);
    expect(text).not.toBe(valid);
    expect(faultsOf(text)).toEqual([fault]);
  });
  it('reports all rules that are broken, and says which stage found it', () => {
    const error = refusal(() => parseTemplate('version: 1\nname: ""\ntasks: []'));
    expect(error.faults).toHaveLength(3);
    expect(error.message).toMatch(
      /^validating workflow template: version: invalid template version: 1; there are 0.1 and 1.0 \(line 1, column 10\); name: /,
    );
    expect(error.code).toBe('INVALID');
  });
  it('names of 200 characters, counted as people count', () => {
    expect(() => parseTemplate(valid.replace('name: t', `name: ${'é'.repeat(200)}`))).not.toThrow();
    expect(faultsOf(valid.replace('name: t', `name: ${'é'.repeat(201)}`))[0]?.message).toContain(
      'name cannot have more than 200 characters: ',
    );
  });
  it('two tasks of one name', () => {
    const text = 'version: "0.1"\nname: n\ntasks: [{name: t, worker: w}, {name: t, worker: w}]';
    expect(faultsOf(text)).toMatchObject([
      { path: 'tasks[1].name', message: 'two tasks in a template cannot have same name: t' },
    ]);
  });
  it('the same action name in two tasks is fine', () => {
    const task = (name: string) => `{name: ${name}, worker: w, actions: [{name: a, image: i}]}`;
    expect(() => parseTemplate(`version: "0.1"\nname: n\ntasks: [${task('t')}, ${task('u')}]`)).not.toThrow();
  });
});

describe('does not break on', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
    .split('')
    .map((c, i) => `${c}: &${c} [${`*${'abcdefghi'[i]},`.repeat(9)}]`)
    .join('\n')}\n`;
  const tasks = `version: "0.1"\nname: n\nx: &t {name: t, worker: w, actions: [${Array.from({ length: 900 }, (_, i) => `{name: a${i}, image: i}`).join(', ')}]}\ntasks: [${'*t, '.repeat(2000)}]\n`;
  it.each([
    ['an alias bomb', bomb],
    ['a bomb of tasks', tasks],
    ['brackets without end', '['.repeat(50_000)],
    ['braces without end', '{a: '.repeat(20_000)],
    ['lists in lists', '- '.repeat(50_000)],
    ['a mapping in itself', '&a {name: *a, version: "0.1", tasks: *a}'],
    ['nothing', ''],
    ['a NUL', 'version: "0.1"\0'],
    ['half a surrogate', 'name: "\\ud800"'],
    [
      'too many actions',
      `version: "0.1"\nname: n\ntasks: [{name: t, worker: w, actions: [${Array.from({ length: 1001 }, (_, i) => `{name: a${i}, image: i}`).join(', ')}]}]`,
    ],
  ])('%s', (_name, text) => {
    expect(faultsOf(text).length).toBeGreaterThan(0);
    expect(faultsOf(text).length).toBeLessThanOrEqual(100);
  });
  it('a key that JavaScript knows', () =>
    expect(faultsOf(`${valid}__proto__: 1\n`)).toMatchObject([
      { path: '__proto__', message: expect.stringContaining('unknown key') as string },
    ]));
  it('a text of more than 256 KiB', () => expect(faultsOf(' '.repeat(262_145))).toMatchObject([{ path: '' }]));
});
