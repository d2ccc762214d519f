import { randomUUID } from 'node:crypto';
import type { BootEvent } from '@tinkerbell/events';
import { rowsOf, readBundle, redactBundle, type Explanation } from '@tinkerbell/history';
import { NatsBus, subjects, type NextReply } from '@tinkerbell/messaging';
import { workflowList } from '@tinkerbell/projections';
import { bootFileServed, bootRequestFailed, bootScriptServed, netbootOffered, osieStarted } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { machine, templateYaml } from '../testing/fixtures';
import { Harness } from '../testing/harness';
import type { Failure, RestClient } from '../testing/rest-client';
import type { BootHistoryOf } from './boot-history';
import type { RowChange } from './row-changes';

interface Written {
  readonly id: string;
  readonly position: number;
}

let harness: Harness;
let rest: RestClient;
const [one, two, three] = [machine(1), machine(2), machine(3)];
let workflowId = '';
/** Of the log: after the hardware, the template, its change, the workflow, the run. */
const at = { hardware: 0, template: 0, renamed: 0, ordered: 0, done: 0 };
const times: { before: string; ordered: string } = { before: '', ordered: '' };

const write = async (method: 'post' | 'put', path: string, body: unknown): Promise<Written> => {
  const answer = await rest[method]<Written>(path, body);
  expect(answer).toMatchObject({ status: expect.toSatisfy((status: number) => status < 300) });
  return answer.body;
};
const get = async <T>(path: string): Promise<T> => (await rest.get<T>(path)).body;
const failure = async (path: string) => {
  const { status, body } = await rest.get<Failure>(path);
  return { status, ...body.error };
};
const position = () => harness.store.lastPosition();
/** A moment that no commit shares: times of the log have milliseconds. */
async function moment(): Promise<string> {
  const tick = async () => {
    const began = Date.now();
    while (Date.now() <= began + 1) await new Promise((resolve) => setImmediate(resolve));
  };
  await tick();
  const now = new Date().toISOString();
  await tick();
  return now;
}

beforeAll(async () => {
  harness = await Harness.start();
  rest = harness.rest();
  times.before = await moment();
  for (const each of [one, two]) ({ position: at.hardware } = await write('post', '/api/hardware', each));
  const secret = { image: 'hello-world', environment: { PASSWORD: 'correct horse battery' } };
  const data = templateYaml([{ actions: [secret, { image: 'hello-world' }] }]);
  const template = await write('post', '/api/templates', { name: 'install', data });
  at.template = template.position;
  at.renamed = (await write('put', `/api/templates/${template.id}`, { name: 'renamed' })).position;
  const hardware = { device_1: one.mac };
  ({ id: workflowId, position: at.ordered } = await write('post', '/api/workflows', { template: 'renamed', hardware }));
  times.ordered = await moment();
  const worker = await harness.worker(one.id);
  for (const index of [0, 1]) {
    const isNext = ({ assignment }: NextReply) => assignment?.index === index;
    const { assignment } = await worker.until(() => worker.next(), isNext);
    if (!assignment) throw new Error('nothing was assigned');
    await worker.started(assignment);
    await worker.log(assignment, `line ${index}: correct horse battery`);
    await worker.finished(assignment);
  }
  await vi.waitFor(async () => expect(await get(`/api/workflows/${workflowId}`)).toMatchObject({ status: 'success' }), {
    timeout: 60_000,
  });
  at.done = await position();
});
afterAll(() => harness.close());

