import {
  actionFailed,
  actionStarted,
  hardwareId,
  hardwareRecord,
  hardwareRegistered,
  hardwareUpdated,
  leaseBound,
  netbootOffered,
  recorded,
  templateCreated,
  templateDeleted,
  workflowCreated,
  workflowDeleted,
} from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTinkServer } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';
import { hardwareItem, templateId, workflowId, workflowItem } from '../testing/samples';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

const history = [
  ...recorded('hardware', hardwareId, [hardwareRegistered()], 1),
  ...recorded('lease', 'default', [leaseBound()], 2),
  ...recorded('workflow', workflowId, [workflowCreated(2), actionStarted(0), actionFailed(0)], 3),
  ...recorded('template', templateId, [templateCreated()], 6),
];
const words = (out: string) =>
  out
    .trimEnd()
    .split('\n')
    .map((text) => text.replace(/^\S+( \d\d:\S+)? +\S+ +\S+ +/, ''));

describe('tink events', () => {
  it.each([['events'], ['events', 'list']])('%s tells the story, oldest first', async (...args) => {
    fake.events(history);
    const { out, code } = await runTink(args, { server });
    expect(code).toBe(0);
    expect(words(out)).toEqual([
      'hardware registered by test: server001 08:00:27:00:00:01 192.168.1.5',
      expect.stringMatching(/^DHCP lease: /) as string,
      'workflow created by test from template hello, version 1, for device_1=08:00:27:00:00:01: 2 actions',
      'action-0 started',
      'action-0 failed after 3.0s: exit code 17 (no)',
      expect.stringMatching(/^template .* created by test, version 1$/) as string,
    ]);
    expect(out).toMatch(/ {2}workflow {2}2b3b6c1e {11}action-0 started\n/);
  });

  it('asks for the last hour, or for everything about something', async () => {
    fake.events(history);
    const urlOf = async (...args: readonly string[]) => {
      await runTink(['events', ...args], { server });
      return decodeURIComponent(fake.asked.findLast(({ url }) => url.startsWith('/api/events'))?.url ?? '');
    };
    expect(await urlOf()).toBe('/api/events?since=2025-12-31T23:10:00.000Z');
    expect(await urlOf('--from', '2h')).toBe('/api/events?since=2025-12-31T22:10:00.000Z');
    expect(await urlOf('--from', 'all', '--type', 'lease')).toBe('/api/events?aggregate=lease');
    expect(await urlOf('--from', 'all', '--type', 'ActionFailed')).toBe('/api/events?type=ActionFailed');
    expect(await urlOf('--from', 'all', '--type', 'actionfailed')).toBe('/api/events?type=ActionFailed');
    expect(await urlOf('--from', 'all', '--type', 'lease,ActionFailed')).toBe('/api/events');
    expect(await urlOf('--id', '08:00:27:00:00:01')).toBe('/api/events?id=08-00-27-00-00-01');
  });

  it('filters by several types and ids', async () => {
    fake.events(history);
    const { out } = await runTink(
      ['events', '--type', 'hardware', '--type', 'ActionFailed', '--id', `${hardwareId},${workflowId}`],
      { server },
    );
    expect(words(out)).toHaveLength(2);
    expect(words((await runTink(['events', '--last', '1'], { server })).out)).toHaveLength(1);
  });

  it('names actions of a workflow whose beginning is not shown, and numbers them when it is deleted', async () => {
    const late = recorded('workflow', workflowId, [actionStarted(1)], 9);
    fake.events(late).on(`GET /api/workflows/${workflowId}`, { json: workflowItem() });
    expect(words((await runTink(['events'], { server })).out)).toEqual(['write-image started']);
    const gone = recorded('workflow', '00000000-0000-4000-8000-000000000000', [actionStarted(1)], 9);
    fake.events(gone);
    expect(words((await runTink(['events'], { server })).out)).toEqual(['action 2 started']);
  });

  it('prints what was recorded with -o json, a line each', async () => {
    fake.events(history);
    const lines = (await runTink(['events', '-o', 'json'], { server })).out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(history);
    expect((await runTink(['events', '-o', 'wide'], { server })).out).toContain(`  workflow  ${workflowId}  `);
  });

  it('tells everything about one machine', async () => {
    const other = '99999999-0000-4000-8000-000000000000';
    const record = { ...hardwareItem().hardware, id: hardwareId };
    fake
      .on('GET /api/hardware', { json: [{ ...hardwareItem(), hardware: record }] })
      .on('GET /api/workflows', { json: [] });
    fake.events([
      ...history.slice(0, 5),
      ...recorded('hardware', other, [hardwareRegistered(hardwareRecord({ id: other }))], 8),
      ...recorded('workflow', other, [actionStarted(0)], 9),
      ...recorded('workflow', workflowId, [workflowDeleted()], 10),
    ]);
    const { out } = await runTink(['events', '--machine', 'server001', '-o', 'json'], { server });
    const positions = out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { position: number }).position);
    expect(positions).toEqual([1, 2, 3, 4, 5, 10]);
  });

  it('follows across a restart of the server, each event once', async () => {
    const stop = new AbortController();
    let connections = 0;
    fake.on('GET /api/events', ({ url }) => {
      connections++;
      if (connections === 1) return { lines: history.slice(0, 4), follow: true };
      expect(url).toContain('after=3');
      return { lines: history.slice(3), follow: true };
    });
    let shown = 0;
    const onLine = (text: string) => {
      if (!text.startsWith('{')) return;
      if (++shown === 4) fake.hangUp();
      if (shown === 6) stop.abort();
    };
    const ran = await runTink(['events', '-f', '-o', 'json'], { server, onLine, signal: stop.signal });
    expect(
      ran.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(history);
    expect(ran.err).toBe(`${server} broke off its answer; trying again\nconnected again\n`);
    expect(ran.code).toBe(130);
  });

  it('fails when the answer breaks off, so that nobody takes a part for the whole', async () => {
    fake.events(history.slice(0, 4), true);
    const onLine = (text: string) => {
      if (text.includes(' action-0 started')) fake.hangUp();
    };
    const ran = await runTink(['events'], { server, onLine });
    expect(ran.code).toBe(3);
    expect(words(ran.out)).toHaveLength(4);
    expect(ran.err).toBe(`Error: ${server} broke off its answer\nWhat came of it is not all of it: ask again.\n`);
  });

  it('refuses a type that does not exist, naming the nearest', async () => {
    const ran = await runTink(['events', '--type', 'ActionFaild'], { server });
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('did you mean ActionFailed?');
    expect((await runTink(['events', '--from', 'yesterday'], { server })).err).toContain(
      '--from does not understand "yesterday"',
    );
  });
});

