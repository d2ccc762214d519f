import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readBundle } from '@tinkerbell/history';
import type { NextReply } from '@tinkerbell/messaging';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
// The machines and templates of tink-server's own specs.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { machine, templateYaml } from '../../tink-server/src/testing/fixtures';
import { startRealServer, type RealServer } from './testing/real-server';
import { TinkProcess } from './testing/tink-process';

let server: RealServer;
let workflowId = '';
let beforeRun = '';
const one = machine(1);

const tink = (...args: readonly string[]) => server.tink.run(args);

beforeAll(async () => {
  server = await startRealServer();
  const { harness } = server;
  await server.tink.run(['hardware', 'push'], { input: JSON.stringify(one) });
  const secret = { image: 'hello-world', environment: { API_TOKEN: 'wholly-secret-token' } };
  await server.tink.run(['template', 'create', '-n', 'install'], { input: templateYaml([{ actions: [secret] }]) });
  const { out } = await tink('workflow', 'create', '-t', 'install', '-r', JSON.stringify({ device_1: one.mac }));
  workflowId = out.trim().split(/\s+/).at(-1) ?? '';
  beforeRun = String(await harness.store.lastPosition());
  const worker = await harness.worker(one.id);
  const { assignment } = await worker.until(
    () => worker.next(),
    (reply: NextReply) => reply.assignment !== null,
  );
  if (!assignment) throw new Error('nothing was assigned');
  await worker.started(assignment);
  await worker.log(assignment, 'logged in with wholly-secret-token');
  await worker.finished(assignment, { outcome: 'failed', reason: 'exit', exitCode: 3, message: 'no disk' });
  await vi.waitFor(async () => expect((await tink('workflow', 'state', workflowId)).out).toContain('STATE_FAILED'), {
    timeout: 60_000,
  });
});
afterAll(() => server.close());

describe('tink with a real server', () => {
  it('shows things as they were', async () => {
    const [now, then] = [await tink('workflow', 'list'), await tink('workflow', 'list', '--at', beforeRun)];
    expect(now.out).toContain('STATE_FAILED');
    expect(then).toMatchObject({ code: 0, err: '', out: expect.stringContaining('STATE_PENDING') });
    const future = await tink('workflow', 'list', '--at', '2999-01-01T00:00:00Z');
    expect(future).toMatchObject({ code: 2, err: expect.stringContaining('--at lies in the future') });
    const beyond = await tink('diff', '--from', '999999');
    expect(beyond).toMatchObject({ code: 2, err: expect.stringContaining('--from is position 999999, but the log') });
    const early = await tink('workflow', 'get', workflowId, '--at', '1');
    expect(early).toMatchObject({ code: 4, err: expect.stringContaining(`its first event is at ${beforeRun}`) });
  });

  it('shows what changed', async () => {
    const { code, out } = await tink('diff', '--from', beforeRun, '--kind', 'workflow', '-o', 'csv');
    expect(code).toBe(0);
    expect(out).toContain(`workflow,${workflowId},install,status,pending,failed\n`);
    expect(out).toContain(`workflow,${workflowId},install,actions[0].exitCode,,3\n`.replace(',,3', ',null,3'));
  });

  it('explains it by name and by id', async () => {
    for (const name of ['server1', workflowId]) {
      const { code, out } = await tink('explain', name);
      expect(code).toBe(0);
      expect(out).toMatch(/failed after .* in action 1 of 1, "action-0": exit code 3 \(no disk\)\./);
    }
    expect(await tink('explain', 'servr1')).toMatchObject({
      code: 4,
      err: expect.stringContaining('did you mean server1?'),
    });
  });

  it('writes a bundle that tells the same where there is no server', async () => {
    const made = await tink('bundle', workflowId, '--file', 'incident.ndjson');
    expect(made).toMatchObject({ code: 0, err: '' });
    const text = await readFile(join(server.dir, 'incident.ndjson'), 'utf8');
    expect(text).not.toContain('wholly-secret-token');
    expect(readBundle(text).header.id).toBe(workflowId);

    const alone = new TinkProcess(server.tink.bundle, server.dir, { TINK_SERVER: 'http://127.0.0.1:1' });
    try {
      const [here, there] = [
        await tink('replay', workflowId, '--speed', 'max'),
        await alone.run(['replay', '--bundle', 'incident.ndjson', '--speed', 'max']),
      ];
      expect(there).toEqual(here);
      expect(here.out).toMatch(/action-0 started[^]*action-0 \| logged in with \[removed\][^]*action-0 failed/);
      const explained = await alone.run(['explain', '--bundle', 'incident.ndjson']);
      expect(explained.out).toContain('exit code 3 (no disk)');
      expect((await alone.run(['bundle', 'show', 'incident.ndjson'])).out).toMatch(/workflow .*failed/);
    } finally {
      await alone.close();
    }
  });
});