describe('?at=', () => {
  it('shows every list and thing as it was, by position and by time', async () => {
    expect(await get(`/api/hardware?at=0`)).toEqual([]);
    expect(await get(`/api/hardware?at=${at.hardware - 1}`)).toHaveLength(1);
    expect(await get(`/api/hardware/${two.id}?at=${at.hardware}`)).toMatchObject({ hardware: { id: two.id } });
    expect(await get(`/api/templates?at=${at.template}`)).toMatchObject([{ name: 'install' }]);
    expect(await get(`/api/templates/install?at=${at.template}`)).toMatchObject({ name: 'install' });
    expect(await get(`/api/templates/renamed?at=${at.renamed}`)).toMatchObject({ name: 'renamed' });
    expect(await get(`/api/workflows?at=${at.renamed}`)).toEqual([]);
    for (const then of [String(at.ordered), times.ordered]) {
      expect(await get(`/api/workflows/${workflowId}?at=${then}`)).toMatchObject({
        status: 'pending',
        waiting: expect.stringContaining('to come up'),
      });
      expect(await get(`/api/workflows?at=${then}&status=pending&limit=5`)).toMatchObject({
        items: [{ id: workflowId }],
      });
      expect(await get(`/api/workflows?at=${then}&status=success`)).toEqual([]);
    }
    expect(await get(`/api/workflows?at=${times.before}`)).toEqual([]);
    const now = await get<object>(`/api/workflows/${workflowId}`);
    expect(await get(`/api/workflows/${workflowId}?at=${at.done}`)).toEqual(now);
    expect(await get(`/api/machines?at=${at.hardware}`)).toMatchObject([{ step: 'off' }, { step: 'off' }]);
    expect(await get(`/api/machines/${one.mac}?at=${at.hardware}`)).toMatchObject({ id: one.id, mac: one.mac });
    expect(await get(`/api/leases?at=${at.done}`)).toEqual([]);
  });

  it('shows secrets and subscriptions as they were', async () => {
    const before = await position();
    expect((await rest.put('/api/secrets/db', { value: 'one' })).status).toBe(200);
    expect((await rest.put('/api/subscriptions/ops', { filters: ['template.*'] })).status).toBe(200);
    const then = await position();
    expect((await rest.put('/api/secrets/db', { value: 'two' })).status).toBe(200);
    expect((await rest.delete('/api/subscriptions/ops')).status).toBe(200);
    expect(await get(`/api/secrets?at=${before}`)).toEqual([]);
    expect(await get(`/api/secrets?at=${then}`)).toMatchObject([{ name: 'db', version: 1 }]);
    expect(await get(`/api/secrets/db?at=${then}`)).toMatchObject({ version: 1 });
    expect(await get('/api/secrets/db')).toMatchObject({ version: 2 });
    expect(await get(`/api/subscriptions?at=${then}`)).toMatchObject([{ name: 'ops', filters: ['template.*'] }]);
    expect(await get(`/api/subscriptions/ops?at=${then}`)).toMatchObject({ name: 'ops' });
    expect(await get(`/api/subscriptions/ops/dead-letters?at=${then}`)).toEqual([]);
    expect(await failure('/api/subscriptions/ops')).toMatchObject({ status: 404 });
    const message = expect.stringContaining(`not found at position ${before}: its first event is at`) as unknown;
    for (const path of ['secrets/db', 'subscriptions/ops'])
      expect(await failure(`/api/${path}?at=${before}`)).toMatchObject({ status: 404, message });
  });

  it('goes from page to page', async () => {
    const first = await get<{ readonly next: string }>(`/api/hardware?at=${at.hardware}&limit=1`);
    expect(first).toMatchObject({ items: [{ hardware: { id: one.id } }], next: one.id });
    const second = await get(`/api/hardware?at=${at.hardware}&limit=1&after=${first.next}`);
    expect(second).toEqual({ items: [expect.objectContaining({ position: at.hardware })] });
  });

  it('says precisely what is not there', async () => {
    expect(await failure(`/api/workflows/${workflowId}?at=${at.renamed}`)).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
      message: expect.stringContaining(`not found at position ${at.renamed}: its first event is at ${at.ordered} (20`),
    });
    expect(await failure('/api/hardware?at=999999')).toMatchObject({ status: 400, code: 'INVALID', field: 'at' });
    expect(await failure('/api/hardware?at=2999-01-01')).toMatchObject({ status: 400, field: 'at' });
    expect(await failure(`/api/hardware?at=1&minSeq=${at.hardware}`)).toMatchObject({ status: 400, field: 'at' });
  });
});

