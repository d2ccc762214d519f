import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Journal } from './journal/journal';
import { action, workflowId } from './testing/fake-server';
import { quickPace } from './testing/life';
import { disk, folder, world } from './testing/world';

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

  it('is sent again when it overtook the start of its action', async () => {
    const { bus, server, containers, start, done } = world([action('only')]);
    let early = 0;
    bus.answer = (subject, body) =>
      subject.endsWith('.data-put') && early++ < 3
        ? { err: { code: 'NOT_YET', message: 'the log does not have the start of this action yet' } }
        : server.answer(subject, body);
    containers.behaviour = () => {
      writeFileSync(folder('data'), '{"n":1}');
      return 0;
    };
    await done(start().life);
    expect(server.data).toEqual({ version: 1, data: '{"n":1}' });
    expect(server.lines.some(({ line }) => line.includes('not sent'))).toBe(false);
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
  it('reports start and result again to a server whose log was restored from before them', async () => {
    const { bus, server, start } = world([action('only')]);
    const seen = new Set<string>();
    bus.onPublish = (message) => {
      const isLost = !seen.has(message.id) && /\.(started|finished)$/.test(message.subject);
      seen.add(message.id);
      const isRefused = message.subject.endsWith('.finished') && server.started.length === 0;
      if (!isLost && !isRefused) server.take(message);
    };
    start();
    await bus.until(() => server.finished.length === 1);
    expect(server.started).toHaveLength(1);
  });

  it('begins nothing, and says so, until the engine tells what an earlier run left', async () => {
    const { bus, containers, start } = world([action('only')]);
    const list = containers.list.bind(containers);
    let tries = 0;
    containers.list = (workerId) => (++tries < 4 ? Promise.reject(new Error('engine is away')) : list(workerId));
    const begunBefore: number[] = [];
    containers.behaviour = () => {
      begunBefore.push(tries);
      return 0;
    };
    const { life } = start();
    await bus.until(() => begunBefore.length === 1);
    expect(begunBefore).toEqual([4]);
    const said = life.log.lines.filter((line) => line.includes('not known what an earlier run left'));
    expect(said).toHaveLength(3);
    expect(said[0]).toContain('engine is away');
  });

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
    const journal = Journal.open(join(disk(), 'state'));
    expect(journal.unsent().map(({ id }) => id)).toEqual([`${workflowId}:0:1:finished`]);
    journal.close();
    bus.onPublish = (message) => server.take(message);
    start();
    await bus.until(() => server.finished.length === 1);
    expect(effects).toHaveLength(1);
  });
});
