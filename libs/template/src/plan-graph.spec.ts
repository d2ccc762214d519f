import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidDocumentError, type Fault } from '@tinkerbell/domain';
import type { PlannedAction } from '@tinkerbell/events';
import { describe, expect, it } from 'vitest';
import { checkTemplate } from './parse-template';
import { planWorkflow, type WorkflowPlan } from './plan-workflow';
import type { FindWorker } from './resolve-worker';

const find: FindWorker = {
  byMac: (mac) => ({ '08-00-27-00-00-01': 'one', '08-00-27-00-00-02': 'two' })[mac],
  byIp: (address) => ({ '192.168.1.5': 'one' })[address],
  hardware: (workerId) => {
    if (workerId === '') throw new Error('asked for hardware without an id');
    return { metadata: { instance: { hostname: `host-${workerId}` } }, disks: 2, spare: [] };
  },
};
const devices = { device_1: '08:00:27:00:00:01', device_2: '08:00:27:00:00:02' };
const example = readFileSync(join(__dirname, '../../../docs/examples/template-1.0.yaml'), 'utf8');

const plan = (text: string): WorkflowPlan => planWorkflow(text, devices, find);
const template = (tasks: string, rest = ''): string => `version: "1.0"\nname: n\ntasks:\n${tasks}${rest}`;
const task = (actions: string, more = ''): string =>
  template(`  - name: t\n    worker: '{{ .device_1 }}'\n${more}    actions:\n${actions}`);
const one = (keys: string): string => task(`      - {name: a, image: i, ${keys}}\n`);
const only = (keys: string): PlannedAction => {
  const [action] = plan(one(keys)).actions;
  if (!action) throw new Error('no action');
  return action;
};
/** `a b: c d`: a after c and d. */
const graphOf = (text: string): readonly string[] => {
  const { actions } = plan(text);
  const ids = actions.map((action) => action.plan.id);
  return actions.map(({ plan: { id, needs, runs } }) =>
    [id, runs === 'success' ? '' : `(${runs})`, ...(needs.length > 0 ? ['<-', ...needs.map((need) => ids[need])] : [])]
      .filter((part) => part !== '')
      .join(' '),
  );
};
function faultsOf(run: () => unknown): readonly Fault[] {
  try {
    run();
  } catch (error) {
    if (error instanceof InvalidDocumentError) return error.faults;
    throw error;
  }
  return [];
}
const messages = (run: () => unknown): readonly string[] =>
  faultsOf(run).map(({ path, line, column, message }) => `${line}:${column} ${path}: ${message}`);

