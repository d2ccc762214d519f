import { describe, expect, it } from 'vitest';
import type { ActionView, EventView, MachineView, NoteView, Step, StepView, WorkflowView } from '../../src/wire';
import { findMachines, findWorkflows, machineStage, reachedSteps, workflowStage } from './filtering';
import { ago, bytes, duration } from './format';
import { fromSnapshot, withChange } from './live/state';
import { plainLine } from './output-text';
import { afterText } from './workflows/after-text';

const machine = (over: Partial<MachineView>): MachineView => ({
  id: 'm1',
  hostname: 'server-10',
  mac: '52:54:00:00:00:01',
  ip: '10.0.0.1',
  step: 'off',
  steps: [],
  bootFiles: [],
  lease: null,
  registered: true,
  updatedAt: '2026-01-01T00:00:00.000Z',
  ...over,
});
const event = (id: string) => ({ id }) as EventView;
const addresses = { pools: [], strangers: [], moreStrangers: 0 };

it('a step is reached when it is first; the own disk when its system calls home', () => {
  const step = (step: Step, second: number, detail = '') => ({ step, at: `2026-01-01T00:00:0${second}.000Z`, detail });
  const told = [step('dhcp', 0), step('dhcp', 1), step('disk', 2, 'told to boot its own disk')];
  const at = (steps: readonly StepView[]) => [...reachedSteps({ steps })].map(([name, { at }]) => `${name} ${at[18]}`);
  expect(at(told)).toEqual(['dhcp 0', 'disk 2']);
  expect(at([...told, step('disk', 7, 'phoned home'), step('disk', 9, 'phoned home')])).toEqual(['dhcp 0', 'disk 7']);
});

describe('what the page knows', () => {
  const world = fromSnapshot({ machines: [machine({})], workflows: [], events: [event('1'), event('2')], addresses });

  it('takes changes, newest event first', () => {
    const next = withChange(world, {
      machines: [machine({ id: 'm2' }), machine({ step: 'osie' })],
      workflows: [],
      gone: ['unknown'],
      events: [event('3'), event('4')],
    });
    expect(Object.keys(next.machines)).toEqual(['m1', 'm2']);
    expect(next.machines['m1']?.step).toBe('osie');
    expect(next.workflows).toBe(world.workflows);
    expect(next.events.map(({ id }) => id)).toEqual(['4', '3', '2', '1']);
    expect(world.machines['m1']?.step).toBe('off');
  });

  it('forgets what is gone', () => {
    const next = withChange(world, { machines: [], workflows: [], gone: ['m1'], events: [] });
    expect(next.machines).toEqual({});
    expect(next.events).toBe(world.events);
  });

  it('finds machines by every word, a MAC in either spelling, and sorts as people count', () => {
    const some = fromSnapshot({
      addresses,
      machines: [machine({}), machine({ id: 'm2', hostname: 'server-9', mac: '52:54:00:00:00:02', step: 'tftp' })],
      workflows: [],
      events: [],
    });
    const hosts = (search: string) => findMachines(some, search).map(({ hostname }) => hostname);
    expect(hosts('')).toEqual(['server-9', 'server-10']);
    expect(hosts('52-54-00-00-00-02')).toEqual(['server-9']);
    expect(hosts('SERVER 10.0.0.1 tftp')).toEqual(['server-9']);
    expect(hosts('nothing')).toEqual([]);
    expect(findMachines(some, '').map(machineStage)).toEqual(['booting', 'off']);
  });
});

const workflow = (over: Partial<WorkflowView>) =>
  ({
    ...{ id: 'w1', template: 'install', status: 'running', paused: false, cancelling: false, notes: [] },
    ...{ actions: [], machines: [], createdAt: '2026-01-01T00:00:00.000Z', ...over },
  }) as unknown as WorkflowView;
const asks: NoteView = { key: 'a', text: 'approve?', tone: 'ask', at: null, command: 'tink workflow approve w1' };

describe('workflows', () => {
  it.each([
    ['running', {}],
    ['paused', { paused: true }],
    ['asking', { paused: true, notes: [asks] }],
    ['cancelling', { cancelling: true, notes: [asks] }],
    ['cancelled', { status: 'cancelled', cancelling: true, paused: true }],
  ] as const)('%s', (stage, over) => expect(workflowStage(workflow(over))).toBe(stage));

  it('that need a person come first, and are found by that', () => {
    const some = fromSnapshot({
      addresses,
      machines: [],
      workflows: [
        workflow({}),
        workflow({ id: 'w2', status: 'pending', notes: [asks] }),
        workflow({ id: 'w3', status: 'failed' }),
      ],
      events: [],
    });
    const ids = (search: string) => findWorkflows(some, search).map(({ id }) => id);
    expect(ids('')).toEqual(['w2', 'w1', 'w3']);
    expect(ids('asking')).toEqual(['w2']);
  });

  const action = (id: string, over: Partial<ActionView> = {}) => {
    const [task = '', name = ''] = id.split('/');
    return { id, task, name, needs: [], runs: 'success', condition: '', ...over } as unknown as ActionView;
  };
  it('say of each action what it comes after, when that is not the line above', () => {
    const actions = [
      action('a/one'),
      action('a/two', { needs: [0] }),
      action('a/three', { needs: [0], condition: 'success()' }),
      action('b/one', { needs: [1, 2] }),
      action('b/two', { needs: [3], runs: 'failure' }),
      action('b/end', { needs: [0, 3], runs: 'always' }),
      action('b/now'),
    ];
    expect(actions.map((_, index) => afterText(actions, index))).toEqual([
      '',
      '',
      'after a/one, only if success()',
      'after a/two, three',
      'if b/one fails',
      'after a/one, b/one, in any case',
      'right away',
    ]);
  });
});

describe('output lines', () => {
  it.each([
    ['plain', 'plain'],
    ['\x1b[1;31mred\x1b[0m and \x1b[4munder\x1b[24m', 'red and under'],
    ['\x1b]0;title\x07text', 'text'],
    ['\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\', 'link'],
    ['10%\r20%\r100%', '100%'],
    ['done\r', 'done'],
    ['a\tb\x00\x07c', 'a\tbc'],
    ['\x1b[2K\x1b[1Gprogress', 'progress'],
    ['über 🦊', 'über 🦊'],
  ])('%j', (raw, text) => expect(plainLine(raw)).toBe(text));
});

describe('numbers for people', () => {
  it('are short', () => {
    expect([0.44, 12.34, 59.94, 65, 3723].map((seconds) => duration(seconds))).toEqual([
      '0.4 s',
      '12.3 s',
      '59.9 s',
      '1 m 05 s',
      '1 h 02 m',
    ]);
    expect(duration(9.9, true)).toBe('9 s');
    expect(duration(-3, true)).toBe('0 s');
    expect([512, 70_000, 61_200_000, 2.5e9].map(bytes)).toEqual(['512 B', '70.0 kB', '61.2 MB', '2.50 GB']);
    const now = Date.parse('2026-01-01T01:00:00.000Z');
    expect(['2026-01-01T00:59:58Z', '2026-01-01T00:58:00Z', '2025-12-30T00:00:00Z'].map((at) => ago(at, now))).toEqual([
      'just now',
      '2 min ago',
      '2 d ago',
    ]);
  });
});
