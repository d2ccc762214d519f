import { fillIn, InvalidDocumentError, InvalidError } from '@tinkerbell/domain';
import { actionSpec, planned } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { planWorkflow } from './plan-workflow';
import { NoWorkerError, type FindWorker } from './resolve-worker';

const known: FindWorker = {
  byMac: (mac) => ({ '08-00-27-00-00-01': 'one', '08-00-27-00-00-02': 'two' })[mac],
  byIp: (address) => ({ '192.168.1.5': 'one' })[address],
};
const devices = { device_1: '08:00:27:00:00:01', device_2: '08-00-27-00-00-02' };

function template(tasks: string): string {
  return `version: "0.1"\nname: n\nglobal_timeout: 600\ntasks:\n${tasks}`;
}
const one = (worker: string) => template(`- {name: t, worker: "${worker}", actions: [{name: a, image: i}]}\n`);

describe('a plan', () => {
  it('has every task’s actions in order, each with its worker and its settings', () => {
    const text = template(`
- name: first
  worker: "{{.device_1}}"
  volumes: [/dev:/dev, "/lib/firmware:/lib/firmware:ro"]
  environment: {A: task, B: task}
  actions:
    - {name: a, image: i, timeout: 90, volumes: [/dev:/other, /s:/s], environment: {B: action, C: action}, pid: host}
    - {name: b, image: j, command: [x], on-timeout: [y], on-failure: [z]}
- name: second
  worker: "{{.device_2}}"
  actions:
    - {name: a, image: k}
`);
    const plain = { command: [], onTimeout: [], onFailure: [], volumes: [], environment: [], pid: '' };
    const { imagePlaces, actions, ...rest } = planWorkflow(text, devices, known);
    expect(imagePlaces).toEqual([
      { path: 'tasks[0].actions[0].image', line: 11, column: 24 },
      { path: 'tasks[0].actions[1].image', line: 12, column: 24 },
      { path: 'tasks[1].actions[0].image', line: 16, column: 24 },
    ]);
    expect(actions.map(({ plan }) => [plan.id, plan.needs])).toEqual([
      ['first/a', []],
      ['first/b', [0]],
      ['second/a', [1]],
    ]);
    const { plan } = actions[1] ?? {};
    expect(plan).toEqual(planned(actionSpec({ task: 'first', name: 'b' }), 1).plan);
    const specs = actions.map(({ plan: _plan, ...spec }) => spec);
    expect({ ...rest, actions: specs }).toEqual({
      version: '0.1',
      name: 'n',
      globalTimeoutSeconds: 600,
      actions: [
        {
          ...plain,
          task: 'first',
          name: 'a',
          image: 'i',
          timeoutSeconds: 90,
          workerId: 'one',
          volumes: ['/dev:/other', '/lib/firmware:/lib/firmware:ro', '/s:/s'],
          environment: ['A=task', 'B=action', 'C=action'],
          pid: 'host',
        },
        {
          ...plain,
          task: 'first',
          name: 'b',
          image: 'j',
          timeoutSeconds: 3600,
          workerId: 'one',
          command: ['x'],
          onTimeout: ['y'],
          onFailure: ['z'],
          volumes: ['/dev:/dev', '/lib/firmware:/lib/firmware:ro'],
          environment: ['A=task', 'B=task'],
        },
        { ...plain, task: 'second', name: 'a', image: 'k', timeoutSeconds: 3600, workerId: 'two' },
      ],
    });
  });

  it.each(['08:00:27:00:00:01', '08-00-27-00-00-01', '08:00:27:00:00:01'.toUpperCase(), '192.168.1.5'])(
    'finds %s',
    (worker) => expect(planWorkflow(one(worker), {}, known).actions[0]?.workerId).toBe('one'),
  );

  it.each(['server1', '1.2.3', '08:00:27:00:00', '256.1.1.1', '2001:db8::1', '08:00:27-00:00:01'])(
    'refuses the address %s',
    (worker) => {
      const run = () => planWorkflow(one(worker), {}, known);
      expect(run).toThrow(`invalid worker address: ${worker}`);
      expect(run).toThrow(InvalidError);
    },
  );
  it('says that nobody has a well-formed address', () => {
    const run = () => planWorkflow(one('08:00:27:00:00:99'), {}, known);
    expect(run).toThrow('no worker found: no hardware has the address 08:00:27:00:00:99 of task t');
    expect(run).toThrow(NoWorkerError);
    expect(() => planWorkflow(one('192.168.1.6'), {}, known)).toThrow('no worker found');
  });
  it('refuses a device that was not given, as Go says it', () =>
    expect(() => planWorkflow(one('{{.device_1}}'), { invalid_device: 'x' }, known)).toThrow(
      'executing "workflow-template" at <.device_1>: map has no entry for key "device_1"',
    ));
  it('checks what it rendered', () => {
    expect(() => planWorkflow(one('{{.device_1}}'), { device_1: '' }, known)).toThrow(
      'tasks[0].worker: worker cannot be empty',
    );
    expect(() => planWorkflow(one('{{.device_1}}'), { device_1: '", x: "' }, known)).toThrow('unknown key x');
  });
  it('may make actions of data', () => {
    const text = template(`- name: t
  worker: "{{.device_1}}"
  actions:
  {{- range $i, $disk := .Hardware.disks }}
  - {name: wipe-{{ $i }}, image: wipe, environment: {DISK: {{ $disk }}}}
  {{- end }}
`);
    const { actions } = planWorkflow(text, devices, known, { hardware: { disks: ['/dev/sda', '/dev/sdb'] } });
    expect(actions.map(({ name, environment }) => [name, ...environment])).toEqual([
      ['wipe-0', 'DISK=/dev/sda'],
      ['wipe-1', 'DISK=/dev/sdb'],
    ]);
  });
  it('must fit into one message', () => {
    const actions = Array.from({ length: 900 }, (_, i) => `{name: a${i}, image: i}`).join(', ');
    const text = template(
      `- {name: t, worker: 192.168.1.5, environment: {X: "${'x'.repeat(1000)}"}, actions: [${actions}]}\n`,
    );
    expect(() => planWorkflow(text, {}, known)).toThrow(InvalidDocumentError);
    expect(() => planWorkflow(text, {}, known)).toThrow(/the actions are \d+ bytes together, more than 524288/);
  });
});