describe('the example of template 1.0', () => {
  it('is a graph over two machines', () =>
    expect(graphOf(example)).toEqual([
      'probe[device_1]/disks',
      'probe[device_2]/disks',
      'os[device_1]/wipe <- probe[device_1]/disks',
      'os[device_1]/write-image <- os[device_1]/wipe',
      'os[device_1]/configure <- os[device_1]/write-image',
      'os[device_1]/reboot <- os[device_1]/configure',
      'os[device_1]/report (failure) <- os[device_1]/write-image',
      'os[device_1]/collect-logs (always) <- os[device_1]/wipe os[device_1]/write-image os[device_1]/configure os[device_1]/reboot os[device_1]/report',
      'os[device_2]/wipe <- probe[device_2]/disks',
      'os[device_2]/write-image <- os[device_2]/wipe',
      'os[device_2]/configure <- os[device_2]/write-image',
      'os[device_2]/reboot <- os[device_2]/configure',
      'os[device_2]/report (failure) <- os[device_2]/write-image',
      'os[device_2]/collect-logs (always) <- os[device_2]/wipe os[device_2]/write-image os[device_2]/configure os[device_2]/reboot os[device_2]/report',
      'cluster/control-plane <- os[device_1]/reboot os[device_1]/collect-logs os[device_2]/reboot os[device_2]/collect-logs',
      'cluster/registry <- os[device_1]/reboot os[device_1]/collect-logs os[device_2]/reboot os[device_2]/collect-logs',
      'cluster/check <- cluster/control-plane cluster/registry',
      expect.stringMatching(/^finally\/tell \(always\) <- probe\[device_1\]\/disks .* cluster\/check$/) as string,
    ]));

  it('has every setting of an action', () => {
    const { name, globalTimeoutSeconds, version, actions } = plan(example);
    expect({ name, globalTimeoutSeconds, version }).toEqual({
      name: 'install',
      globalTimeoutSeconds: 5400,
      version: '1.0',
    });
    expect(actions[3]).toEqual({
      task: 'os',
      name: 'write-image',
      image: 'image2disk:1',
      timeoutSeconds: 900,
      command: [],
      onTimeout: [],
      onFailure: [],
      workerId: 'one',
      volumes: ['/dev:/dev'],
      environment: [
        "DEST_DISK=${{ outputs['probe[device_1]/disks'].first }}",
        'IMG_URL=http://192.0.2.10/images/debian.raw.zst',
        'COMPRESSED=true',
      ],
      pid: '',
      plan: {
        id: 'os[device_1]/write-image',
        needs: [2],
        runs: 'success',
        condition: "outputs['probe[device_1]/disks'].count > 0",
        retry: { limit: 3, delaySeconds: 10, factor: 2, maxDelaySeconds: 300, exitCodes: [75], onTimeout: true },
        approval: null,
        destructive: true,
        onReboot: 'restart',
        secrets: { IMG_TOKEN: 'image-server-token' },
      },
    });
    expect(actions[8]?.plan).toMatchObject({ approval: 'Wipe the disk of device_2?', onReboot: 'ask' });
    expect(actions[10]?.environment).toContain('CONTENTS=host-two');
    expect(actions[12]?.command).toEqual(['failed', "${{ actions['os[device_2]/write-image'].exitCode }}"]);
    expect(actions.at(-1)).toMatchObject({ task: 'finally', workerId: 'one' });
  });

  it('is found good before rendering', () => expect(() => checkTemplate(example)).not.toThrow());
});

describe('an action of 1.0', () => {
  it('has defaults', () =>
    expect(only('pid: ~')).toMatchObject({
      timeoutSeconds: 3600,
      plan: {
        needs: [],
        runs: 'success',
        condition: '',
        retry: null,
        approval: null,
        destructive: false,
        onReboot: 'fail',
      },
    }));
  it.each([
    ['90s', 90],
    ['10m', 600],
    ['1h30m', 5400],
    ['1d', 86400],
    ['2h5s', 7205],
  ])('timeout %s', (text, seconds) => expect(only(`timeout: ${text}`).timeoutSeconds).toBe(seconds));
  it.each([
    ['retries: 2', { limit: 2, delaySeconds: 10, factor: 2, maxDelaySeconds: 300, exitCodes: null, onTimeout: false }],
    [
      'retries: {limit: 1, delay: 10m}',
      { limit: 1, delaySeconds: 600, factor: 2, maxDelaySeconds: 600, exitCodes: null, onTimeout: false },
    ],
    [
      'retries: {limit: 1, factor: 1.5, exitCodes: [1, 75]}',
      { limit: 1, delaySeconds: 10, factor: 1.5, maxDelaySeconds: 300, exitCodes: [1, 75], onTimeout: false },
    ],
  ])('%s', (keys, retry) => expect(only(keys).plan.retry).toEqual(retry));
  it('asks with its own words when approval says only true', () =>
    expect(only('approval: true').plan.approval).toBe('May t/a run?'));
  it('needs no approval that is false', () => expect(only('approval: false').plan.approval).toBeNull());
  it('may have a command as handler, as in 0.1', () =>
    expect(only('onFailure: [sh, -c, x], onTimeout: [y]')).toMatchObject({
      onFailure: ['sh', '-c', 'x'],
      onTimeout: ['y'],
    }));
  it('a secret takes the place of the task’s variable of that name', () => {
    const text = task('      - {name: a, image: i, secrets: {X: my-x}}\n', '    environment: {X: 1, Y: 2}\n');
    expect(plan(text).actions[0]).toMatchObject({ environment: ['Y=2'], plan: { secrets: { X: 'my-x' } } });
  });
  it('keeps ${{ }} through rendering, and renders {{ }} beside it', () => {
    const text = task(
      `      - {name: a, image: i}\n      - {name: b, image: i, command: ["{{ .device_2 }} \${{ outputs.a.x }} {{ "$" }}{{ "{{" }}"]}\n`.replace(
        '{{ "$" }}{{ "{{" }}',
        '',
      ),
    );
    expect(plan(text).actions[1]?.command).toEqual([`${devices.device_2} \${{ outputs['t/a'].x }} `]);
  });
});

