import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EngineRefusedError } from './containers/containers';
import { action, workflowId } from './testing/fake-server';
import { Crash } from './testing/life';
import { disk, folder, world } from './testing/world';

describe('action loop', () => {
  it('runs the actions in order and reports each once', async () => {
    const { server, effects, start, done, bus, containers } = world([action('first'), action('second')]);
    const { life } = start();
    await done(life);
    expect(server.ready).toHaveLength(1);
    expect(server.ready[0]).toMatchObject({ bootId: 'boot-1', engine: 'fake 1', workerVersion: '0.1.0' });
    expect(server.started.map(({ index, attempt, bootId }) => [index, attempt, bootId])).toEqual([
      [0, 1, 'boot-1'],
      [1, 1, 'boot-1'],
    ]);
    expect(server.finished.map(({ index, outcome, exitCode }) => [index, outcome, exitCode])).toEqual([
      [0, 'succeeded', 0],
      [1, 'succeeded', 0],
    ]);
    expect(effects).toEqual([`tinkerbell_${workflowId}_0_1`, `tinkerbell_${workflowId}_1_1`]);
    expect(containers.pulled).toEqual(['registry:5000/bb:1', 'registry:5000/bb:1']);
    expect(server.lines.filter(({ stream }) => stream !== 'worker').map(({ stream, line }) => [stream, line])).toEqual([
      ['stdout', `tinkerbell_${workflowId}_0_1 one`],
      ['stdout', 'two'],
      ['stderr', 'three'],
      ['stdout', `tinkerbell_${workflowId}_1_1 one`],
      ['stdout', 'two'],
      ['stderr', 'three'],
    ]);
    // The result comes after the output it is about.
    const order = bus.stored.map(({ subject }) => subject.split('.')[1] + subject.slice(-9));
    expect(order.indexOf('in.finished')).toBeGreaterThan(
      order.indexOf('log' + bus.stored.find(({ subject }) => subject.startsWith('tink.log'))?.subject.slice(-9)),
    );
  });

  it('loses and doubles nothing when it crashes at any point', async () => {
    const points: string[] = [];
    const clean = world([action('first'), action('second')]);
    const { life } = clean.start((point) => void points.push(point));
    await clean.done(life);
    await life.loop.stop();
    expect(points.length).toBeGreaterThan(60);

    for (let k = 0; k < points.length; k++) {
      rmSync(disk(), { recursive: true, force: true });
      const { server, effects, start, done, containers } = world([action('first'), action('second')]);
      let count = 0;
      let where = '';
      const first = start((point) => {
        if (count++ !== k) return;
        where = point;
        throw new Crash();
      });
      await Promise.race([first.life.crashed, done(first.life)]);
      if (first.life.dead) void first.life.loop.stop(); // frees its timers; nothing it does reaches the outside
      const second = start();
      await done(second.life);
      const told = `crash ${k} at ${where}`;
      const effectful = server.finished.filter(({ reason }) => reason !== 'unknown-outcome');
      expect(effects.length, told).toBe(effectful.length);
      expect(new Set(effects).size, told).toBe(effects.length);
      expect(server.started.length, told).toBe(server.finished.length);
      expect(
        effectful.every(({ outcome }) => outcome === 'succeeded'),
        told,
      ).toBe(true);
      // Only between noting that a container may be made or started and doing it nobody can know.
      if (effectful.length < 2) expect(['journal:after', 'create:before', 'start:before'], told).toContain(where);
      const lines = server.lines.filter(({ stream }) => stream !== 'worker').map(({ line }) => line);
      expect(lines.filter((line) => line === 'three').length, told).toBe(effects.length);
      expect(lines.filter((line) => line === 'two').length, told).toBe(effects.length);
      await second.life.loop.stop();
      expect(await containers.list(server.actions[0]?.workerId ?? ''), told).toEqual([]);
    }
  }, 60_000);

  it('starts nothing before the start is stored', async () => {
    const { bus, server, effects, start, done } = world([action('only')]);
    bus.onPublish = (message) => {
      if (message.subject.endsWith('.started') && bus.tries.filter(({ id }) => id === message.id).length < 5) {
        expect(effects).toEqual([]);
        throw new Error('no answer');
      }
      server.take(message);
    };
    const { life } = start();
    await done(life);
    expect(effects).toHaveLength(1);
  });

  it('goes on through a bus that is away in mid-action', async () => {
    const { bus, server, containers, start, done } = world([action('only')]);
    containers.behaviour = ({ write }) => {
      bus.connected = false;
      write('stdout', 'while away\n');
      setTimeout(() => (bus.connected = true), 20);
      return 0;
    };
    const { life } = start();
    await done(life);
    expect(server.finished).toHaveLength(1);
    expect(server.lines.map(({ line }) => line)).toContain('while away');
  });

  it('stops an action that the server no longer wants', async () => {
    const { bus, server, containers, start } = world([action('only', { onFailure: ['never'] })]);
    containers.behaviour = ({ killed }) =>
      new Promise((resolve) => {
        killed.addEventListener('abort', () => resolve(137));
        server.deleted = 'the workflow is deleted';
        bus.wake();
      });
    start();
    await bus.until(() => server.finished.length === 1);
    expect(server.finished[0]).toMatchObject({
      outcome: 'failed',
      reason: 'refused',
      exitCode: 137,
      message: "stopped on the server's word: the workflow is deleted",
    });
    expect(server.handlers).toEqual([]);
  });

  it('ends an action that takes too long and runs its on-timeout command after the report', async () => {
    const actions = [action('slow', { timeoutSeconds: 2, onTimeout: ['say', 'late'], onFailure: ['no'] })];
    const { bus, server, containers, start } = world(actions);
    const commands: (readonly string[])[] = [];
    containers.behaviour = ({ spec, killed }) => {
      commands.push(spec.command);
      if (spec.command.length > 0) return 3;
      return new Promise((resolve) => killed.addEventListener('abort', () => resolve(137)));
    };
    start();
    await bus.until(() => server.handlers.length === 1);
    expect(server.finished).toMatchObject([{ outcome: 'timed-out', reason: null, exitCode: 137 }]);
    expect(server.handlers).toMatchObject([{ handler: 'on-timeout', exitCode: 3, index: 0, attempt: 1 }]);
    expect(commands).toEqual([[], ['say', 'late']]);
  });

  it('reports a failure with what the action says of it, and runs on-failure', async () => {
    const { bus, server, containers, start } = world([action('bad', { onFailure: ['clean'] }), action('never')]);
    containers.behaviour = ({ spec, write }) => {
      if (spec.command.length > 0) return 0;
      writeFileSync(folder('failure-reason'), 'DiskNotFound');
      write('stderr', 'noise\n');
      return 17;
    };
    start();
    await bus.until(() => server.handlers.length === 1);
    expect(server.finished).toMatchObject([
      { outcome: 'failed', reason: 'exit', exitCode: 17, message: 'DiskNotFound' },
    ]);
    expect(server.handlers).toMatchObject([{ handler: 'on-failure', exitCode: 0 }]);
  });

  it.each(['pull', 'create', 'start'] as const)('reports when the container does not get past %s', async (what) => {
    const { bus, server, containers, start, effects } = world([action('bad')]);
    containers.interfere = (point) => {
      if (point === `before:${what}`) throw new EngineRefusedError('manifest unknown');
    };
    start();
    await bus.until(() => server.finished.length === 1);
    expect(server.finished).toMatchObject([{ outcome: 'failed', reason: what, exitCode: null }]);
    expect(server.finished[0]?.message).toContain('manifest unknown');
    expect(effects).toEqual([]);
  });

  it.each(['before:create', 'after:create', 'after:start'])(
    'runs once over an engine that goes away %s',
    async (where) => {
      const { server, containers, start, done, effects } = world([action('only')]);
      let failures = 0;
      containers.interfere = (point) => {
        if (point === where && failures++ === 0) throw new Error('socket hang up');
      };
      const { life } = start();
      await done(life);
      expect(effects).toHaveLength(1);
      expect(server.finished).toMatchObject([{ outcome: 'succeeded' }]);
      const lines = server.lines.filter(({ stream }) => stream === 'stdout').map(({ line }) => line);
      expect(lines).toEqual([`tinkerbell_${workflowId}_0_1 one`, 'two']);
    },
  );

  it('does not start a container twice when nobody can know whether it had started', async () => {
    const { server, containers, start, done, effects } = world([action('only')]);
    containers.interfere = (point) => {
      if (point === 'before:start') throw new Error('socket hang up');
    };
    const { life } = start();
    await done(life);
    expect(effects).toEqual([]);
    expect(server.finished).toMatchObject([{ outcome: 'failed', reason: 'unknown-outcome' }]);
  });

  it('tries a registry that is away until the time of the action is over', async () => {
    const { bus, server, containers, start } = world([action('bad', { timeoutSeconds: 2 })]);
    let tries = 0;
    containers.interfere = (point) => {
      if (point !== 'before:pull') return;
      tries += 1;
      throw new Error('connection refused');
    };
    start();
    await bus.until(() => server.finished.length === 1);
    expect(server.finished).toMatchObject([{ outcome: 'failed', reason: 'pull' }]);
    expect(tries).toBeGreaterThan(3);
  });
});
