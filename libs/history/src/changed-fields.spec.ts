import type { Json } from '@tinkerbell/events';
import { describe, expect, it } from 'vitest';
import { changedFields } from './changed-fields';

describe('changed fields', () => {
  it('are named by their paths, old and new', () => {
    const from: Json = {
      status: 'pending',
      actions: [{ name: 'a', seconds: null }, { name: 'b' }],
      'odd name': 1,
      same: [1, { x: 2 }],
    };
    const to: Json = {
      status: 'running',
      actions: [{ name: 'a', seconds: 3 }],
      'odd name': 2,
      same: [1, { x: 2 }],
      more: { a: 1 },
    };
    expect(changedFields(from, to)).toEqual([
      { path: 'status', from: 'pending', to: 'running' },
      { path: 'actions[0].seconds', from: null, to: 3 },
      { path: 'actions[1]', from: { name: 'b' } },
      { path: '["odd name"]', from: 1, to: 2 },
      { path: 'more', to: { a: 1 } },
    ]);
  });

  it('are none between equal values, and all of a value that became another kind', () => {
    expect(changedFields({ a: [{ b: 1 }] }, { a: [{ b: 1 }] })).toEqual([]);
    expect(changedFields({ a: [] }, { a: {} })).toEqual([{ path: 'a', from: [], to: {} }]);
    expect(changedFields(1, undefined)).toEqual([{ path: '', from: 1 }]);
  });
});
