import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTinkServer, refusal } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';
import { actionRow, hardwareId, templateId, workflowId, workflowItem } from '../testing/samples';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

const one = `/api/workflows/${workflowId}`;

describe('tink workflow create', () => {
  it('sends template and devices', async () => {
    fake.on('POST /api/workflows', { json: { id: workflowId, position: 8 } });
    const ran = await runTink(['workflow', 'create', '-t', templateId, '-r', '{"device_1":"08:00:27:00:00:01"}'], {
      server,
    });
    expect(ran).toEqual({ code: 0, out: `Created Workflow:  ${workflowId}\n`, err: '' });
    expect(fake.asked[0]?.body).toEqual({ template: templateId, hardware: { device_1: '08:00:27:00:00:01' } });
  });

  it.each([
    [['-t', templateId], '--hardware (-r) is required'],
    [['-r', '{}'], '--template (-t) is required'],
    [['-t', templateId, '-r', '08:00:27:00:00:01'], '--hardware is not JSON'],
    [['-t', templateId, '-r', '["x"]'], '--hardware is a JSON object'],
  ])('%j is refused before the server is asked', async (args, message) => {
    const ran = await runTink(['workflow', 'create', ...args], { server });
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(message);
    expect(fake.asked).toEqual([]);
  });

  it('exits with 4 for a template that is not there and shows a refusal', async () => {
    const args = ['workflow', 'create', '-t', 'gone', '-r', '{"device_1":"08:00:27:00:00:01"}'];
    fake.on('POST /api/workflows', refusal(404, 'NOT_FOUND', 'template gone not found'));
    expect(await runTink(args, { server })).toMatchObject({ code: 4, err: 'Error: template gone not found\n' });
    fake.on('POST /api/workflows', refusal(400, 'INVALID', 'no worker found', { field: 'hardware.device_1' }));
    expect(await runTink(args, { server })).toMatchObject({
      code: 1,
      err: 'Error: hardware.device_1: no worker found\n',
    });
  });
});

describe('tink workflow get and list', () => {
  it('has the headings of the original', async () => {
    fake.on('GET /api/workflows', { json: [workflowItem()] });
    const { out } = await runTink(['workflow', 'list'], { server });
    expect(
      out
        .split('\n')[1]
        ?.split('|')
        .map((title) => title.trim())
        .filter((title) => title !== ''),
    ).toEqual(['WORKFLOW ID', 'TEMPLATE ID', 'HARDWARE DEVICE', 'STATE', 'CREATED AT', 'UPDATED AT']);
    expect(out).toContain('| {"device_1":"08:00:27:00:00:01"} | STATE_RUNNING | 10m ago    | 5m ago     |');
    expect((await runTink(['workflow', 'list', '-q'], { server })).out).toBe(`${workflowId}\n`);
  });

  it('filters at the server', async () => {
    fake.on('GET /api/workflows', { json: [] });
    await runTink(['workflow', 'list', '--status', 'failed', '--worker', hardwareId], { server });
    expect(fake.asked[0]?.url).toContain(`status=failed&worker=${hardwareId}`);
    const ran = await runTink(['workflow', 'list', '--status', 'faild'], { server });
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('did you mean failed?');
  });

  it('shows what a workflow runs as YAML', async () => {
    fake.on(`GET ${one}`, { json: workflowItem() });
    const { out } = await runTink(['workflow', 'get', workflowId], { server });
    expect(out).toMatch(/^version: "0\.1"\nname: install\n/);
    expect(out).toContain(`    worker: ${hardwareId}\n    actions:\n      - name: disk-wipe\n`);
    const json = await runTink(['workflow', 'get', workflowId, '-o', 'json'], { server });
    expect(JSON.parse(json.out)).toEqual(workflowItem());
    expect((await runTink(['workflow', 'get', workflowId, '-o', 'wide'], { server })).out).toContain('| 1/3     |');
  });
});