describe('/api/diff', () => {
  const diff = async (query: string): Promise<readonly RowChange[]> => {
    const changes: RowChange[] = [];
    for await (const change of rest.lines<RowChange>(`/api/diff?${query}`)) changes.push(change);
    return changes;
  };

  it('names what appeared and what changed, field by field', async () => {
    expect(await diff(`from=${at.hardware}&to=${at.renamed}`)).toMatchObject([
      { kind: 'template', name: 'renamed', change: 'appeared', row: { name: 'renamed' } },
    ]);
    const [change, ...others] = await diff(`from=${at.template}&to=${at.renamed}`);
    expect(others).toEqual([]);
    expect(change).toMatchObject({
      change: 'changed',
      fields: expect.arrayContaining([{ path: 'name', from: 'install', to: 'renamed' }]),
    });
    const [run] = await diff(`from=${times.ordered}&kind=workflow&id=${workflowId}`);
    expect(run).toMatchObject({
      fields: expect.arrayContaining([
        { path: 'status', from: 'pending', to: 'success' },
        { path: 'actions[1].status', from: 'pending', to: 'success' },
      ]),
    });
    expect(await diff(`from=${at.done}`)).toEqual([]);
    expect(await diff(`from=0&id=${two.id.toUpperCase()}`)).toMatchObject([{ kind: 'hardware' }, { kind: 'machine' }]);
  });

  it('names what vanished', async () => {
    const gone = machine(3);
    const before = (await write('post', '/api/hardware', gone)).position;
    await rest.delete(`/api/hardware/${gone.id}`);
    expect(await diff(`from=${before}&to=${before + 1}&kind=hardware`)).toMatchObject([
      { id: gone.id, name: 'server3', change: 'vanished', row: { hardware: { id: gone.id } } },
    ]);
  });

  it('refuses what makes no sense', async () => {
    expect(await failure('/api/diff')).toMatchObject({ status: 400, field: 'from' });
    expect(await failure('/api/diff?from=3&to=2')).toMatchObject({ status: 400, field: 'from' });
    expect(await failure('/api/diff?from=1&kind=thing')).toMatchObject({ status: 400, field: 'kind' });
    expect(await failure('/api/diff?from=1&to=soon')).toMatchObject({ status: 400, field: 'to' });
  });
});

describe('/api/explain', () => {
  it('explains a workflow and its machine, then and now', async () => {
    const now = await get<Explanation>(`/api/explain/workflows/${workflowId}`);
    expect(now.state).toContain('succeeded after');
    expect(now.causes.map(({ type }) => type)).toEqual([
      'HardwareRegistered',
      'TemplateUpdated',
      'WorkflowCreated',
      'ActionSucceeded',
      'ActionSucceeded',
      'WorkflowFinished',
    ]);
    const then = await get<Explanation>(`/api/explain/machines/${one.mac}?at=${times.ordered}`);
    expect(then).toMatchObject({ kind: 'machine', id: one.id, at: times.ordered, position: at.ordered });
    expect(then.waiting?.text).toContain('powered on');
    // Measured in the meantime.
    const next = then.expected.find(({ text }) => text.includes('"action-0" runs'));
    expect(next?.usual).toMatchObject({ count: 1 });
  });

  it('finds a machine by whatever it is called, and the nearest of what is not there', async () => {
    for (const name of [one.id, one.mac, one.ip, 'SERVER1']) {
      expect(await get(`/api/explain/machines/${name}`)).toMatchObject({ id: one.id });
    }
    expect(await failure('/api/explain/machines/servr1')).toMatchObject({
      status: 404,
      message: 'machine servr1 not found; did you mean server1?',
    });
    const wrong = `${workflowId.slice(0, -1)}${workflowId.endsWith('0') ? '1' : '0'}`;
    expect(await failure(`/api/explain/workflows/${wrong}`)).toMatchObject({
      status: 404,
      message: `workflow ${wrong} not found; did you mean ${workflowId}?`,
    });
  });
});

describe('/api/bundle', () => {
  it.each(['workflow', 'machine'] as const)(
    'is a slice of the log that makes the same rows elsewhere: %s',
    async (kind) => {
      const id = kind === 'workflow' ? workflowId : one.id;
      const { text, headers } = await rest.get(`/api/bundle/${kind}s/${id}`);
      expect(headers['content-type']).toContain('ndjson');
      expect(text).not.toContain('correct horse');
      const bundle = readBundle(text);
      expect(bundle.header).toMatchObject({ kind, id });
      expect(bundle.lines.map(({ line }) => line)).toEqual(['line 0: [removed]', 'line 1: [removed]']);
      const { events } = await harness.store.read(subjects.stream('workflow', workflowId));
      const whole = { ...bundle, events: events as typeof bundle.events };
      const row = rowsOf(workflowList, whole.events).get(workflowId);
      expect(rowsOf(workflowList, bundle.events).get(workflowId)).toEqual(redactBundle(whole).redact(row));
      expect(row?.status).toBe('success');
      expect([...bundle.durations.keys()]).toContain('image:hello-world');
    },
  );

  it('is an error before its first line when there is nothing', async () =>
    expect(await failure('/api/bundle/machines/nobody')).toMatchObject({ status: 404, code: 'NOT_FOUND' }));
});