describe('conditions', () => {
  const two = (condition: string, more = '') =>
    task(`      - {name: a, image: i}\n      - {name: b, image: i, ${more}if: "${condition}"}\n`);
  it.each([
    ["outputs['t/a'].n == 1", "outputs['t/a'].n == 1"],
    ['outputs.a.n == 1', "outputs['t/a'].n == 1"],
    ["actions['a'].status == 'success'", "actions['t/a'].status == 'success'"],
    ["${{ outputs['a'].n > 1 }}", "outputs['t/a'].n > 1"],
    ["device.hardware.disks == 2 && contains(outputs.a.x, 'device')", "2 == 2 && contains(outputs['t/a'].x, 'device')"],
    ["device.name == 'device_1'", "'device_1' == 'device_1'"],
    ['{{ eq .device_1 .device_2 }}', 'false'],
    ['success()', 'success()'],
  ])('%s', (condition, want) => expect(plan(two(condition)).actions[1]?.plan.condition).toBe(want));
  it('of a task and of an action have both to be true', () => {
    const text = task('      - {name: a, image: i, if: "false"}\n', '    if: "true"\n');
    expect(plan(text).actions[0]?.plan.condition).toBe('(true) && (false)');
  });
});

describe('needs', () => {
  it('tasks without needs start at once, actions of a task one after the other', () =>
    expect(
      graphOf(
        template(
          "  - {name: x, worker: '{{ .device_1 }}', actions: [{name: a, image: i}, {name: b, image: i}]}\n  - {name: y, worker: '{{ .device_2 }}', actions: [{name: a, image: i}]}\n",
        ),
      ),
    ).toEqual(['x/a', 'x/b <- x/a', 'y/a']));
  it('an action behind what it needs, wherever it is written', () =>
    expect(
      graphOf(
        template(
          "  - {name: x, worker: '{{ .device_1 }}', needs: [y], actions: [{name: a, image: i}]}\n  - {name: y, worker: '{{ .device_2 }}', parallel: true, actions: [{name: a, image: i, needs: [b]}, {name: b, image: i}, {name: c, image: i}]}\n",
        ),
      ),
    ).toEqual(['y/b', 'y/a <- y/b', 'y/c', 'x/a <- y/a y/c']));
  it('one action of another task, on all its machines', () =>
    expect(
      graphOf(
        template(
          "  - {name: x, matrix: [device_1, device_2], actions: [{name: a, image: i}, {name: b, image: i}]}\n  - {name: y, worker: '{{ .device_1 }}', actions: [{name: a, image: i, needs: [x/a]}, {name: b, image: i, needs: ['x[device_2]/b']}]}\n",
        ),
      ).slice(-2),
    ).toEqual(['y/a <- x[device_1]/a x[device_2]/a', 'y/b <- x[device_2]/b y/a']));
  it('handlers run in the order in which they are written', () =>
    expect(
      graphOf(
        task(
          '      - {name: a, image: i, onTimeout: [{name: late, image: i}, {name: later, image: i}]}\n',
          '    onFailure: [{name: bad, image: i}]\n    finally: [{name: end, image: i}, {name: end2, image: i}]\n',
        ) + 'onFailure: [{name: bad, image: i}]\n',
      ),
    ).toEqual([
      't/a',
      't/late (timeout) <- t/a',
      't/later <- t/late',
      't/bad (failure) <- t/a',
      't/end (always) <- t/a t/late t/later t/bad',
      't/end2 (always) <- t/end',
      'onFailure/bad (failure) <- t/a',
    ]));
});

