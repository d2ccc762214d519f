import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTinkServer } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';
import { actionRow, workflowId, workflowItem } from '../testing/samples';
import { frame } from './workflow-frame';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
  fake.on(`GET /api/workflows/${workflowId}/logs`, { lines: [], follow: true });
});
afterEach(() => fake.close());

const ended = (status: 'success' | 'failed') =>
  workflowItem({
    status,
    finishedAt: '2026-01-01T00:09:30.000Z',
    actions: [
      actionRow({
        name: 'disk-wipe',
        status: 'success',
        attempt: 1,
        finishedAt: '2026-01-01T00:09:03.000Z',
        seconds: 3,
      }),
      actionRow({
        name: 'write-image',
        status,
        attempt: 1,
        finishedAt: '2026-01-01T00:09:30.000Z',
        seconds: 15,
        ...(status === 'failed' ? { exitCode: 17, message: 'no disk' } : {}),
      }),
    ],
  });

const event = {
  aggregate: 'workflow',
  aggregateId: workflowId,
  position: 9,
  version: 2,
  index: 0,
  at: '2026-01-01T00:09:30.000Z',
};

describe('tink workflow watch', () => {
  it.each([
    ['success', 0, /write-image {2}success {2}15s\n.*workflow succeeded after 30s\n$/],
    ['failed', 1, /write-image {2}failed {2}15s {2}exit code 17: no disk\n.*workflow FAILED after 30s\n$/],
  ] as const)('prints a line per change until %s, without a terminal', async (status, code, end) => {
    fake.events([], true).on(`GET /api/workflows/${workflowId}`, { json: workflowItem() });
    const onLine = (line: string) => {
      if (!line.includes('write-image  running')) return;
      fake.on(`GET /api/workflows/${workflowId}`, { json: ended(status) });
      fake.tell(event);
    };
    const followed = setInterval(() => fake.following > 0 && fake.tell(event), 20);
    const ran = await runTink(['workflow', 'watch', workflowId], { server, onLine });
    clearInterval(followed);
    expect(ran.code).toBe(code);
    expect(ran.out).toMatch(
      /^.*workflow 2b3b6c1e\S+: install on 08:00:27:00:00:01, 3 actions\n.*os-installation\/disk-wipe {2}success {2}3\.0s\n/,
    );
    expect(ran.out).toMatch(end);
    expect(fake.asked.some(({ url }) => url.includes('minSeq=9'))).toBe(true);
  });

  it('ends at once for a workflow that has ended', async () => {
    fake.events([]).on(`GET /api/workflows/${workflowId}`, { json: ended('failed') });
    expect((await runTink(['workflow', 'watch', workflowId], { server })).code).toBe(1);
    fake.on(`GET /api/workflows/${workflowId}`, { json: ended('success') });
    const ran = await runTink(['workflow', 'watch', workflowId, '-o', 'json'], { server });
    expect(JSON.parse(ran.out)).toEqual(ended('success'));
  });

  it('draws each picture over the one before on a terminal', async () => {
    fake.events([], true).on(`GET /api/workflows/${workflowId}`, { json: workflowItem() });
    const followed = setInterval(() => {
      if (fake.following < 2) return;
      fake.on(`GET /api/workflows/${workflowId}`, { json: ended('success') });
      fake.tell(event);
    }, 20);
    const ran = await runTink(['workflow', 'watch', workflowId], { server, columns: 80 });
    clearInterval(followed);
    expect(ran.code).toBe(0);
    expect(ran.out).toContain('\u001b[7A\r');
    expect(ran.out).toMatch(
      /✔ write-image {2}success {6}15s\u001b\[K\n\u001b\[K\nworkflow succeeded after 30s\u001b\[K\n\u001b\[J$/,
    );
  });

  it('exits with 4 for one that is not there and with 130 on Ctrl-C', async () => {
    fake.events([], true);
    expect((await runTink(['workflow', 'watch', workflowId], { server })).code).toBe(4);
    fake.on(`GET /api/workflows/${workflowId}`, { json: workflowItem() });
    const stop = new AbortController();
    const ran = await runTink(['workflow', 'watch', workflowId], {
      server,
      signal: stop.signal,
      onLine: () => stop.abort(),
    });
    expect(ran.code).toBe(130);
  });
});

describe('the picture', () => {
  const screen = { isTty: true, color: false, columns: 60, rows: 24, write: () => undefined };
  const now = Date.parse('2026-01-01T00:10:00.000Z');
  const picture = (over = {}) =>
    frame(
      { item: workflowItem(), lines: new Map([[1, 'progress:\r\u001b[2Kprogress: 45%']]), note: '', ...over },
      now,
      screen,
    );

  it('shows state, duration and the newest line of the running action', () => {
    expect(picture()).toEqual([
      `workflow ${workflowId}: install on 0…`,
      '',
      '✔ disk-wipe    success     3.0s',
      '▸ write-image  running      45s',
      '      progress: 45%',
      '· reboot       pending         ',
      '',
      'running for 1m',
    ]);
  });

  it('does not show the output of an action that is over, but why it failed', () => {
    const item = workflowItem({
      status: 'failed',
      actions: [actionRow({ status: 'failed', seconds: 2, exitCode: 3, message: 'no\u001b[2Jdisk' })],
    });
    expect(picture({ item, lines: new Map([[0, 'x']]) })).toContain('      exit code 3: no\\x1b[2Jdisk');
  });

  it('never has more lines than the terminal, and keeps the current action in sight', () => {
    const actions = Array.from({ length: 100 }, (_, index) =>
      actionRow({ name: `action-${index}`, status: index < 50 ? 'success' : 'pending' }),
    );
    const lines = frame({ item: workflowItem({ actions, current: 50 }), lines: new Map(), note: 'gone' }, now, screen);
    expect(lines.length).toBeLessThan(24);
    expect(lines.join('\n')).toContain('action-50');
    expect(lines.at(-1)).toBe('gone');
  });
});
