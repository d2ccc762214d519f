import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { bundleLines, type Bundle } from '@tinkerbell/history';
import {
  actionFailed,
  actionStarted,
  hardwareId,
  hardwareRegistered,
  machineMac,
  netbootOffered,
  recorded,
  templateCreated,
  templateId,
  workflowCreated,
} from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTinkServer, refusal } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';
import { hardwareItem, leaseItem, machineItem, templateItem, workflowId, workflowItem } from '../testing/samples';
import { pauseBetween } from './replay.command';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

const events: readonly Recorded<AnyEvent>[] = [
  ...recorded('hardware', hardwareId, [hardwareRegistered()], 1),
  ...recorded('template', templateId, [templateCreated('install')], 2),
  ...recorded('workflow', workflowId, [workflowCreated(1, { templateName: 'install' })], 3),
  ...recorded('boot', machineMac, [netbootOffered()], 4),
  ...recorded('workflow', workflowId, [actionStarted(0), actionFailed(0, { message: 'no disk' })], 5),
];
const line = { workflowId, index: 0, action: 'action-0', task: 'hello world', stream: 'stdout', line: '45 %' };
const bundle: Bundle = {
  header: {
    bundle: 1,
    kind: 'workflow',
    id: workflowId,
    at: '2026-01-01T00:05:00.000Z',
    position: 6,
    graceSeconds: 30,
    cancelGraceSeconds: 60,
    delaySeconds: { boot: 900, worker: 600 },
  },
  events,
  lines: [{ ...line, at: '2026-01-01T00:00:05.500Z' }],
  durations: new Map([['image:hello-world', { count: 3, buckets: { '10': 3 } }]]),
};
const text = [...bundleLines(bundle)].map((each) => `${JSON.stringify(each)}\n`).join('');
const files = () => ({ 'incident.ndjson': text }) as Record<string, string>;
const lastAsked = () => new URL(`http://x${fake.asked.at(-1)?.url}`);

describe('--at', () => {
  const routes: readonly (readonly [string, string, unknown])[] = [
    ['hardware list', '/api/hardware', [hardwareItem()]],
    ['hardware get', '/api/hardware', [hardwareItem()]],
    [`hardware get ${hardwareId}`, `/api/hardware/${hardwareId}`, hardwareItem()],
    ['hardware get server001', '/api/hardware', [hardwareItem()]],
    [`hardware id ${hardwareId}`, `/api/hardware/${hardwareId}`, hardwareItem()],
    ['hardware mac 08:00:27:00:00:01', '/api/hardware', [hardwareItem()]],
    ['hardware ip 192.168.1.5', '/api/hardware', [hardwareItem()]],
    ['template list', '/api/templates', [templateItem()]],
    ['template get', '/api/templates', [templateItem()]],
    ['template versions install', '/api/templates/install/versions', []],
    ['template get install', '/api/templates/install', templateItem()],
    ['workflow list', '/api/workflows', [workflowItem()]],
    ['workflow get', '/api/workflows', [workflowItem()]],
    [`workflow get ${workflowId}`, `/api/workflows/${workflowId}`, workflowItem()],
    [`workflow state ${workflowId}`, `/api/workflows/${workflowId}`, workflowItem()],
    [`workflow events ${workflowId}`, `/api/workflows/${workflowId}`, workflowItem()],
    [`workflow data ${workflowId}`, `/api/workflows/${workflowId}`, workflowItem()],
    ['machine list', '/api/machines', [machineItem()]],
    ['machine get node-1', '/api/machines/node-1', machineItem()],
    ['lease list', '/api/leases', [leaseItem()]],
  ];
  it.each(routes)('tink %s asks for what was', async (command, path, json) => {
    fake.on(`GET ${path}`, { json });
    const at = '2026-01-01T00:05:00.000Z';
    const ran = await runTink([...command.split(' '), '--at', at], { server });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(lastAsked().pathname).toBe(path);
    expect(lastAsked().searchParams.get('at')).toBe(at);
  });

  it('takes a position or a duration ago, and counts time from then', async () => {
    fake.on('GET /api/leases', {
      json: [leaseItem({ boundAt: '2026-01-01T00:00:00.000Z', expiresAt: '2026-01-01T00:08:00.000Z' })],
    });
    const now = await runTink(['lease', 'list'], { server });
    expect(now.out).toContain('expired');
    const ago = await runTink(['lease', 'list', '--at', '5m'], { server });
    expect(lastAsked().searchParams.get('at')).toBe('2026-01-01T00:05:00.000Z');
    expect(ago.out).toMatch(/bound +\| in 3m/);
    fake.events(recorded('hardware', hardwareId, [hardwareRegistered()], 60));
    const placed = await runTink(['lease', 'list', '--at', '60'], { server });
    expect(fake.asked.map(({ url }) => url)).toContain('/api/events?after=59&limit=1');
    expect(lastAsked().searchParams.get('at')).toBe('60');
    expect(placed.out).toMatch(/bound +\| in 7m/);
  });

  it('refuses what is no moment', async () => {
    const ran = await runTink(['lease', 'list', '--at', 'yesterday'], { server });
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('--at does not understand "yesterday"') });
  });

  it('gives the data that the workflow had then', async () => {
    const data = [1, 2].map((version) => ({
      ...{ version, sha256: '', size: 2, workerId: '', task: '', action: '', at: '2026-01-01T00:00:00.000Z' },
    }));
    fake.on(`GET /api/workflows/${workflowId}`, { json: workflowItem({ data }) });
    const answer = '{"version":2,"latest":9,"metadata":{},"data":{"a": 1}}\n';
    fake.on(`GET /api/workflows/${workflowId}/data`, { text: answer });
    const at = ['--at', '1m'];
    expect((await runTink(['workflow', 'data', workflowId, ...at], { server })).out).toBe('{"a": 1}\n');
    expect(lastAsked().search).toBe('?version=2');
    expect((await runTink(['workflow', 'data', workflowId, '-l', ...at], { server })).out).toContain('version: 2');
    const later = await runTink(['workflow', 'data', workflowId, '-v', '3', ...at], { server });
    expect(later).toMatchObject({ code: 4, err: expect.stringContaining('had no data version 3 then') });
  });
});

