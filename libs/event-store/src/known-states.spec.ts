import type { Event } from '@tinkerbell/events';
import { describe, expect, it } from 'vitest';
import { KnownStates } from './known-states';

const decider = { initial: 0, decide: () => [], evolve: (n: number) => n + 1 };
const named = (name: string): Event => ({ type: 'TemplateCreated', v: 1, data: { name, data: '' } });

describe('known states', () => {
  const head = (version: number) => ({ position: version, version, hash: `${version}` });
  const commit = (name: string) => ({ event: named(name), metadata: { id: crypto.randomUUID(), actor: 'spec' } });
  const state = decider.initial;

  it('forgets the least recently used when there are too many', () => {
    const states = new KnownStates({ streams: 2, bytes: 1e6 });
    for (const stream of ['a', 'b']) states.put(stream, decider, { head: head(1), state }, [commit(stream)], 0);
    states.get('a', decider);
    states.put('c', decider, { head: head(1), state }, [commit('c')], 0);
    expect(['a', 'b', 'c'].map((stream) => states.get(stream, decider) !== undefined)).toEqual([true, false, true]);
  });

  it('stays within its bytes, and does not keep what alone would fill it', () => {
    const states = new KnownStates({ streams: 1000, bytes: 16_000 });
    for (let i = 0; i < 100; i++) {
      states.put(`s${i}`, decider, { head: head(1), state }, [commit('x'.repeat(500))], 0);
      expect(states.bytes).toBeLessThanOrEqual(16_000);
    }
    expect(states.size).toBeGreaterThan(10);
    states.put('large', decider, { head: head(1), state }, [commit('x'.repeat(2000))], 0);
    expect(states.get('large', decider)).toBeUndefined();
    for (let version = 2; version < 100; version++) {
      states.advance('s99', decider, { head: head(version), state }, { bytes: 50, commandId: `${version}`, sentAt: 0 });
    }
    expect(states.get('s99', decider)).toBeUndefined();
    for (let i = 0; i < 100; i++) states.forget(`s${i}`);
    expect(states.bytes).toBe(0);
  });

  it('does not go back to what was read before a commit', () => {
    const states = new KnownStates();
    states.put('a', decider, { head: head(2), state }, [commit('x'), commit('y')], 0);
    states.put('a', decider, { head: head(1), state }, [commit('x')], 0);
    expect(states.get('a', decider)?.head.version).toBe(2);
    states.forget('a', head(1));
    expect(states.get('a', decider)?.head.version).toBe(2);
    states.advance('a', decider, { head: head(2), state }, { bytes: 50, commandId: 'y', sentAt: 0 });
    expect(states.get('a', decider)?.head.version).toBe(2);
    states.advance('a', decider, { head: head(4), state }, { bytes: 50, commandId: 'z', sentAt: 0 });
    expect(states.get('a', decider)).toBeUndefined();
  });
});
