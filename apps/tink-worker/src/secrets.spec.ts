import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { action } from './testing/fake-server';
import { disk, folder, world } from './testing/world';

const value = 'corr€ct-horse-battery';
const lines = ['-----BEGIN KEY-----', 'c2VjcmV0IGxpbmU=', '-----END KEY-----'];
const secrets = { PASSWORD: value, KEY: lines.join('\n') };

/** Everything that the worker leaves on its disk, beside what actions wrote. */
function stateText(): string {
  const state = join(disk(), 'state');
  return readdirSync(state)
    .map((name) => readFileSync(join(state, name), 'utf8'))
    .join('\n');
}

describe('secrets of an action', () => {
  it('are in its environment and in nothing that the worker keeps or sends', async () => {
    const { bus, server, containers, start } = world(
      [action('bad', { onFailure: ['clean'], environment: ['A=1', 'PASSWORD=from the template'] })],
      [{ secrets, resumed: true }],
    );
    const environments: (readonly string[])[] = [];
    containers.behaviour = ({ spec, write }) => {
      environments.push(spec.environment);
      write('stdout', `the password is ${value}\n${value.slice(0, 7)}`);
      write('stdout', `${value.slice(7)} again\n${secrets.KEY}\n`);
      write('stderr', `${'x'.repeat(16 * 1024 - 5)}${value}\n`);
      write('stderr', `refused: ${value}`);
      if (spec.command.length === 0) writeFileSync(folder('failure-message'), `${'y'.repeat(190)} ${value}`);
      return 1;
    };
    const { life } = start();
    await bus.until(() => server.handlers.length === 1);
    await life.loop.stop();
    const expected = ['A=1', 'TINKERBELL_RESUMED=1', `PASSWORD=${value}`, `KEY=${secrets.KEY}`];
    expect(environments).toEqual([expected, expected]);
    const shipped = server.lines.filter(({ stream }) => stream === 'stdout').map(({ line }) => line);
    const once = ['the password is ***', '*** again', '***', '***', '***'];
    expect(shipped).toEqual([...once, ...once]);
    expect(server.finished[0]?.message).toBe(`${'y'.repeat(190)} ***`);
    expect(server.handlers[0]?.message).toBe('refused: ***');
    const sent = bus.tries.map(({ body }) => body).join('\n');
    for (const place of [sent, stateText(), life.log.lines.join('\n')]) {
      for (const secret of [value, value.slice(0, 12), ...lines]) expect(place).not.toContain(secret);
    }
  });

  it('are asked for again to mask the output of a container that was found again', async () => {
    const { bus, server, containers, start, done } = world([action('long')], [{ secrets }]);
    let finish = (_code: number) => {};
    let more = () => {};
    containers.behaviour = ({ write }) => {
      write('stdout', `one ${value}\n`);
      more = () => write('stdout', `two ${value}\n`);
      return new Promise((resolve) => (finish = resolve));
    };
    const first = start();
    await bus.until(() => server.lines.some(({ line }) => line === 'one ***'));
    await first.life.loop.stop();
    more();
    const second = start();
    await bus.until(() => server.lines.some(({ line }) => line === 'two ***'));
    finish(0);
    await done(second.life);
    expect(server.finished).toMatchObject([{ outcome: 'succeeded' }]);
    expect(server.requests.filter(({ call }) => call === 'secrets')).toHaveLength(2);
    expect(bus.tries.map(({ body }) => body).join('\n')).not.toContain(value);
  });

  it('that are not to be had any more keep the output back, not the result', async () => {
    const { bus, server, containers, start, done } = world([action('long')], [{ secrets }]);
    let finish = (_code: number) => {};
    containers.behaviour = ({ write }) => {
      write('stderr', `one ${value}\n`);
      writeFileSync(folder('failure-reason'), value);
      return new Promise((resolve) => (finish = resolve));
    };
    const first = start();
    await bus.until(() => server.lines.some(({ line }) => line === 'one ***'));
    await first.life.loop.stop();
    bus.answer = (subject, body) =>
      subject.endsWith('.secrets')
        ? { err: { code: 'NOT_FOUND', message: 'no secret p' } }
        : server.answer(subject, body);
    const second = start();
    await bus.until(() => server.lines.some(({ line }) => line.startsWith('no secrets, so no output either')));
    finish(3);
    await done(second.life);
    expect(server.finished).toMatchObject([{ outcome: 'failed', exitCode: 3, message: 'ended with exit code 3' }]);
    expect(bus.tries.map(({ body }) => body).join('\n')).not.toContain(value);
  });

  it('that the server refuses keep the action from running', async () => {
    const { bus, server, containers, start, done } = world([action('only')], [{ secrets, destructive: true }]);
    bus.answer = (subject, body) =>
      subject.endsWith('.secrets')
        ? { err: { code: 'NOT_FOUND', message: 'there is no secret "db"' } }
        : server.answer(subject, body);
    await done(start().life);
    expect(server.finished).toMatchObject([
      { outcome: 'failed', reason: 'refused', message: 'nothing ran: secrets: there is no secret "db" (NOT_FOUND)' },
    ]);
    expect(containers.calls).toEqual([]);
    expect(server.permits).toEqual([]);
  });

  it('are in no complaint about a broken answer', async () => {
    const { bus, server, start, done } = world([action('only', { timeoutSeconds: 2 })], [{ secrets }]);
    let n = 0;
    bus.answer = (subject, body) => {
      if (!subject.endsWith('.secrets')) return server.answer(subject, body);
      return n++ % 2 === 0 ? { values: secrets } : { response: { values: { PASSWORD: value } } };
    };
    const { life } = start();
    await done(life);
    expect(server.finished).toMatchObject([{ outcome: 'failed', reason: 'refused' }]);
    expect(server.finished[0]?.message).toMatch(/^nothing ran, the server did not answer: secrets: /);
    const everything = [...bus.tries.map(({ body }) => body), ...life.log.lines, stateText()].join('\n');
    expect(everything).not.toContain(value);
  });
});
