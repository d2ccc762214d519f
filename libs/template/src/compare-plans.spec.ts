import { describe, expect, it } from 'vitest';
import { comparePlans } from './compare-plans';
import { planWorkflow } from './plan-workflow';

const find = { byMac: (mac: string) => mac, byIp: (address: string) => address };
const plan = (actions: string, top = '') =>
  planWorkflow(
    `version: "1.0"\nname: n\n${top}tasks: [{name: t, worker: 192.168.1.5, actions: [${actions}]}]`,
    {},
    find,
  );

describe('two plans', () => {
  const before = plan('{name: a, image: i, environment: {X: 1, Y: 2}}, {name: b, image: i}');
  it('that are the same', () => expect(comparePlans(before, before)).toEqual([]));
  it('differ by field', () => {
    const after = plan(
      '{name: a, image: j, environment: {X: 3, Z: 4}, timeout: 1m, destructive: true}, {name: b, image: i}',
      'timeout: 1h\n',
    );
    const changed = (action: string, field: string, from: unknown, to: unknown) => ({
      action,
      change: 'changed',
      field,
      from,
      to,
    });
    expect(comparePlans(before, after)).toEqual([
      changed('', 'timeoutSeconds', 0, 3600),
      changed('t/a', 'timeoutSeconds', 3600, 60),
      changed('t/a', 'destructive', false, true),
      changed('t/a', 'onReboot', 'fail', 'ask'),
      changed('t/a', 'image', 'i', 'j'),
      changed('t/a', 'environment.X', '1', '3'),
      changed('t/a', 'environment.Y', '2', null),
      changed('t/a', 'environment.Z', null, '4'),
    ]);
  });
  it('differ by actions and their order', () => {
    const after = plan('{name: b, image: i}, {name: c, image: i}');
    expect(comparePlans(before, after)).toEqual([
      { action: 't/a', change: 'removed', field: '', from: null, to: null },
      { action: 't/b', change: 'changed', field: 'needs', from: ['t/a'], to: [] },
      { action: 't/c', change: 'added', field: '', from: null, to: null },
    ]);
    expect(
      comparePlans(before, plan('{name: b, image: i}, {name: a, image: i, environment: {X: 1, Y: 2}}')),
    ).toContainEqual({
      action: '',
      change: 'moved',
      field: 'order',
      from: ['t/a', 't/b'],
      to: ['t/b', 't/a'],
    });
  });
  it('an image that was pinned is the same image', () => {
    const pinned = {
      ...before,
      actions: before.actions.map((action) => ({ ...action, image: `i@sha256:${'a'.repeat(64)}` })),
    };
    expect(comparePlans(pinned, before)).toEqual([]);
  });
});