/** As boots writes it. */
async function append(id: string, event: BootEvent): Promise<number> {
  const stream = subjects.stream('boot', id);
  const { head } = await harness.store.read(stream);
  const metadata = { id: randomUUID(), actor: 'service:boots', correlationId: 'c' };
  const appended = await harness.store.append(stream, [event], { expected: head, metadata });
  await get(`/api/leases?minSeq=${appended.head.position}`);
  return appended.head.position;
}

describe('the boots of a machine', () => {
  it('are one trace for each power-on, newest first', async () => {
    const mac = one.mac.replaceAll(':', '-');
    expect(await get(`/api/machines/${one.mac}/boots`)).toMatchObject({ id: one.id, attempts: [] });
    await append(mac, netbootOffered({ mac, hardwareId: one.id }));
    const loaded = await append(mac, bootFileServed({ mac, hardwareId: one.id }));
    await append(mac, netbootOffered({ mac, hardwareId: one.id }));
    expect(await get(`/api/machines/${one.mac}/boots`)).toMatchObject({
      mac: one.mac,
      attempts: [
        { outcome: 'under-way', steps: [{ step: 'dhcp' }] },
        { outcome: 'replaced', steps: [{ step: 'dhcp' }, { step: 'tftp' }] },
      ],
    });
    expect(await get(`/api/machines/${one.id}/boots?at=${loaded}`)).toMatchObject({
      attempts: [{ outcome: 'under-way', verdict: expect.stringContaining('reached tftp 0s ago') }],
    });
    expect(await get(`/api/machines/${one.id}/boots?limit=1`)).toMatchObject({ attempts: [{}] });
  });

  it('come with what was not served, of a MAC that no record has too', async () => {
    const stranger = '52-54-00-77-77-77';
    const failed = { mac: stranger, hardwareId: null, reason: 'unknown-machine', detail: 'discover' };
    await append(stranger, bootRequestFailed({ ...failed, count: 1 }));
    await append(stranger, bootRequestFailed({ ...failed, count: 4, lastAt: '2026-01-01T00:05:00.000Z' }));
    expect(await get('/api/machines/52:54:00:77:77:77/boots')).toMatchObject({
      ...{ id: '', mac: '52:54:00:77:77:77', attempts: [] },
      failed: [
        {
          ...{ reason: 'unknown-machine', text: 'DHCP: no hardware record has this MAC (discover)', count: 5 },
          ...{ firstAt: '2026-01-01T00:00:00.000Z', lastAt: '2026-01-01T00:05:00.000Z' },
        },
      ],
    });
    expect(await failure('/api/machines/52:54:00:77:77:78/boots')).toMatchObject({
      status: 404,
      message: '52:54:00:77:77:78 has no hardware record; it has no lease and did not ask for a boot file',
    });
  });

  it('are those of a machine without a record too, up to its kernel', async () => {
    const nobody = { mac: '52-54-00-77-77-79', hardwareId: null };
    await append(nobody.mac, netbootOffered(nobody));
    await append(nobody.mac, bootFileServed(nobody));
    await append(nobody.mac, bootScriptServed({ ...nobody, script: 'discovery' }));
    await append(nobody.mac, bootFileServed({ ...nobody, protocol: 'http', role: 'kernel', file: 'vmlinuz' }));
    await append(nobody.mac, osieStarted(0, nobody));
    const steps = ['dhcp', 'tftp', 'http', 'http', 'kernel', 'osie'].map((step) => ({ step }));
    expect(await get('/api/machines/52:54:00:77:77:79/boots')).toMatchObject({
      ...{ id: nobody.mac, mac: '52:54:00:77:77:79' },
      attempts: [{ steps }],
    });
  });

  it('are by a MAC those of that card, not of the one that the record had before', async () => {
    const [old, fresh] = [three.mac, '52:54:00:12:34:56'];
    await write('post', '/api/hardware', three);
    const seen = async (mac: string) => {
      const heard = { mac: mac.replaceAll(':', '-'), hardwareId: three.id };
      await append(heard.mac, netbootOffered(heard));
      await append(heard.mac, bootFileServed(heard));
    };
    await seen(old);
    await write('post', '/api/hardware', JSON.parse(JSON.stringify(three).replaceAll(old, fresh)));
    const attemptsOf = async (name: string) =>
      (await get<BootHistoryOf>(`/api/machines/${name}/boots`)).attempts.map(({ steps }) => steps.length);
    expect(await attemptsOf(fresh)).toEqual([]);
    await seen(fresh);
    expect(await attemptsOf(fresh)).toEqual([2]);
    expect(await attemptsOf(three.id)).toEqual([2, 2]);
  });

  it('say what they do not know', async () => {
    expect(await failure('/api/machines/nobody/boots')).toMatchObject({ status: 404 });
    expect(await failure(`/api/machines/${one.id}/boots?limit=0`)).toMatchObject({ status: 400, field: 'limit' });
  });
});

