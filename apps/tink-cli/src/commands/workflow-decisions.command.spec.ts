import { recorded } from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActionCancelled } from '@tinkerbell/events';
import { FakeTinkServer, refusal } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';
import { actionRow, templateId, workflowId, workflowItem } from '../testing/samples';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

const one = `/api/workflows/${workflowId}`;
const other = templateId;
const tink = (...args: readonly string[]) => runTink(['workflow', ...args], { server });
const accepted = { json: { id: workflowId, position: 21, changed: true } };
const bodies = () => fake.asked.filter(({ method }) => method === 'POST').map(({ url, body }) => [url, body]);

const stopped = (confirmed: boolean): ActionCancelled => ({
  type: 'ActionCancelled',
  v: 1,
  data: { index: 1, attempt: 1, workerId: 'w', seconds: 3, confirmed, message: '' },
});

describe('tink workflow cancel', () => {
  it('says what is being stopped, and reports each', async () => {
    fake.on(`POST ${one}/cancel`, accepted).on(`GET ${one}`, { json: workflowItem({ cancelling: true }) });
    expect(await tink('cancel', workflowId, other, '--reason', 'wrong machine')).toEqual({
      code: 4,
      out: `Cancelling\t${workflowId}\tits worker is told to stop write-image\n`,
      err: `Error\t${other}\tnot found\n`,
    });
    expect(bodies()[0]).toEqual([`${one}/cancel`, { reason: 'wrong machine' }]);
    expect(fake.asked.some(({ url }) => url === `${one}?minSeq=21`)).toBe(true);
    fake.on(`GET ${one}`, { json: workflowItem({ status: 'cancelled' }) });
    expect(await tink('cancel', workflowId)).toEqual({ code: 0, out: `Cancelled\t${workflowId}\n`, err: '' });
    fake.on(`POST ${one}/cancel`, refusal(409, 'ILLEGAL_TRANSITION', 'CancelWorkflow is not allowed while success'));
    expect(await tink('cancel', workflowId)).toMatchObject({
      code: 1,
      err: `Error\t${workflowId}\tCancelWorkflow is not allowed while success\n`,
    });
  });

  it.each([
    [[stopped(true)], 0, 'its worker has stopped write-image'],
    [[], 0, 'nothing had to be stopped'],
    [[stopped(false)], 1, 'its worker did not confirm that it stopped write-image: it may still run'],
  ])('--wait ends when it is over: %#', async (events, code, how) => {
    const ending = recorded('workflow', workflowId, events, 30);
    let over = false;
    fake
      .on(`POST ${one}/cancel`, accepted)
      .on(`GET ${one}`, () => ({ json: workflowItem(over ? { status: 'cancelled' } : { cancelling: true }) }))
      .on('GET /api/events', ({ url }) =>
        url.includes('follow') ? { lines: [], follow: true } : { lines: url.includes('ActionCancelled') ? ending : [] },
      );
    const following = setInterval(() => {
      if (fake.following === 0) return;
      over = true;
      fake.tell({ aggregate: 'workflow', aggregateId: workflowId, position: 31, index: 0 });
    }, 20);
    const ran = await tink('cancel', workflowId, '--wait');
    clearInterval(following);
    expect(ran).toEqual({ code, out: `Cancelled\t${workflowId}\t${how}\n`, err: '' });
  });

  it('--wait fails when it ended otherwise', async () => {
    fake.on(`POST ${one}/cancel`, accepted).on(`GET ${one}`, { json: workflowItem({ status: 'success' }) });
    fake.events([]);
    expect(await tink('cancel', workflowId, '-w')).toMatchObject({
      code: 1,
      out: `Error\t${workflowId}\tit has ended otherwise: success\n`,
    });
  });

  it('-o json prints the workflow as it is afterwards, of several a list', async () => {
    const item = workflowItem({ paused: true });
    fake.on(`POST ${one}/pause`, accepted).on(`GET ${one}`, { json: item });
    expect(JSON.parse((await tink('pause', workflowId, '-o', 'json')).out)).toEqual(item);
    const several = await tink('pause', workflowId, other, '-o', 'json');
    expect([several.code, JSON.parse(several.out)]).toEqual([4, [item]]);
    expect((await tink('pause', workflowId, '-o', 'yaml')).out).toContain('paused: true\n');
  });
});

