import { randomUUID } from 'node:crypto';
import { workflowDecider } from '@tinkerbell/domain';
import { subjects } from '@tinkerbell/messaging';
import { graph } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hardwareInterface } from './testing/samples';
import { startRealServer, type RealServer } from './testing/real-server';

const hardwareId = '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94';
const hardware = JSON.stringify({ id: hardwareId, metadata: {}, network: { interfaces: [hardwareInterface()] } });
const template = `version: "0.1"
name: install
global_timeout: 600
tasks:
  - name: os
    worker: "{{.device_1}}"
    actions:
      - { name: disk-wipe, image: disk-wipe, timeout: 60 }
      - { name: write-image, image: image2disk, timeout: 60 }
`;
const uuid = /[0-9a-f]{8}-[0-9a-f-]{27}/;

type Worker = Awaited<ReturnType<RealServer['harness']['worker']>>;
let real: RealServer;
let worker: Worker;
beforeAll(async () => {
  real = await startRealServer();
  expect((await real.tink.run(['hardware', 'push'], { input: hardware })).code).toBe(0);
  expect((await real.tink.run(['template', 'create', '-n', 'install'], { input: template })).code).toBe(0);
  worker = await real.harness.worker(hardwareId);
});
afterAll(() => real?.close());

const tink = (...args: readonly string[]) => real.tink.run(['workflow', ...args]);
const made = async (...args: readonly string[]) => {
  const { code, out, err } = await tink(...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^Created Workflow: {2}[0-9a-f-]{36}\n$/);
  return uuid.exec(out)?.[0] ?? '';
};
const create = () => made('create', '-t', 'install', '-r', '{"device_1":"08:00:27:00:00:01"}');
const run = async (over: Parameters<Worker['finished']>[1] = {}) => {
  const assigned = await worker.assigned();
  await worker.started(assigned);
  await worker.finished(assigned, over);
  await worker.until(
    () => worker.state(assigned),
    ({ finished }) => finished,
  );
  return assigned;
};

describe('people decide about workflows, through the bundle and a real server', () => {
  let cancelled = '';
  let failed = '';

  it('cancels, and waits for the word of the worker', async () => {
    cancelled = await create();
    const waiting = await create();
    const assigned = await worker.assigned();
    await worker.started(assigned);
    await worker.until(
      () => worker.state(assigned),
      ({ finished, goOn }) => goOn && !finished,
    );
    const queued = await tink('state', waiting);
    expect(queued.err).toBe(`waiting for workflow ${cancelled} on this machine, position 2\n`);
    const cancelling = tink('cancel', cancelled, '--wait', '--reason', 'wrong machine');
    await worker.until(
      () => worker.state(assigned),
      ({ goOn }) => !goOn,
    );
    const state = await tink('state', cancelled);
    expect(state.err).toMatch(/^cancelling: its worker is told to stop disk-wipe \(/);
    await worker.finished(assigned, { outcome: 'cancelled', exitCode: null, message: 'stopped after SIGTERM' });
    expect(await cancelling).toEqual({
      code: 0,
      out: `Cancelled\t${cancelled}\tits worker has stopped disk-wipe\n`,
      err: '',
    });
    expect((await tink('list', '-q', '--status', 'cancelled')).out).toBe(`${cancelled}\n`);
    expect((await tink('state', cancelled)).out).toContain('| STATE_CANCELLED');
    const never = await tink('cancel', waiting, '--wait');
    expect(never).toEqual({ code: 0, out: `Cancelled\t${waiting}\tnothing had to be stopped\n`, err: '' });
    expect((await tink('pause', cancelled)).code).toBe(1);
  });

  it('clones one, and pauses the clone', async () => {
    failed = await made('clone', cancelled);
    expect(await tink('pause', failed)).toEqual({ code: 0, out: `Paused\t${failed}\n`, err: '' });
    const state = await tink('state', failed);
    expect(state.err).toBe(
      `repeats workflow ${cancelled}\npaused: nothing further of it starts\n  tink workflow resume ${failed}\n`,
    );
    expect((await worker.next()).assignment).toBeNull();
    expect((await tink('resume', failed)).out).toBe(`Resumed\t${failed}\n`);
    expect(await run()).toMatchObject({ workflowId: failed, index: 0 });
    expect(await run({ outcome: 'failed', reason: 'exit', exitCode: 3 })).toMatchObject({ index: 1 });
    expect((await tink('watch', failed)).code).toBe(1);
    const refused = await tink('cancel', failed);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^Error\t.*not allowed while failed/);
  });

  it('retries it from where it failed', async () => {
    const again = await made('retry', failed);
    expect(await run()).toMatchObject({ workflowId: again, index: 1, attempt: 1 });
    expect((await tink('watch', again)).code).toBe(0);
    const story = await real.tink.run(['events', '--id', again]);
    expect(story.out).toContain(`disk-wipe taken over from workflow ${failed}, where it succeeded\n`);
    expect(story.out).toMatch(/workflow succeeded\n$/);
    expect(JSON.parse((await tink('get', again, '-o', 'json')).out)).toMatchObject({
      status: 'success',
      origin: { workflowId: failed, from: 1 },
    });
    expect((await tink('retry', again)).err).toMatch(/^Error: retry without an action/);
  });

  it('approves the only action that asks, skips another, resolves an unknown outcome', async () => {
    const id = randomUUID();
    const spec = { workerId: hardwareId };
    const { data } = graph({
      wipe: { approval: 'wipe it?', onReboot: 'ask', spec },
      write: { needs: [0], spec },
      log: { needs: [1], spec },
    });
    const command = { type: 'CreateWorkflow', ...data } as const;
    const metadata = { id: randomUUID(), actor: 'test' };
    const { handle } = await import('@tinkerbell/event-store');
    await handle(real.harness.store, workflowDecider, subjects.stream('workflow', id), command, metadata);
    await expect
      .poll(async () => (await tink('state', id)).err)
      .toBe(`wipe awaits approval (or "tink workflow reject"): wipe it?\n  tink workflow approve ${id} wipe\n`);
    expect((await tink('get', id)).out).toContain('#   t/wipe: needs approval: wipe it?; after a reboot: ask\n');
    expect((await tink('approve', id, '--reason', 'ticket 1')).out).toBe(`Approved\t${id}\twipe\n`);
    const before = await worker.assigned();
    await worker.started(before);
    await worker.until(
      () => worker.state(before),
      ({ goOn, finished }) => goOn && !finished,
    );
    worker = await real.harness.worker(hardwareId, 'boot-2');
    expect((await worker.next()).assignment).toBeNull();
    await expect
      .poll(async () => (await tink('state', id)).err)
      .toContain(`  tink workflow resolve ${id} wipe --as restart\n`);
    expect((await tink('resolve', id, 'wipe', '--as', 'succeeded')).out).toBe(`Resolved\t${id}\twipe\tsucceeded\n`);
    expect((await tink('skip', id, 't/log', '--reason', 'not here')).out).toBe(`Skipped\t${id}\tt/log\n`);
    expect(await run()).toMatchObject({ workflowId: id, index: 1 });
    expect((await tink('watch', id)).out).toMatch(/t\/log {2}skipped {2}not here\n.* {2}workflow succeeded/);
    expect((await tink('approve', id)).err).toBe(`Error: no action of workflow ${id} awaits approval\n`);
    expect((await tink('approve', id, 'nothing')).code).toBe(4);
  });
});