describe('tink diff', () => {
  const changes = [
    { kind: 'template', id: templateId, name: 'install', change: 'appeared', row: { name: 'install' } },
    {
      kind: 'workflow',
      id: workflowId,
      name: 'install',
      change: 'changed',
      fields: [
        { path: 'status', from: 'pending', to: 'failed' },
        { path: 'actions[0].exitCode', from: null, to: 17 },
        { path: 'data[0]', to: { version: 1 } },
      ],
    },
    { kind: 'lease', id: '08:00:27:00:00:01', name: 'node-1', change: 'vanished', row: {} },
  ];
  it('prints a line for each field, old and new', async () => {
    fake.on('GET /api/diff', { lines: changes });
    const ran = await runTink(['diff', '--from', '5m', '--to', '812', '--kind', 'workflow', workflowId], { server });
    const rows = ran.out.split('\n').map((row) => row.replace(/^\W+|\W+$/g, '').replace(/[\s|]+/g, ' '));
    expect(rows).toEqual(
      expect.arrayContaining([
        `template ${templateId} install appeared`,
        `workflow ${workflowId} install status pending failed`,
        `workflow ${workflowId} install actions[0].exitCode null 17`,
        'lease 08:00:27:00:00:01 node-1 vanished',
      ]),
    );
    expect(lastAsked().search).toBe(`?from=2026-01-01T00%3A05%3A00.000Z&to=812&kind=workflow&id=${workflowId}`);
  });
  it('prints the changes themselves as JSON, and says when there are none', async () => {
    fake.on('GET /api/diff', { lines: changes });
    expect(JSON.parse((await runTink(['diff', '--from', '1', '-o', 'json'], { server })).out)).toEqual(changes);
    fake.on('GET /api/diff', { lines: [] });
    expect(await runTink(['diff', '--from', '1'], { server })).toMatchObject({
      code: 0,
      out: '',
      err: 'nothing changed\n',
    });
    expect((await runTink(['diff', '--from', '1', '-o', 'json'], { server })).out).toBe('[]\n');
  });
  it('needs to know from when', async () => expect((await runTink(['diff'], { server })).code).toBe(2));
});