describe('tink events watch', () => {
  const watch = async (args: readonly string[], count: number) => {
    const stop = new AbortController();
    const all = [
      ...history,
      ...recorded('template', templateId, [templateDeleted()], 7),
      ...recorded('hardware', hardwareId, [hardwareUpdated()], 8),
    ];
    // The last one is shown by every filter, so that the spec knows when to stop.
    fake.events(all, true);
    let shown = 0;
    const onLine = (text: string) => {
      if (text.startsWith('{') && ++shown === count) stop.abort();
    };
    const { out, err, code } = await runTink(['events', 'watch', ...args], { server, signal: stop.signal, onLine });
    expect(code).toBe(130);
    return {
      err,
      events: out
        .split('\n\n')
        .filter((text) => text !== '')
        .map((text) => JSON.parse(text) as Record<string, string>),
    };
  };

  it('prints what the original prints', async () => {
    const { events } = await watch([], 7);
    expect(events[0]).toEqual({
      id: '1-0',
      resource_id: hardwareId,
      resource_type: 'RESOURCE_TYPE_HARDWARE',
      event_type: 'EVENT_TYPE_CREATED',
      data: expect.stringContaining('"mac":"08:00:27:00:00:01"') as string,
      created_at: history[0]?.at,
    });
    expect(
      events.map(({ event_type, resource_type }) => `${event_type} ${resource_type}`.replaceAll(/[A-Z]+_TYPE_/g, '')),
    ).toEqual([
      'CREATED HARDWARE',
      'CREATED WORKFLOW',
      'UPDATED WORKFLOW',
      'UPDATED WORKFLOW',
      'CREATED TEMPLATE',
      'DELETED TEMPLATE',
      'UPDATED HARDWARE',
    ]);
  });

  it('filters by resource and change, all being ANDed, and begins five minutes ago', async () => {
    const { events, err } = await watch(
      ['-r', 'hardware', '-r', 'template', '-e', 'create', '-e', 'update', '-e', 'all', '-m', '15'],
      3,
    );
    expect(events.map(({ event_type }) => event_type)).toEqual([
      'EVENT_TYPE_CREATED',
      'EVENT_TYPE_CREATED',
      'EVENT_TYPE_UPDATED',
    ]);
    expect(err).toContain('ignoring "all" since specific event type(s) have been provided');
    expect(decodeURIComponent(fake.asked[0]?.url ?? '')).toContain('since=2025-12-31T23:55:00.000Z');
    await watch([], 1);
    expect(decodeURIComponent(fake.asked.at(-1)?.url ?? '')).toContain('since=2026-01-01T00:05:00.000Z');
  });

  it('takes one id only and refuses another', async () => {
    await watch(['-i', hardwareId], 1);
    expect(fake.asked[0]?.url).toContain(`id=${hardwareId}`);
    expect((await runTink(['events', 'watch', '-i', 'x'], { server })).code).toBe(2);
  });
});

