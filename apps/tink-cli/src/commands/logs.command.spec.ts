import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTinkServer, refusal } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';
import { workflowId, workflowItem } from '../testing/samples';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

const route = `GET /api/workflows/${workflowId}/logs`;
const line = (text: string, over = {}) => ({
  workflowId,
  index: 1,
  action: 'write-image',
  task: 'os',
  at: '2026-01-01T00:09:20.000Z',
  stream: 'stdout',
  line: text,
  ...over,
});

describe('tink logs', () => {
  it('names the action of each line, unless only one was asked for', async () => {
    fake.on(route, { lines: [line('10 %'), line('pulled', { stream: 'worker' })] });
    expect((await runTink(['logs', workflowId], { server })).out).toBe(
      'write-image | 10 %\nwrite-image | worker: pulled\n',
    );
    expect((await runTink(['logs', workflowId, 'write-image'], { server })).out).toBe('10 %\nworker: pulled\n');
    expect(fake.asked[1]?.url).toContain('action=write-image');
  });

  it('adds times, asks for those since, prints NDJSON', async () => {
    fake.on(route, { lines: [line('x')] });
    expect((await runTink(['logs', workflowId, '--timestamps'], { server })).out).toBe(
      '2026-01-01T00:09:20.000Z  write-image | x\n',
    );
    await runTink(['logs', workflowId, '--since', '5m'], { server });
    expect(fake.asked[1]?.url).toContain(`since=${encodeURIComponent('2026-01-01T00:05:00.000Z')}`);
    expect(JSON.parse((await runTink(['logs', workflowId, '-o', 'json'], { server })).out)).toEqual(line('x'));
    expect((await runTink(['logs', workflowId, '--since', 'soon'], { server })).code).toBe(2);
  });

  it('lets a program write colours on a terminal, but nothing that moves its cursor', async () => {
    fake.on(route, { lines: [line('a\u001b[31mred\u001b[0m\u001b[2J\u001b]0;title\u0007 1%\r2%')] });
    const onTerminal = (color: boolean) => runTink(['logs', workflowId, '1'], { server, columns: 80, color });
    expect((await onTerminal(false)).out).toBe('2%\n');
    fake.on(route, { lines: [line('\u001b[31mred\u001b[2J\u001b]0;t\u0007')] });
    expect((await onTerminal(true)).out).toBe('\u001b[31mred\u001b[0m\n');
    expect((await runTink(['logs', workflowId, '1'], { server })).out).toBe('\u001b[31mred\u001b[2J\u001b]0;t\u0007\n');
  });

  it('follows until the workflow has ended, each line once, also when the server is stopped in between', async () => {
    let connections = 0;
    fake.on(`GET /api/workflows/${workflowId}`, () => ({
      json: workflowItem({ status: connections > 1 ? 'success' : 'running' }),
    }));
    fake.on(route, ({ url }) => {
      connections++;
      if (connections === 1) return { lines: [line('1'), line('2')], follow: true };
      expect(url).toContain(`since=${encodeURIComponent('2026-01-01T00:09:20.000Z')}`);
      return { lines: [line('2'), line('3')] };
    });
    const onLine = (text: string) => {
      if (text.endsWith('2')) fake.hangUp();
    };
    const ran = await runTink(['logs', workflowId, '-f'], { server, onLine });
    expect(ran.out).toBe('write-image | 1\nwrite-image | 2\nwrite-image | 3\n');
    expect(ran.code).toBe(0);
    expect(ran.err).toMatch(/broke off its answer; trying again\nconnected again\n/);
  });

  it('exits with 4 for an action that is not there', async () => {
    fake.on(route, refusal(404, 'NOT_FOUND', 'action wrte not found'));
    expect(await runTink(['logs', workflowId, 'wrte'], { server })).toMatchObject({
      code: 4,
      err: 'Error: action wrte not found\n',
    });
  });
});
