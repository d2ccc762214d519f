import { describe, expect, it } from 'vitest';
import { action, workflowId } from './testing/fake-server';
import { quickPace } from './testing/life';
import { world } from './testing/world';

const container = `tinkerbell_${workflowId}_0_1`;
/** Nothing but a wake-up makes the worker ask. */
const slow = { pace: { ...quickPace, idleMs: 60_000, stateMs: 60_000 } };

describe('a workflow that is cancelled', () => {
  it('stops the container politely, reports it as cancelled with its token, and runs no handler', async () => {
    const { bus, server, containers, start } = world([action('long', { onFailure: ['never'], onTimeout: ['never'] })]);
    const graces: number[] = [];
    const stop = containers.stop.bind(containers);
    containers.stop = (name: string, graceMs?: number) => {
      graces.push(graceMs ?? -1);
      return stop(name);
    };
    containers.behaviour = ({ killed }) =>
      new Promise((resolve) => {
        killed.addEventListener('abort', () => resolve(143));
        server.cancelled = 'wrong machine';
        bus.wake();
      });
    const { life } = start(undefined, slow);
    await bus.until(() => server.finished.length === 1);
    expect(server.finished[0]).toMatchObject({
      ...{ outcome: 'cancelled', reason: null, exitCode: 143, bootId: 'boot-1' },
      message: 'stopped with SIGTERM, exit code 143: wrong machine',
    });
    expect(graces).toEqual([quickPace.stopGraceMs]);
    await life.loop.stop();
    expect(server.handlers).toEqual([]);
    expect(containers.calls.at(-1)).toBe(`remove ${container}`);
  });

  it('says when the container had to be killed', async () => {
    const { bus, server, containers, start } = world([action('stubborn')]);
    containers.behaviour = ({ killed }) =>
      new Promise((resolve) => {
        // As an engine does: SIGKILL when the grace is over.
        killed.addEventListener('abort', () => setTimeout(() => resolve(137), 20));
        server.cancelled = 'wrong machine';
        bus.wake();
      });
    start(undefined, slow);
    await bus.until(() => server.finished.length === 1);
    expect(server.finished[0]?.message).toBe('stopped with SIGKILL 0.001 s after SIGTERM: wrong machine');
  });

  it.each([
    ['pull', 'stopped before its container was created: wrong machine', []],
    [
      'create',
      'stopped before its container was started: wrong machine',
      [`create ${container}`, `remove ${container}`],
    ],
  ] as const)('before the container runs: at %s', async (where, message, calls) => {
    const { bus, server, containers, effects, start } = world([action('only')]);
    containers.interfere = async (point) => {
      if (point !== (where === 'pull' ? 'before:pull' : 'after:create')) return;
      const asked = server.requests.length;
      server.cancelled = 'wrong machine';
      bus.wake();
      await bus.until(() => server.requests.length > asked);
      // One turn later the answer has reached the one who asked.
      await new Promise((resolve) => setImmediate(resolve));
    };
    start(undefined, slow);
    await bus.until(() => server.finished.length === 1);
    expect(server.finished).toMatchObject([{ outcome: 'cancelled', exitCode: null, message }]);
    expect(effects).toEqual([]);
    expect(containers.calls).toEqual(calls);
  });

  it('ends a pull that never ends by itself', async () => {
    const { bus, server, containers, start } = world([action('only')]);
    containers.pull = (_image, _auth, _onProgress, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
        server.cancelled = 'wrong machine';
        bus.wake();
      });
    start(undefined, slow);
    await bus.until(() => server.finished.length === 1);
    expect(server.finished).toMatchObject([{ outcome: 'cancelled', exitCode: null }]);
  });

  it('takes the result of a container that was faster', async () => {
    const { bus, server, containers, start } = world([action('quick')]);
    containers.interfere = async (point) => {
      if (point !== 'after:wait') return;
      const asked = server.requests.length;
      server.cancelled = 'too late';
      bus.wake();
      await bus.until(() => server.requests.length > asked);
      await new Promise((resolve) => setImmediate(resolve));
    };
    start(undefined, slow);
    await bus.until(() => server.finished.length === 1);
    expect(server.finished).toMatchObject([{ outcome: 'succeeded', exitCode: 0 }]);
  });

  it('stops an on-failure command, and reports that', async () => {
    const { bus, server, containers, start } = world([action('bad', { onFailure: ['clean'] })]);
    containers.behaviour = ({ spec, killed }) => {
      if (spec.command.length === 0) return 1;
      return new Promise((resolve) => {
        killed.addEventListener('abort', () => resolve(143));
        server.cancelled = 'wrong machine';
        bus.wake();
      });
    };
    start(undefined, slow);
    await bus.until(() => server.handlers.length === 1);
    expect(server.finished).toMatchObject([{ outcome: 'failed', exitCode: 1 }]);
    const message = 'stopped with SIGTERM, exit code 143: wrong machine';
    expect(server.handlers).toMatchObject([{ handler: 'on-failure', exitCode: 143, message }]);
  });
});