describe('tink boot tail', () => {
  const mac = '02-50-00-00-00-09';
  const boots = [
    ...recorded('boot', mac, [netbootOffered({ mac, hardwareId: null })], 1),
    ...recorded('boot', '02-50-00-00-00-08', [netbootOffered({ mac: '02-50-00-00-00-08', hardwareId: null })], 2),
    ...recorded('workflow', workflowId, [workflowCreated(2)], 3),
    ...recorded('lease', 'default-v6', [leaseBound({ mac, ip: 'fd00::9' })], 4),
  ];
  const tail = async (...args: readonly string[]) => {
    const stop = new AbortController();
    fake.on('GET /api/hardware', { json: [] });
    fake.on('GET /api/events', { lines: boots, follow: true });
    const onLine = (text: string) => {
      if (text.includes('fd00::9')) stop.abort();
    };
    return (await runTink(['boot', 'tail', ...args], { server, onLine, signal: stop.signal })).out
      .trimEnd()
      .split('\n');
  };

  it('follows a machine that no record has, by its MAC', async () => {
    const lines = await tail('02:50:00:00:00:09');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toContain('02:50:00:00:00:09');
  });

  it('follows a machine by any name that boot show takes, and says what it waits for', async () => {
    const found = { id: 'x', hostname: '', mac: '02:50:00:00:00:09', ip: '192.0.2.9', attempts: [] };
    fake.on('GET /api/machines/192.0.2.9/boots', { json: found });
    const stop = new AbortController();
    fake.on('GET /api/hardware', { json: [] });
    fake.on('GET /api/events', { lines: boots, follow: true });
    const onLine = (text: string) => {
      if (text.includes('fd00::9')) stop.abort();
    };
    const { out, err } = await runTink(['boot', 'tail', '192.0.2.9'], { server, onLine, signal: stop.signal });
    expect(out.trimEnd().split('\n')).toHaveLength(2);
    expect(err).toBe('waiting for 192.0.2.9 to boot; Ctrl-C ends it\n');
  });

  it('says of a machine that is none what boot show says', async () => {
    const message = 'machine nosuch not found; did you mean node-1?';
    fake.on('GET /api/machines/nosuch/boots', { status: 404, json: { error: { code: 'NOT_FOUND', message } } });
    fake.on('GET /api/hardware', { json: [] });
    expect(await runTink(['boot', 'tail', 'nosuch'], { server })).toMatchObject({
      code: 4,
      err: `Error: ${message}\n`,
    });
  });

  it('has the events for programs', async () => {
    const lines = await tail('-o', 'json');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([boots[0], boots[1], boots[3]]);
  });

  it('names a pool of leases in full', async () => {
    fake.events(boots);
    const { out } = await runTink(['events', '--type', 'lease'], { server });
    expect(out).toMatch(/ lease +default-v6 +DHCP lease/);
  });
});