describe('tink workflow pause and resume', () => {
  it('say so', async () => {
    fake
      .on(`POST ${one}/pause`, accepted)
      .on(`POST ${one}/resume`, accepted)
      .on(`GET ${one}`, { json: workflowItem() });
    expect(await tink('pause', workflowId, '--reason', 'lunch')).toEqual({
      code: 0,
      out: `Paused\t${workflowId}\n`,
      err: '',
    });
    expect((await tink('resume', workflowId)).out).toBe(`Resumed\t${workflowId}\n`);
    expect(bodies()).toEqual([
      [`${one}/pause`, { reason: 'lunch' }],
      [`${one}/resume`, {}],
    ]);
    expect((await tink('pause', 'x')).code).toBe(2);
    expect((await tink('pause')).code).toBe(2);
  });
});

describe('tink workflow approve and reject', () => {
  const asking = (...names: readonly string[]) =>
    workflowItem({
      actions: names.map((name) => actionRow({ name, status: 'awaiting-approval', message: 'wipe it?' })),
    });

  it('find the only action that awaits approval', async () => {
    fake
      .on(`GET ${one}`, { json: asking('wipe') })
      .on(`POST ${one}/actions/wipe/approve`, accepted)
      .on(`POST ${one}/actions/wipe/reject`, accepted);
    expect(await tink('approve', workflowId, '--reason', 'ticket 1')).toEqual({
      code: 0,
      out: `Approved\t${workflowId}\twipe\n`,
      err: '',
    });
    expect((await tink('reject', workflowId)).out).toBe(`Rejected\t${workflowId}\twipe\n`);
    expect(bodies()).toEqual([
      [`${one}/actions/wipe/approve`, { reason: 'ticket 1' }],
      [`${one}/actions/wipe/reject`, {}],
    ]);
  });

  it('want one to be named when several await approval, and say when none does', async () => {
    fake.on(`GET ${one}`, { json: asking('wipe', 'boot') }).on(`POST ${one}/actions/os%2Fwipe/approve`, accepted);
    const several = await tink('approve', workflowId);
    expect(several).toMatchObject({ code: 2, out: '' });
    expect(several.err).toContain('2 actions of workflow');
    expect(several.err).toContain(`tink workflow approve ${workflowId} wipe`);
    expect((await tink('approve', workflowId, 'os/wipe')).out).toBe(`Approved\t${workflowId}\tos/wipe\n`);
    fake.on(`GET ${one}`, { json: workflowItem() });
    expect(await tink('reject', workflowId)).toMatchObject({
      code: 1,
      err: `Error: no action of workflow ${workflowId} awaits approval\n`,
    });
  });
});

describe('tink workflow skip and resolve', () => {
  it('send what was decided', async () => {
    fake.on(`POST ${one}/actions/wipe/skip`, accepted).on(`POST ${one}/actions/wipe/resolve`, accepted);
    expect((await tink('skip', workflowId, 'wipe', '--reason', 'new disk')).out).toBe(`Skipped\t${workflowId}\twipe\n`);
    expect((await tink('resolve', workflowId, 'wipe', '--as', 'restart')).out).toBe(
      `Resolved\t${workflowId}\twipe\trestart\n`,
    );
    expect(bodies()).toEqual([
      [`${one}/actions/wipe/skip`, { reason: 'new disk' }],
      [`${one}/actions/wipe/resolve`, { as: 'restart' }],
    ]);
  });

  it.each([
    [['skip', workflowId, 'wipe'], '--reason is required'],
    [['skip', workflowId, '--reason', 'x'], 'tink workflow skip needs'],
    [['resolve', workflowId, 'wipe'], '--as is required'],
    [['resolve', workflowId, 'wipe', '--as', 'done'], '--as is one of succeeded, failed, restart, resume, got "done"'],
  ])('%j is refused before the server is asked', async (args, message) => {
    const ran = await tink(...args);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(message);
    expect(fake.asked).toEqual([]);
  });
});

describe('tink workflow retry and clone', () => {
  it('print the new workflow', async () => {
    const made = { json: { id: other, position: 22, changed: true }, status: 201 };
    fake.on(`POST ${one}/retry`, made).on(`POST ${one}/clone`, made);
    expect(await tink('retry', workflowId)).toEqual({ code: 0, out: `Created Workflow:  ${other}\n`, err: '' });
    await tink('retry', workflowId, '--from', 'os/write');
    expect((await tink('clone', workflowId)).out).toBe(`Created Workflow:  ${other}\n`);
    expect(bodies()).toEqual([
      [`${one}/retry`, {}],
      [`${one}/retry`, { from: 'os/write' }],
      [`${one}/clone`, {}],
    ]);
    fake.on(`POST ${one}/retry`, refusal(409, 'ILLEGAL_TRANSITION', 'retry is not allowed while running'));
    expect(await tink('retry', workflowId)).toMatchObject({
      code: 1,
      err: 'Error: retry is not allowed while running\n',
    });
  });
});