describe('tink bundle', () => {
  it('writes the file and says what is in it', async () => {
    fake.on(`GET /api/bundle/workflows/${workflowId}`, { text });
    const written: Record<string, string> = {};
    const ran = await runTink(['bundle', workflowId, '--file', 'incident.ndjson'], { server, files: written });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('6 events and 1 line of output written to incident.ndjson');
    expect(written).toEqual(files());
  });
  it('writes nothing of an answer that broke off', async () => {
    fake.on('GET /api/bundle/machines/node-1', { text: text.slice(0, -40) });
    const written: Record<string, string> = {};
    const ran = await runTink(['bundle', 'node-1', '--file', 'f'], { server, files: written });
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(written).toEqual({});
  });
  it('shows what is in a file, without a server', async () => {
    const ran = await runTink(['bundle', 'show', 'incident.ndjson'], { files: files() });
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(new RegExp(`workflow.*${workflowId}.*install.*failed`));
    const json = JSON.parse(
      (await runTink(['bundle', 'show', 'incident.ndjson', '-o', 'json'], { files: files() })).out,
    );
    expect(json).toMatchObject({
      id: workflowId,
      workflows: [{ id: workflowId, status: 'failed' }],
      machines: [{ step: 'dhcp' }],
    });
  });
  it('names the file and the line that is wrong', async () => {
    const ran = await runTink(['bundle', 'show', 'x'], { files: { x: '{"bundle":1}\nnonsense\n' } });
    expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('x: line 2: this is not JSON') });
    const missing = await runTink(['bundle', 'show', 'y']);
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining('cannot read y: no such file') });
  });
});

describe('tink replay', () => {
  const story = [
    /workflow .*workflow created by test from template install/,
    /boot .*boot file offered: undionly.kpxe/,
    /workflow .*action-0 started/,
    /output .*action-0 \| 45 %$/,
    /workflow .*action-0 failed after 3.0s: exit code 17 \(no disk\)/,
  ];
  it.each([['--bundle', 'incident.ndjson'], [workflowId]])('tells the story in order: %s', async (...args) => {
    fake.on(`GET /api/bundle/workflows/${workflowId}`, { text });
    const ran = await runTink(['replay', ...args, '--speed', 'max'], { server, files: files() });
    expect(ran).toMatchObject({ code: 0, err: '' });
    const lines = ran.out.trimEnd().split('\n');
    expect(lines).toHaveLength(story.length);
    story.forEach((form, i) => expect(lines[i]).toMatch(form));
  });
  it('prints what was recorded as JSON', async () => {
    const ran = await runTink(['replay', '--bundle', 'incident.ndjson', '--speed', 'max', '-o', 'json'], {
      files: files(),
    });
    const printed = ran.out
      .trimEnd()
      .split('\n')
      .map((each) => JSON.parse(each) as unknown);
    expect(printed[0]).toEqual(events[2]);
    expect(printed[3]).toEqual(bundle.lines[0]);
  });
  it('keeps the rhythm, and leaves out long pauses', () => {
    expect(pauseBetween(1_000, 2_500, 1)).toEqual({ milliseconds: 1_500, skipped: 0 });
    expect(pauseBetween(1_000, 2_500, 10)).toEqual({ milliseconds: 150, skipped: 0 });
    expect(pauseBetween(1_000, 9_000_000, Infinity)).toEqual({ milliseconds: 0, skipped: 0 });
    expect(pauseBetween(0, 60_000, 10)).toEqual({ milliseconds: 3_000, skipped: 60_000 });
    expect(pauseBetween(2_000, 1_000, 1)).toEqual({ milliseconds: 0, skipped: 0 });
  });
  it('waits in between, and stops when it is told to', async () => {
    const stop = new AbortController();
    const onLine = () => stop.abort();
    const ran = await runTink(['replay', '--bundle', 'incident.ndjson'], {
      files: files(),
      signal: stop.signal,
      onLine,
    });
    expect(ran.code).toBe(130);
    expect(ran.out.trimEnd().split('\n')).toHaveLength(1);
  });
  it.each([[['--speed', '0']], [['--speed', 'fast']], [[]]])('refuses %j', async (args) => {
    const named = args.length === 0 ? [] : [workflowId];
    expect((await runTink(['replay', ...named, ...args], { server })).code).toBe(2);
  });
});