describe('tink workflow get of a graph', () => {
  const actions = [
    actionRow({ name: 'probe', status: 'success', outputs: { disk: '/dev/vda' } }),
    actionRow({ name: 'wipe', status: 'awaiting-approval', message: 'sure?', plan: { needs: [0], approval: 'sure?' } }),
    actionRow({
      name: 'boot',
      plan: { needs: [0, 1], condition: 'success()', destructive: true, secrets: { TOKEN: 'registry' } },
    }),
    actionRow({ name: 'rescue', plan: { needs: [2], runs: 'failure', onReboot: 'ask' } }),
  ];

  it('says in comments what template 0.1 has no words for, and what a person has to do on standard error', async () => {
    fake.on(`GET ${one}`, { json: workflowItem({ actions, waiting: 'the approval' }) });
    const { out, err } = await runTink(['workflow', 'get', workflowId], { server });
    expect(out.split('\n').slice(0, 6)).toEqual([
      expect.stringMatching(/^# This workflow is more than template 0\.1 can express/) as string,
      expect.stringMatching(/^# /) as string,
      '#   os-installation/wipe: needs approval: sure?',
      '#   os-installation/boot: needs os-installation/probe, os-installation/wipe; if success(); destructive; secrets TOKEN=registry',
      '#   os-installation/rescue: runs on failure; after a reboot: ask',
      'version: "0.1"',
    ]);
    expect(err).toContain(`  tink workflow approve ${workflowId} wipe\n`);
    const wide = await runTink(['workflow', 'get', workflowId, '-o', 'wide'], { server });
    expect(wide.out).toContain('{"os-installation/probe":{"disk":"/dev/vda"}}');
    expect(wide.out).toContain('wipe awaits approval');
  });
});

describe('tink workflow state', () => {
  it('has the six rows of the original', async () => {
    fake.on(`GET ${one}`, { json: workflowItem() });
    const { out, err } = await runTink(['workflow', 'state', workflowId], { server });
    const rows = out
      .split('\n')
      .slice(3, 9)
      .map((line) =>
        line
          .split('|')
          .slice(1, 3)
          .map((cell) => cell.trim()),
      );
    expect(out.split('\n')[1]).toMatch(/^\| FIELD NAME +\| VALUES +\|$/);
    expect(rows).toEqual([
      ['Workflow ID', workflowId],
      ['Workflow Progress', '33%'],
      ['Current Task', 'os-installation'],
      ['Current Action', 'write-image'],
      ['Current Worker', hardwareId],
      ['Current Action State', 'STATE_RUNNING'],
    ]);
    expect(err).toBe('');
  });

  it.each([
    ['nothing started', workflowItem({ status: 'pending', actions: [actionRow(), actionRow()] }), 0, 'STATE_PENDING'],
    ['first done', workflowItem({ actions: [actionRow({ status: 'success' }), actionRow()] }), 50, 'STATE_SUCCESS'],
    [
      'all done',
      workflowItem({ status: 'success', actions: [actionRow({ status: 'success' })] }),
      100,
      'STATE_SUCCESS',
    ],
    [
      'second failed',
      workflowItem({ status: 'failed', actions: [actionRow({ status: 'success' }), actionRow({ status: 'failed' })] }),
      50,
      'STATE_FAILED',
    ],
    [
      'time ran out between two',
      workflowItem({ status: 'timeout', actions: [actionRow({ status: 'success' }), actionRow()] }),
      50,
      'STATE_TIMEOUT',
    ],
    [
      'two at once after one was skipped',
      workflowItem({
        actions: [actionRow({ status: 'skipped' }), actionRow({ status: 'running' }), actionRow({ status: 'failed' })],
      }),
      33,
      'STATE_RUNNING',
    ],
    [
      'cancelled',
      workflowItem({ status: 'cancelled', actions: [actionRow({ status: 'cancelled' })] }),
      0,
      'STATE_CANCELLED',
    ],
    ['no actions', workflowItem({ status: 'success', actions: [] }), 0, 'STATE_SUCCESS'],
  ])('%s', async (_, item, progress, state) => {
    fake.on(`GET ${one}`, { json: item });
    const { out } = await runTink(['workflow', 'state', workflowId, '-o', 'json'], { server });
    expect(JSON.parse(out)).toMatchObject({ progress, current_action_state: state });
  });

  it('says what a workflow waits for', async () => {
    fake.on(`GET ${one}`, { json: workflowItem({ waiting: 'the worker is not connected' }) });
    expect((await runTink(['workflow', 'state', workflowId], { server })).err).toBe(
      'waiting: the worker is not connected\n',
    );
  });
});

describe('tink workflow events', () => {
  it('has the headings of the original and whole seconds', async () => {
    fake.on(`GET ${one}`, { json: workflowItem() });
    const { out } = await runTink(['workflow', 'events', workflowId], { server });
    expect(out).toMatch(/\| WORKER ID +\| TASK NAME +\| ACTION NAME \| EXECUTION TIME \| MESSAGE +\| ACTION STATUS \|/);
    expect(out).toMatch(
      /\| os-installation \| disk-wipe +\| 3 +\| finished execution successfully \| STATE_SUCCESS \|/,
    );
    expect(JSON.parse((await runTink(['workflow', 'events', workflowId, '-o', 'json'], { server })).out)).toEqual(
      workflowItem().events,
    );
  });
});

describe('tink workflow data', () => {
  const metadata = {
    'worker-id': hardwareId,
    'action-name': 'disk-wipe',
    'task-name': 'os',
    'updated-at': '2026-01-01T00:09:03Z',
    sha256: 'ab',
  };
  const answer = (data: string) => ({
    text: `{"version":2,"latest":3,"metadata":${JSON.stringify(metadata)},"data":${data}}\n`,
  });

  it.each([
    [[], '{"big": 12345678901234567890}\n'],
    [['-m'], `${JSON.stringify(metadata)}\n`],
    [['-l'], 'Latest workflow data version: 3\n'],
    [['--latest version'], 'Latest workflow data version: 3\n'],
    [['--latest-version'], 'Latest workflow data version: 3\n'],
  ])('%j', async (args, out) => {
    fake.on(`GET ${one}/data`, answer('{"big": 12345678901234567890}'));
    expect(await runTink(['workflow', 'data', workflowId, ...args], { server })).toEqual({ code: 0, out, err: '' });
  });

  it('asks for a version', async () => {
    fake.on(`GET ${one}/data`, answer('{}'));
    await runTink(['workflow', 'data', workflowId, '-v', '2'], { server });
    expect(fake.asked[0]?.url).toBe(`${one}/data?version=2`);
    expect((await runTink(['workflow', 'data', workflowId, '-v', 'x'], { server })).err).toContain(
      '-v is a whole number, got "x"',
    );
  });
});

describe('tink workflow delete', () => {
  it('reports each', async () => {
    fake.on(`DELETE ${one}`, { json: {} });
    expect(await runTink(['workflow', 'delete', workflowId, templateId], { server })).toEqual({
      code: 4,
      out: `Deleted\t${workflowId}\n`,
      err: `Error\t${templateId}\tnot found\n`,
    });
  });
});