describe('faults of 1.0', () => {
  it.each([
    [
      'an unknown key',
      one('tiemout: 5s'),
      ['7:29 tasks[0].actions[0].tiemout: unknown key tiemout; did you mean timeout? Known are'],
    ],
    [
      'a number as duration',
      one('timeout: 90'),
      ['7:38 tasks[0].actions[0].timeout: must be a duration: write 90s, got "90"'],
    ],
    ['a duration', one('timeout: soon'), ['must be a duration: write 90s, 10m or 1h30m, got "soon"']],
    [
      'a number as global timeout',
      one('pid: ~').replace('name: n', 'name: n\ntimeout: 5'),
      ['3:10 timeout: must be a duration: write 5s'],
    ],
    ['a quoted flag', one('destructive: "yes"'), ['must be true or false without quotes, got "yes"']],
    [
      'a policy',
      one('onReboot: resum'),
      ['must be one of resume, restart, fail, ask, got "resum"; did you mean resume?'],
    ],
    ['retries', one('retries: {delay: 5s}'), ['limit is missing']],
    ['too many retries', one('retries: 101'), ['must be a number from 1 to 100, got "101"']],
    ['an exit code', one('retries: {limit: 1, exitCodes: [0]}'), ['must be a number from 1 to 255, got "0"']],
    [
      'a secret’s name',
      one('secrets: {A: My_Secret}'),
      ['the name of a secret is 1 to 64 of a-z 0-9 -, got "My_Secret"'],
    ],
    ['a secret’s variable', one('secrets: {"A B": x}'), ['invalid environment variable name "A B"']],
    ['a variable twice', one('secrets: {A: x}, environment: {A: 1}'), ['A is in environment too']],
    [
      'an image',
      one('pid: ~').replace('image: i', 'image: I'),
      ['invalid action image: I (the repository name must be lower case)'],
    ],
    ['a need', one('needs: [b]'), ['7:37 tasks[0].actions[0].needs[0]: there is no action b in task t']],
    ['itself', one('needs: [a]'), ['a needs itself']],
    ['an expression', one('if: "1 ="'), ['invalid expression "1 =": to compare write == (at character 3)']],
    ['an unknown action', one('if: "outputs.b.x"'), ["outputs['b']: there is no action b"]],
    ['itself in a condition', one('if: "outputs.a.x"'), ["outputs['a']: an action cannot ask about itself"]],
    [
      'a value of the device',
      one('command: ["${{ device.hardware.dsks }}"]'),
      ['device.hardware.dsks is not there: device.hardware has metadata, disks, spare; did you mean disks?'],
    ],
    ['no actions', template("  - {name: t, worker: '{{ .device_1 }}'}\n"), ['a task needs at least one action']],
    ['no tasks', 'version: "1.0"\nname: n\n', ['a template needs at least one task']],
    ['a name', one('pid: ~').replace('name: a', 'name: a/b'), ['name cannot have / [ or ]: write "a-b"']],
    ['no worker', one('pid: ~').replace("    worker: '{{ .device_1 }}'\n", ''), ['worker cannot be empty']],
    [
      'worker and matrix',
      one('pid: ~').replace('    actions', '    matrix: [device_1]\n    actions'),
      ['a task has either a worker or a matrix'],
    ],
    [
      'a device',
      one('pid: ~').replace("worker: '{{ .device_1 }}'", 'matrix: [device_3]'),
      ['there is no device device_3; the workflow has device_1, device_2; did you mean device_'],
    ],
    [
      'a device for several actions, and nothing that follows from it',
      one("environment: { A: '${{ device.hardware.x }}' }")
        .replace("worker: '{{ .device_1 }}'", 'matrix: [device_3]')
        .concat('      - { name: b, image: y }\n'),
      ['there is no device device_3; the workflow has device_1, device_2; did you mean device_'],
    ],
    [
      'a device twice',
      one('pid: ~').replace("worker: '{{ .device_1 }}'", 'matrix: [device_1, device_1]'),
      ['device_1 is in the matrix twice'],
    ],
    ['a reserved name', one('pid: ~').replace('name: t', 'name: finally'), ['finally is what the workflow']],
    [
      'a version to be filled in',
      one('pid: ~').replace('"1.0"', '{{ "1.0" }}'),
      ['write version: "1.0" as a line of its own'],
    ],
    ['needs of a handler', one('onFailure: [{name: h, image: i, needs: [a]}]'), ['unknown key needs']],
    [
      'a global handler without machine',
      template(
        "  - {name: x, worker: '{{ .device_1 }}', actions: [{name: a, image: i}]}\n  - {name: y, worker: '{{ .device_2 }}', actions: [{name: a, image: i}]}\n",
        'finally: [{name: f, image: i}]\n',
      ),
      ['worker is missing: the tasks run on several machines'],
    ],
  ] as const)('%s', (_what, text, wanted) => {
    const found = messages(() => plan(text));
    expect(found).toHaveLength(wanted.length);
    wanted.forEach((part, i) => expect(found[i]).toContain(part));
  });

  it('a circle, named', () =>
    expect(
      messages(() =>
        plan(
          template(
            "  - {name: x, worker: '{{ .device_1 }}', needs: [y], actions: [{name: a, image: i}]}\n  - {name: y, worker: '{{ .device_1 }}', needs: [x], actions: [{name: a, image: i}, {name: b, image: i}]}\n",
          ),
        ),
      ),
    ).toEqual([
      '4:50 tasks[0].needs[0]: the needs go round in a circle, x/a → y/b → y/a → x/a: take one of them away',
    ]));
  it('a task', () =>
    expect(
      messages(() =>
        plan(
          template(
            "  - {name: x, worker: '{{ .device_1 }}', needs: [ox, y/b], actions: [{name: a, image: i}]}\n  - {name: y, worker: '{{ .device_1 }}', actions: [{name: a, image: i, needs: [x]}]}\n",
          ),
        ),
      ),
    ).toEqual([
      '4:50 tasks[0].needs[0]: there is no task ox; there are x, y; did you mean x?',
      '4:54 tasks[0].needs[1]: task y has no action b; it has a; did you mean a?',
      '5:80 tasks[1].actions[0].needs[0]: there is no action x in task y; x is a task: put it into the needs of task y',
    ]));
  it('something that the action does not wait for', () => {
    const text = template(
      "  - {name: x, worker: '{{ .device_1 }}', actions: [{name: a, image: i}]}\n  - {name: y, worker: '{{ .device_2 }}', actions: [{name: a, image: i, if: \"outputs['x/a'].n\"}]}\n",
    );
    const want = ["5:76 tasks[1].actions[0].if: outputs['x/a']: y/a does not wait for it: add it to needs"];
    expect(messages(() => plan(text))).toEqual(want);
    expect(messages(() => checkTemplate(text))).toEqual(want);
  });
  it('an action of several machines', () => {
    const text = template(
      "  - {name: x, matrix: [device_1, device_2], actions: [{name: a, image: i}]}\n  - {name: y, worker: '{{ .device_2 }}', needs: [x], actions: [{name: a, image: i, if: \"outputs['x/a'].n\"}]}\n",
    );
    expect(messages(() => plan(text))).toEqual([
      expect.stringContaining('it is run for several devices: write x[device_1]/a or x[device_2]/a') as string,
    ]);
  });
  it('several at once, in the order of the text', () => {
    const text = one('timeout: 90, retries: x, foo: 1');
    const want = [
      expect.stringContaining('timeout'),
      expect.stringContaining('retries'),
      expect.stringContaining('foo'),
    ];
    expect(messages(() => plan(text))).toEqual(want);
    expect(messages(() => checkTemplate(text))).toEqual(want);
  });
  it('too many actions', () => {
    const actions = Array.from({ length: 501 }, (_, i) => `{name: a${i}, image: i}`).join(', ');
    const text = template(`  - {name: x, matrix: [device_1, device_2], actions: [${actions}]}\n`);
    expect(messages(() => plan(text))).toEqual(['4:3 tasks: the tasks have 1002 actions, more than 1000']);
  });
  it('1000 actions are planned in a moment', () => {
    const actions = Array.from({ length: 499 }, (_, i) => `{name: a${i}, image: i}`).join(', ');
    const text = template(
      `  - {name: x, matrix: [device_1, device_2], actions: [${actions}], finally: [{name: f, image: i}]}\n`,
    );
    expect(plan(text).actions).toHaveLength(1000);
  });
});