describe('tink explain', () => {
  const answer = {
    kind: 'machine',
    id: hardwareId,
    at: '2026-01-01T00:10:00.000Z',
    position: 6,
    state: 'Machine x is off.',
    causes: [],
    waiting: null,
    expected: [],
  };

  it('asks for a machine by its name, and for an id of either kind', async () => {
    fake.on('GET /api/explain/machines/node-1', { json: answer });
    fake.on(`GET /api/explain/machines/${hardwareId}`, { json: answer });
    for (const name of ['node-1', hardwareId]) {
      const ran = await runTink(['explain', name], { server });
      expect(ran).toMatchObject({ code: 0, err: '' });
      expect(ran.out).toContain('Machine x is off.\n\nHow it came to this:\n');
    }
    expect(fake.asked.map(({ url }) => url)).toContain(`/api/explain/workflows/${hardwareId}`);
    expect(JSON.parse((await runTink(['explain', 'node-1', '-o', 'json'], { server })).out)).toEqual(answer);
    await runTink(['explain', 'node-1', '--at', '2m'], { server });
    expect(lastAsked().searchParams.get('at')).toBe('2026-01-01T00:08:00.000Z');
  });

  it('says what may have been meant', async () => {
    const none = (what: string) => refusal(404, 'NOT_FOUND', what);
    fake.on(`GET /api/explain/workflows/${workflowId}`, none('workflow w not found; did you mean w-2?'));
    fake.on(`GET /api/explain/machines/${workflowId}`, none('machine w not found'));
    const ran = await runTink(['explain', workflowId], { server });
    expect(ran).toMatchObject({ code: 4, err: `Error: no workflow or machine ${workflowId}; did you mean w-2?\n` });
    fake.on('GET /api/explain/machines/nod-1', none('machine nod-1 not found; did you mean node-1?'));
    const other = await runTink(['explain', 'nod-1'], { server });
    expect(other).toMatchObject({ code: 4, err: expect.stringContaining('did you mean node-1?') });
  });

  it('says that a bundle without durations has no forecast', async () => {
    const bare = [...bundleLines({ ...bundle, durations: new Map() })].map((each) => `${JSON.stringify(each)}\n`);
    const options = { files: { bare: bare.join('') } };
    const ran = await runTink(['explain', '--bundle', 'bare', '--at', '5'], options);
    expect(ran).toMatchObject({ code: 0, err: expect.stringContaining('the bundle holds no durations') });
    expect(ran.out).not.toContain('usually');
    const json = await runTink(['explain', '--bundle', 'bare', '-o', 'json'], options);
    expect(JSON.parse(json.out)).toMatchObject({ expected: [] });
    expect(json.err).toContain('the bundle holds no durations');
  });

  it('explains what is in a bundle, then and in the end, without a server', async () => {
    const end = await runTink(['explain', '--bundle', 'incident.ndjson'], { files: files() });
    expect(end.out).toContain('failed after 1.0s, 4m54s ago, in action 1 of 1, "action-0": exit code 17 (no disk).');
    const then = await runTink(['explain', '--bundle', 'incident.ndjson', '--at', '5'], { files: files() });
    expect(then.out).toMatch(/has run action 1 of 1, .*\n/);
    expect(then.out).toContain('It usually takes 2.7s (median of 3).');
    expect(then.err).toBe('');
    const before = await runTink(['explain', '--bundle', 'incident.ndjson', '--at', '4'], { files: files() });
    expect(before.out).toMatch(/the worker comes up, or the workflow is recorded as late\. By 2026-.*, in /);
    const machine = await runTink(['explain', hardwareId, '--bundle', 'incident.ndjson'], { files: files() });
    expect(machine.out).toContain(`Machine ${hardwareId}`);
    const none = await runTink(['explain', 'x', '--bundle', 'incident.ndjson'], { files: files() });
    expect(none).toMatchObject({ code: 4, err: expect.stringContaining('x is not in the bundle') });
  });
});
