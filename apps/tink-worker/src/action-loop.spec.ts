import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActionSpec } from '@tinkerbell/events';
import { FakeBus } from './bus/fake';
import { FakeContainers } from './containers/fake';
import { Journal } from './journal/journal';
import { action, FakeServer, workflowId } from './testing/fake-server';
import { Crash, Life, quickPace, type Probe } from './testing/life';

let directory = '';
const lives: Life[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tink-loop-'));
});
afterEach(async () => {
  await Promise.all(lives.splice(0).map(({ loop, dead }) => dead || loop.stop()));
  rmSync(directory, { recursive: true, force: true });
});

const folder = (name: string) => join(directory, 'worker', workflowId, name);

function world(actions: readonly ActionSpec[]) {
  const bus = new FakeBus();
  const server = new FakeServer(actions);
  const containers = new FakeContainers();
  const effects: string[] = [];
  containers.behaviour = async ({ spec, write }) => {
    effects.push(spec.name);
    write('stdout', `${spec.name} one\ntwo\n`);
    write('stderr', 'three');
    return 0;
  };
  bus.onPublish = (message) => server.take(message);
  bus.answer = (subject, body) => server.answer(subject, body);
  const live = (probe?: Probe, more?: ConstructorParameters<typeof Life>[4]) => {
    const life = new Life(directory, bus, containers, probe, more);
    lives.push(life);
    return life;
  };
  const start = (...args: Parameters<typeof live>) => {
    const life = live(...args);
    const ended = life.loop.run().catch((error: unknown) => (error instanceof Crash ? false : Promise.reject(error)));
    return { life, ended };
  };
  const done = (life: Life) => bus.until(() => server.over && life.log.lines.some((line) => line.startsWith('idle')));
  return { bus, server, containers, effects, live, start, done };
}

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
      rmSync(directory, { recursive: true, force: true });
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
      // Only between noting that a container may exist and making it nobody can know.
      if (effectful.length < 2) expect(['journal:after', 'create:before'], told).toContain(where);
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
    const actions = [action('slow', { timeoutSeconds: 0.02, onTimeout: ['say', 'late'], onFailure: ['no'] })];
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
      if (point === `before:${what}`) throw new Error('manifest unknown');
    };
    start();
    await bus.until(() => server.finished.length === 1);
    expect(server.finished).toMatchObject([{ outcome: 'failed', reason: what, exitCode: null }]);
    expect(server.finished[0]?.message).toContain('manifest unknown');
    expect(effects).toEqual([]);
  });

  it('tries a registry that is away until the time of the action is over', async () => {
    const { bus, server, containers, start } = world([action('bad', { timeoutSeconds: 0.5 })]);
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

describe('ephemeral data', () => {
  it('hands the latest copy to each action and takes back what changed, before the result', async () => {
    const { bus, server, containers, start, done } = world([action('first'), action('second'), action('third')]);
    const seen: string[] = [];
    containers.behaviour = () => {
      seen.push(readFileSync(folder('data'), 'utf8'));
      if (seen.length < 3) writeFileSync(folder('data'), `{"n":${seen.length}}`);
      return 0;
    };
    const atResult: string[] = [];
    bus.onPublish = (message) => {
      if (message.subject.endsWith('.finished')) atResult.push(server.data.data);
      server.take(message);
    };
    const { life } = start();
    await done(life);
    expect(seen).toEqual(['{}', '{"n":1}', '{"n":2}']);
    expect(atResult).toEqual(['{"n":1}', '{"n":2}', '{"n":2}']);
    expect(server.data.version).toBe(2);
  });

  it.each([
    ['[1]', '/workflow/data is not a JSON object'],
    ['{', '/workflow/data is not JSON'],
    [`{"a":"${'x'.repeat(1000)}"}`, 'more than the 1000 allowed'],
  ])('says why %.10s is not sent', async (text, why) => {
    const { server, containers, start, done } = world([action('only')]);
    containers.behaviour = () => {
      writeFileSync(folder('data'), text);
      return 0;
    };
    const { life } = start();
    await done(life);
    expect(server.data.version).toBe(0);
    expect(server.lines.find(({ line }) => line.includes('not sent'))?.line).toContain(why);
  });

  it('sends nothing after a failure', async () => {
    const { server, containers, start, done } = world([action('only')]);
    containers.behaviour = () => {
      writeFileSync(folder('data'), '{"n":1}');
      return 1;
    };
    await done(start().life);
    expect(server.data.version).toBe(0);
  });
});

describe('restart and reboot', () => {
  it('leaves a running container alone when stopped, and takes it up again with all its output', async () => {
    const { bus, server, containers, start, done, effects } = world([action('long')]);
    let finish = (_code: number) => {};
    let more = () => {};
    containers.behaviour = ({ write }) => {
      effects.push('long');
      write('stdout', 'before\n');
      more = () => write('stdout', 'between\n');
      return new Promise((resolve) => (finish = resolve));
    };
    const first = start();
    await bus.until(() => server.lines.some(({ line }) => line === 'before'));
    await first.life.loop.stop();
    expect(await first.ended).toBe(false);
    expect(containers.calls.filter((call) => call.startsWith('stop') || call.startsWith('remove'))).toEqual([]);
    more();
    const second = start();
    await bus.until(() => server.lines.some(({ line }) => line === 'between'));
    finish(0);
    await done(second.life);
    expect(server.finished).toMatchObject([{ outcome: 'succeeded' }]);
    expect(server.lines.filter(({ stream }) => stream === 'stdout').map(({ line }) => line)).toEqual([
      'before',
      'between',
    ]);
    expect(effects).toEqual(['long']);
  });

  it('does not run an attempt again whose container is gone', async () => {
    const { bus, server, containers, start, effects } = world([action('long')]);
    containers.behaviour = () => {
      effects.push('long');
      return new Promise(() => {});
    };
    const first = start();
    await bus.until(() => server.started.length === 1 && effects.length === 1);
    await first.life.loop.stop();
    await containers.remove(`tinkerbell_${workflowId}_0_1`);
    start();
    await bus.until(() => server.finished.length === 1);
    expect(server.finished).toMatchObject([{ outcome: 'failed', reason: 'unknown-outcome' }]);
    expect(effects).toEqual(['long']);
  });

  it('removes a container that nobody wants any more', async () => {
    const { bus, server, containers, start } = world([action('long')]);
    containers.behaviour = () => new Promise(() => {});
    const first = start();
    await bus.until(() => containers.calls.some((call) => call.startsWith('start')));
    await first.life.loop.stop();
    server.deleted = 'the workflow is deleted';
    const second = start();
    await bus.until(() => second.life.log.lines.some((line) => line.startsWith('idle')));
    expect(containers.calls.at(-1)).toBe(`remove tinkerbell_${workflowId}_0_1`);
  });

  it('asks for a reboot after the result is in the log, once', async () => {
    const { bus, server, containers, start } = world([action('only')]);
    containers.behaviour = () => {
      writeFileSync(folder('reboot'), '');
      return 0;
    };
    let confirmed = false;
    const answer = bus.answer;
    bus.answer = (subject, body) => {
      if (subject.endsWith('.state') && server.finished.length === 1) confirmed = true;
      return answer(subject, body);
    };
    const first = start(undefined, { rebootCommand: 'reboot' });
    expect(await first.ended).toBe(true);
    expect(confirmed).toBe(true);
    const second = start();
    await bus.until(() => second.life.log.lines.some((line) => line.startsWith('idle')));
    expect(server.finished).toHaveLength(1);
  });

  it('goes on with the next action where nobody said how to reboot', async () => {
    const { server, containers, start, done } = world([action('first'), action('second')]);
    containers.behaviour = () => {
      writeFileSync(folder('reboot'), '');
      return 0;
    };
    const { life } = start();
    await done(life);
    expect(server.finished).toHaveLength(2);
    expect(life.log.lines.filter((line) => line.includes('TINK_REBOOT_COMMAND is not set'))).toHaveLength(2);
  });

  it('does not ask for a reboot after a failure', async () => {
    const { server, containers, start, done } = world([action('only')]);
    containers.behaviour = () => {
      writeFileSync(folder('reboot'), '');
      return 1;
    };
    const { life } = start();
    await done(life);
    expect(server.finished).toMatchObject([{ outcome: 'failed' }]);
  });

  it('keeps a report that could not be sent in the journal', async () => {
    const { bus, server, start, effects } = world([action('only')]);
    bus.onPublish = (message) => {
      if (message.subject.endsWith('.finished')) throw new Error('no answer');
      server.take(message);
    };
    const first = start(undefined, { pace: { ...quickPace, closeMs: 20 } });
    await bus.until(() => bus.tries.some(({ subject }) => subject.endsWith('.finished')));
    await first.life.loop.stop();
    const journal = Journal.open(join(directory, 'state'));
    expect(journal.unsent().map(({ id }) => id)).toEqual([`${workflowId}:0:1:finished`]);
    journal.close();
    bus.onPublish = (message) => server.take(message);
    start();
    await bus.until(() => server.finished.length === 1);
    expect(effects).toHaveLength(1);
  });
});