describe('what a machine sends by syslog', () => {
  it('is read over REST, from a moment on', async () => {
    const line = (text: string, at: string) => ({
      ...{ at, mac: one.mac.replaceAll(':', '-'), address: one.ip, facility: 'kern', severity: 'info' },
      ...{ sentAt: null, host: '', app: 'kernel', pid: '', line: text },
    });
    const bus = await NatsBus.connect({ ...harness.nats.engine, name: 'boots' });
    await bus.publishMachineLine(subjects.machineLog(one.id), line('one', new Date().toISOString()));
    const then = await moment();
    await bus.publishMachineLine(subjects.machineLog(one.id, 'wf'), line('two', new Date().toISOString()));
    await bus.close();
    const read = async (query: string) =>
      (await rest.get(`/api/machines/${one.mac}/logs${query}`)).text
        .split('\n')
        .filter((text) => text !== '')
        .map((text): unknown => JSON.parse(text));
    expect(await read('')).toMatchObject([
      { line: 'one', workflowId: null, hardwareId: one.id, mac: one.mac },
      { line: 'two', workflowId: 'wf' },
    ]);
    expect(await read(`?since=${then}`)).toMatchObject([{ line: 'two' }]);
    expect(await failure('/api/machines/nobody/logs')).toMatchObject({ status: 404 });
  });

  it('is that of a machine without a record too, also when it has one by then', async () => {
    const [stranger, early] = ['52-54-00-77-77-7a', one.mac.replaceAll(':', '-')];
    const line = (mac: string, text: string) => ({
      ...{ at: new Date().toISOString(), mac, address: '10.0.0.9', facility: 'kern', severity: 'info' },
      ...{ sentAt: null, host: '', app: 'kernel', pid: '', line: text },
    });
    const bus = await NatsBus.connect({ ...harness.nats.engine, name: 'boots' });
    for (const mac of [stranger, early]) await bus.publishMachineLine(subjects.machineLog(mac), line(mac, 'who am I'));
    await bus.publishMachineLine(subjects.machineLog(one.id), line(early, 'somebody'));
    await bus.close();
    const read = async (name: string) =>
      (await rest.get(`/api/machines/${name}/logs`)).text
        .split('\n')
        .filter((text) => text !== '')
        .map((text): unknown => JSON.parse(text));
    expect(await read('52:54:00:77:77:7a')).toMatchObject([{ line: 'who am I', hardwareId: null }]);
    expect((await read(one.mac)).slice(-2)).toMatchObject([
      { line: 'who am I', hardwareId: null },
      { line: 'somebody', hardwareId: one.id },
    ]);
    expect(await read('52:54:00:77:77:7b')).toEqual([]);
    // Its boots without a record are a row of their own, and the MAC is still the name of the machine.
    await append(early, netbootOffered({ mac: early, hardwareId: null }));
    expect(await get(`/api/machines/${one.mac}`)).toMatchObject({ id: one.id });
  });
});
