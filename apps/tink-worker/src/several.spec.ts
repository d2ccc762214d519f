import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NextRequest } from '@tinkerbell/messaging';
import { describe, expect, it } from 'vitest';
import type { Behaviour } from './containers/fake';
import { action, workflowId } from './testing/fake-server';
import { Crash } from './testing/life';
import { disk, world } from './testing/world';

const container = (index: number) => `tinkerbell_${workflowId}_${index}_1`;
const four = { parallel: 4 };
const indexOf = (name: string) => Number(name.split('_')[2]);

/** Three that need nothing, then one that needs them all. */
const fan = () =>
  world(
    [action('a'), action('b'), action('c'), action('last')],
    [{ needs: [] }, { needs: [] }, { needs: [] }, { needs: [0, 1, 2] }],
  );

/** Two that need nothing. */
const pair = () => world([action('a'), action('b')], [{ needs: [] }, { needs: [] }]);

/** Containers that end when told; `hostFile`: a file in what the container has as /workflow. */
function puppets() {
  const ends = new Map<number, (exitCode: number) => void>();
  const binds = new Map<number, readonly string[]>();
  const behaviour: Behaviour = ({ spec, killed }) =>
    new Promise((resolve) => {
      ends.set(indexOf(spec.name), resolve);
      binds.set(indexOf(spec.name), spec.binds);
      killed.addEventListener('abort', () => resolve(143));
    });
  const hostFile = (index: number, name: string) => {
    const bind = binds.get(index)?.find((each) => each.endsWith(':/workflow'));
    return join(bind?.split(':')[0] ?? '', name);
  };
  return {
    behaviour,
    hostFile,
    binds,
    runs: () => [...ends.keys()].toSorted(),
    end: (i: number, code = 0) => ends.get(i)?.(code),
  };
}