describe('a fault after rendering', () => {
  it('is told with its place in the template, not in what became of it', () => {
    const text = `version: "0.1"
name: n
{{- range until 5 }}
# {{ . }}
{{- end }}
tasks:
  - name: t
    worker: {{ .device_1 }}
    actions:
      - name: a
        image: {{ .image }}
        timeout: x
`;
    let faults: unknown;
    try {
      planWorkflow(text, { device_1: '192.168.1.5', image: 'Not An Image' }, known);
    } catch (error) {
      faults = error instanceof InvalidDocumentError ? error.faults : error;
    }
    expect(faults).toMatchObject([
      { path: 'tasks[0].actions[0].image', line: 11, column: 19 },
      { path: 'tasks[0].actions[0].timeout', line: 12, column: 18 },
    ]);
  });
});

describe('${{ }} in a template 0.1', () => {
  it('is a text like any other: what is filled in when the action begins gives it back', () => {
    const text = template(
      '- name: t\n  worker: 192.168.1.5\n  actions: [{name: a, image: i, command: [\'{{ "${{ 1 }} ${{" }}\', "${{ .x }}"]}]\n',
    );
    const [action] = planWorkflow(text, { x: '5' }, known).actions;
    const scope = { actions: {}, outputs: {}, success: true, failure: false };
    expect(action?.command.map((word) => fillIn(word, scope))).toEqual(['${{ 1 }} ${{', '$5']);
  });
});