describe('several actions at once', () => {
  it('run beside each other, as many as may, and what needs them runs after them', async () => {
    const { bus, server, containers, start, done } = fan();
    const { behaviour, runs, end } = puppets();
    containers.behaviour = behaviour;
    const { life } = start(undefined, { parallel: 2 });
    await bus.until(() => runs().length === 2);
    const asked = server.requests
      .filter(({ call }) => call === 'next')
      .map(({ body }) => (body as NextRequest).busy?.length);
    expect(asked.slice(0, 2)).toEqual([0, 1]);
    expect(runs()).toEqual([0, 1]);
    end(1);
    await bus.until(() => runs().length === 3);
    expect(runs()).toEqual([0, 1, 2]);
    end(0);
    end(2);
    await bus.until(() => runs().length === 4);
    end(3);
    await done(life);
    expect(server.finished.map(({ index, outcome }) => [index, outcome]).toSorted()).toEqual(
      [0, 1, 2, 3].map((index) => [index, 'succeeded']),
    );
  });

  it('one at a time for a worker that says nothing of being busy', async () => {
    const { bus, server, containers, start } = fan();
    const { behaviour, runs } = puppets();
    containers.behaviour = behaviour;
    start(undefined, { parallel: 1 });
    await bus.until(() => runs().length === 1);
    const before = server.requests.filter(({ call }) => call === 'state').length;
    await bus.until(() => server.requests.filter(({ call }) => call === 'state').length > before + 5);
    expect(server.requests.filter(({ call }) => call === 'next').map(({ body }) => body)).toEqual([
      { bootId: 'boot-1', key: expect.stringMatching(/^U/) },
    ]);
    expect(runs()).toEqual([0]);
  });

  it('begin nothing beside a container that has to stop and has not yet', async () => {
    const { bus, server, containers, start } = world([action('a')]);
    let end: (exitCode: number) => void = () => {};
    let stopping = false;
    containers.behaviour = ({ killed }) =>
      new Promise((resolve) => {
        end = resolve;
        killed.addEventListener('abort', () => (stopping = true));
      });
    const other = 'bbbbbbbb-d699-4e9f-a29c-a5890ccbd768';
    let asked = 0;
    bus.answer = (subject, body) => {
      const reply = server.answer(subject, body);
      const isOther = (body as { workflowId?: string }).workflowId === other;
      if (subject.endsWith('.state') && isOther) return { response: { goOn: true, finished: false, reason: '' } };
      if (!subject.endsWith('.next') || server.deleted === '') return reply;
      asked += 1;
      const assignment = { workflowId: other, index: 0, attempt: 1, total: 1, action: action('next'), dataVersion: 0 };
      return { response: { assignment, reason: '' } };
    };
    start(undefined, four);
    await bus.until(() => containers.calls.includes(`start ${container(0)}`));
    const endFirst = end;
    server.deleted = 'the workflow is deleted';
    bus.wake();
    await bus.until(() => stopping && asked > 5);
    expect(containers.calls.filter((call) => call.includes(other))).toEqual([]);
    endFirst(143);
    await bus.until(() => containers.calls.includes(`start tinkerbell_${other}_0_1`));
  });

  it('leaves alone what it runs already when a server knows nothing of being busy', async () => {
    const { bus, server, containers, start, done, effects } = world([action('first'), action('second')]);
    bus.answer = (subject, body) => server.answer(subject, subject.endsWith('.next') ? { bootId: 'boot-1' } : body);
    const { life } = start(undefined, four);
    await done(life);
    expect(effects).toEqual([container(0), container(1)]);
    expect(containers.calls.filter((call) => call.startsWith('create'))).toHaveLength(2);
  });

  it('do not mix their answers, and share what is meant to be shared', async () => {
    const { bus, server, containers, start, done } = fan();
    const { behaviour, runs, end, hostFile, binds } = puppets();
    containers.behaviour = behaviour;
    const { life } = start(undefined, four);
    await bus.until(() => runs().length === 3);
    for (const i of [0, 1, 2]) {
      writeFileSync(hostFile(i, 'outputs.json'), `{"from":${i}}`);
      expect(binds.get(i)?.filter((bind) => bind.endsWith(':/workflow/shared'))).toHaveLength(i === 0 ? 0 : 1);
    }
    writeFileSync(hostFile(1, 'failure-reason'), 'mine');
    const own = hostFile(1, '');
    const shared =
      binds
        .get(2)
        ?.find((bind) => bind.endsWith(':/workflow/shared'))
        ?.split(':')[0] ?? '';
    writeFileSync(join(shared, 'note'), 'from 2');
    expect(readFileSync(hostFile(0, 'shared/note'), 'utf8')).toBe('from 2');
    [0, 2].forEach((i) => end(i));
    end(1);
    await bus.until(() => runs().length === 4);
    expect(readFileSync(hostFile(3, 'shared/note'), 'utf8')).toBe('from 2');
    expect(existsSync(hostFile(3, 'outputs.json'))).toBe(false);
    end(3);
    await done(life);
    const outputs = server.finished.map(({ index, outputs: got }) => [index, got]);
    expect(outputs).toEqual(expect.arrayContaining([0, 1, 2].map((i) => [i, { from: i }])));
    expect(existsSync(own)).toBe(false);
  });

  it('do not undo what another one changed in the data of the workflow', async () => {
    const { bus, server, containers, start, done } = fan();
    const { behaviour, runs, end, hostFile } = puppets();
    containers.behaviour = behaviour;
    const { life } = start(undefined, four);
    await bus.until(() => runs().length === 3);
    writeFileSync(hostFile(2, 'data'), '{"n":2}');
    end(2);
    await bus.until(() => server.finished.length === 1);
    end(0);
    end(1);
    await bus.until(() => runs().length === 4);
    expect(readFileSync(hostFile(3, 'data'), 'utf8')).toBe('{"n":2}');
    end(3);
    await done(life);
    expect(server.data).toEqual({ version: 1, data: '{"n":2}' });
  });

  it('are all waited for by one that wants a reboot, and none is begun meanwhile', async () => {
    const { bus, server, containers, start } = world(
      [action('reboots'), action('long'), action('late'), action('reboots too')],
      [{ needs: [] }, { needs: [] }, { needs: [0] }, { needs: [] }],
    );
    const { behaviour, runs, end, hostFile } = puppets();
    containers.behaviour = behaviour;
    const { ended } = start(undefined, { ...four, rebootCommand: 'reboot' });
    let rebooted = false;
    void ended.then((reboot) => (rebooted = reboot));
    await bus.until(() => runs().length === 3);
    for (const i of [0, 3]) {
      writeFileSync(hostFile(i, 'reboot'), '');
      end(i);
    }
    await bus.until(() => server.finished.length === 2);
    const before = server.requests.length;
    await bus.until(() => server.requests.length > before + 20); // the long one asks on
    expect(rebooted).toBe(false);
    expect(runs()).toEqual([0, 1, 3]);
    end(1);
    expect(await ended).toBe(true);
    expect(server.finished.map(({ index }) => index).toSorted()).toEqual([0, 1, 3]);
    expect(runs()).not.toContain(2);
  });

  it('that a dead worker left behind are taken up again before the reboot that one of them wants', async () => {
    const { bus, server, containers, start } = world(
      [action('reboots'), action('long')],
      [{ needs: [] }, { needs: [] }],
    );
    const { behaviour, runs, end, hostFile } = puppets();
    containers.behaviour = behaviour;
    const settings = { ...four, rebootCommand: 'reboot' };
    const first = start(undefined, settings);
    await bus.until(() => runs().length === 2);
    writeFileSync(hostFile(0, 'reboot'), '');
    end(0);
    await bus.until(() => server.finished.length === 1);
    await first.life.loop.stop();
    expect(await first.ended).toBe(false);
    const second = start(undefined, settings);
    await bus.until(() => second.life.log.lines.some((line) => line.includes('found the container again')));
    end(1);
    expect(await second.ended).toBe(true);
    expect(server.finished.map(({ index, outcome }) => [index, outcome])).toEqual([
      [0, 'succeeded'],
      [1, 'succeeded'],
    ]);
  });

  it('are not waited for before a reboot when the server has no more use for them', async () => {
    const { bus, server, containers, start } = world(
      [action('reboots'), action('long')],
      [{ needs: [] }, { needs: [] }],
    );
    const { behaviour, runs, end, hostFile } = puppets();
    containers.behaviour = behaviour;
    const settings = { ...four, rebootCommand: 'reboot' };
    const first = start(undefined, settings);
    await bus.until(() => runs().length === 2);
    writeFileSync(hostFile(0, 'reboot'), '');
    end(0);
    await bus.until(() => server.finished.length === 1);
    await first.life.loop.stop();
    bus.answer = (subject, body) => {
      if (subject.endsWith('.next')) return { response: { assignment: null, reason: 'deleted' } };
      const long = subject.endsWith('.state') && (body as { index: number }).index === 1;
      return long ? { response: { goOn: false, finished: false, reason: 'deleted' } } : server.answer(subject, body);
    };
    expect(await start(undefined, settings).ended).toBe(true);
    expect(containers.calls.at(-1)).toBe(`remove ${container(1)}`);
  });

  it('are all left alone when the worker stops, and all taken up again', async () => {
    const { bus, server, containers, start, done } = fan();
    const { behaviour, runs, end, hostFile } = puppets();
    containers.behaviour = behaviour;
    const first = start(undefined, four);
    await bus.until(() => runs().length === 3);
    await first.life.loop.stop();
    expect(containers.calls.filter((call) => /^(stop|remove)/.test(call))).toEqual([]);
    for (const i of [0, 1, 2]) writeFileSync(hostFile(i, 'outputs.json'), `{"from":${i}}`);
    const second = start(undefined, four);
    [2, 1, 0].forEach((i) => end(i));
    await bus.until(() => runs().length === 4);
    end(3);
    await done(second.life);
    const outputs = server.finished.map(({ index, outputs: got }) => [index, got]);
    expect(outputs).toEqual(expect.arrayContaining([0, 1, 2].map((i) => [i, { from: i }])));
    expect(server.started).toHaveLength(4);
  });

  it('all stop when the workflow is cancelled', async () => {
    const { bus, server, containers, start } = fan();
    const { behaviour, runs } = puppets();
    containers.behaviour = behaviour;
    start(undefined, four);
    await bus.until(() => runs().length === 3);
    server.cancelled = 'wrong machine';
    bus.wake();
    await bus.until(() => server.finished.length === 3);
    expect(server.finished.map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  });

  it('begin nothing new while an on-failure command runs', async () => {
    const { bus, server, containers, start, done } = world(
      [action('bad', { onFailure: ['clean'] }), action('long'), action('next')],
      [{ needs: [] }, { needs: [] }, { needs: [1] }],
    );
    const { behaviour, runs, end } = puppets();
    let endHandler = () => {};
    containers.behaviour = (context) =>
      context.spec.command.length === 0
        ? behaviour(context)
        : new Promise((resolve) => (endHandler = () => resolve(0)));
    const { life } = start(undefined, four);
    await bus.until(() => runs().length === 2);
    end(0, 1);
    await bus.until(() => containers.calls.some((call) => call === `start ${container(0)}_on-failure`));
    end(1);
    await bus.until(() => server.finished.length === 2);
    const before = server.requests.length;
    await bus.until(() => server.requests.length > before + 10); // the handler asks whether it may go on
    expect(runs()).toEqual([0, 1]);
    endHandler();
    await bus.until(() => runs().length === 3);
    end(2);
    await done(life);
    expect(server.handlers).toHaveLength(1);
  });

  it('lose and double nothing when the worker crashes at any point', async () => {
    const points: string[] = [];
    const clean = pair();
    const { life } = clean.start((point) => void points.push(point), four);
    await clean.done(life);
    await life.loop.stop();
    // Asked again and again while something runs: how often is chance.
    const last = points.filter((point) => !/^ask (next|state)/.test(point)).length;
    expect(last).toBeGreaterThan(60);

    for (let k = 0; k < last; k++) {
      rmSync(disk(), { recursive: true, force: true });
      const { server, effects, start, done, containers } = pair();
      let count = 0;
      let where = '';
      const first = start((point) => {
        if (/^ask (next|state)/.test(point) || count++ !== k) return;
        where = point;
        throw new Crash();
      }, four);
      await Promise.race([first.life.crashed, done(first.life)]);
      if (first.life.dead) void first.life.loop.stop();
      const second = start(undefined, four);
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
      const lines = server.lines.filter(({ stream }) => stream !== 'worker').map(({ line }) => line);
      expect(lines.filter((line) => line === 'three').length, told).toBe(effects.length);
      await second.life.loop.stop();
      expect(await containers.list(server.actions[0]?.workerId ?? ''), told).toEqual([]);
    }
  }, 120_000);
});
