import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PublishedStream } from '@tinkerbell/messaging';
import { freePort } from '@tinkerbell/nats';
import type { CloudEvent } from '@tinkerbell/public-events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { machine, templateYaml } from '../testing/fixtures';
import { Harness } from '../testing/harness';
import type { Failure } from '../testing/rest-client';
import { WebhookReceiver } from '../testing/webhook-receiver';

interface Put {
  readonly name: string;
  readonly position: number;
  readonly changed: boolean;
  readonly secret?: string;
}

let harness: Harness;
let templates = 0;
const children: ChildProcess[] = [];

beforeAll(async () => {
  harness = await Harness.start({ TINK_WEBHOOK_NETWORKS: '127.0.0.0/8' });
});
afterAll(() => harness?.close());
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});

const put = (name: string, body: object) => harness.rest().put<Put & Failure>(`/api/subscriptions/${name}`, body);
const next = async (name: string, ack?: string, waitSeconds = 20): Promise<CloudEvent | undefined> => {
  const body = { waitSeconds, ...(ack === undefined ? {} : { ack }) };
  const answer = await harness.rest().post<CloudEvent>(`/api/subscriptions/${name}/next`, body);
  expect([200, 204]).toContain(answer.status);
  return answer.status === 200 ? answer.body : undefined;
};
async function createTemplate(): Promise<string> {
  const body = { name: `template-${++templates}`, data: templateYaml([{ actions: [{}] }]) };
  const answer = await harness.rest().post<{ id: string }>('/api/templates', body);
  expect(answer.status).toBe(201);
  return answer.body.id;
}

describe('a durable subscription', () => {
  it('hands out one event after the other, the same one until it is done', async () => {
    expect(await put('reader', { filters: ['template.*'] })).toMatchObject({ status: 200, body: { changed: true } });
    const [first, second] = [await createTemplate(), await createTemplate()];
    await harness.rest().post('/api/hardware', machine(1));
    const one = await next('reader');
    expect(one).toMatchObject({ specversion: '1.0', type: 'io.tink.template.created.v1', subject: first });
    expect(await next('reader')).toEqual(one);
    const two = await next('reader', one?.id);
    expect(two?.subject).toBe(second);
    expect(await next('reader', two?.id, 0)).toBeUndefined();
  });

  it('is where it was after the server was away, whichever of the two had the last word', async () => {
    await put('durable', { filters: ['template.*'], start: 'now' });
    const ids = [await createTemplate(), await createTemplate(), await createTemplate()];
    const one = await next('durable');
    expect(one?.subject).toBe(ids[0]);
    await harness.restart();
    const again = await next('durable');
    expect(again).toEqual(one);
    await harness.restart();
    // Its acknowledgement reaches another process than the one that handed it out.
    const two = await next('durable', one?.id, 50);
    expect(two?.subject).toBe(ids[1]);
    const three = await next('durable', two?.id);
    expect(three?.subject).toBe(ids[2]);
    expect(await next('durable', three?.id, 0)).toBeUndefined();
  });

  it('hands out batches, done up to the one that is acknowledged', async () => {
    const ids = [];
    for (let i = 0; i < 25; i++) ids.push(await createTemplate());
    const batch = async (body: object): Promise<readonly CloudEvent[]> => {
      const answer = await harness.rest().post<readonly CloudEvent[]>('/api/subscriptions/batches/next', body);
      if (answer.status === 204) return [];
      expect(answer.headers['content-type']).toContain('application/cloudevents-batch+json');
      return answer.body;
    };
    // All of them are published when the last one is.
    await put('last', { filters: [`template.*.${ids.at(-1) ?? ''}`], start: 'first' });
    expect((await next('last'))?.subject).toBe(ids.at(-1));
    await put('batches', { filters: ids.map((id) => `template.*.${id}`), start: 'first' });
    const subjects = (events: readonly CloudEvent[]) => events.map(({ subject }) => subject);
    const one = await batch({ max: 10 });
    expect(subjects(one)).toEqual(ids.slice(0, 10));
    expect(await batch({ max: 10 })).toEqual(one);
    expect(await batch({ max: 3, ack: 'nobody’s' })).toEqual(one.slice(0, 3));
    // Acknowledged is what was handed out, and nothing further on.
    expect(await batch({ max: 10, ack: one[9]?.id })).toEqual(one);
    const two = await batch({ max: 10, ack: one[3]?.id });
    expect(subjects(two)).toEqual(ids.slice(4, 14));
    await harness.restart();
    expect(await batch({ max: 10 })).toEqual(two);
    expect((await next('batches', two[9]?.id))?.subject).toBe(ids[14]);
    const rest = await batch({ max: 100 });
    expect(subjects(rest)).toEqual(ids.slice(14));
    expect(await batch({ max: 100, ack: rest.at(-1)?.id, waitSeconds: 0 })).toEqual([]);
    const wrong = await harness.rest().post<Failure>('/api/subscriptions/batches/next', { max: 101 });
    expect(wrong).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('max') as string } },
    });
  });

  it('follows a changed filter within a batch', async () => {
    await put('changing', { filters: ['template.*'], start: 'now' });
    const ids = [await createTemplate(), await createTemplate()];
    const read = async (body: object) => {
      const all = { max: 9, ...body };
      return (await harness.rest().post<readonly CloudEvent[]>('/api/subscriptions/changing/next', all)).body;
    };
    const published = async (id: string) => {
      await put(`published-${id}`, { filters: [`template.*.${id}`], start: 'first' });
      expect((await next(`published-${id}`))?.subject).toBe(id);
    };
    await published(ids[1] ?? '');
    const given = await read({});
    expect(given.map(({ subject }) => subject)).toEqual(ids);
    await put('changing', { filters: ['template.*', 'hardware.*'] });
    const { id: hardware } = machine(7);
    await harness.rest().post('/api/hardware', machine(7));
    const last = await createTemplate();
    await published(last);
    expect((await read({ ack: given[1]?.id })).map(({ subject }) => subject)).toEqual([hardware, last]);
  });

  it('keeps the filters that were decided last, whoever writes them last', async () => {
    const connection = await harness.nats.connect();
    const stream = new PublishedStream(connection);
    const durable = { name: 'sub_late_1', since: new Date().toISOString() };
    const [leases, templates] = [['tink.pub.*.lease.>'], ['tink.pub.*.template.>']];
    await stream.ensureDurable({ ...durable, position: 3, subjects: leases });
    await stream.ensureDurable({ ...durable, position: 5, subjects: templates });
    // A server whose read model is behind.
    await stream.ensureDurable({ ...durable, position: 3, subjects: leases });
    const manager = await connection.jetstreamManager();
    const { config } = await manager.consumers.info('TINK_PUB', durable.name);
    expect(config.filter_subjects ?? [config.filter_subject]).toEqual(templates);
    await stream.ensureDurable({ ...durable, position: 8, subjects: leases });
    const changed = await manager.consumers.info('TINK_PUB', durable.name);
    expect(changed.config.filter_subjects ?? [changed.config.filter_subject]).toEqual(leases);
    await stream.removeDurable(durable.name);
  });

  it('begins where it is told to', async () => {
    const before = await createTemplate();
    const at = await put('from-now', { filters: ['template.*'], start: 'now' });
    const after = await createTemplate();
    const events = `/api/events?aggregate=template&id=${after}`;
    const [fact] = (await harness.rest().get(events)).text.split('\n');
    const { position, at: time } = JSON.parse(fact ?? '') as { position: number; at: string };
    await put('from-first', { filters: [`template.*.${before}`], start: 'first' });
    await put('from-position', { filters: ['template.*'], start: String(position) });
    await put('from-time', { filters: [`template.*.${after}`], start: time });
    await put('from-later', { filters: [`template.*`], start: String(position + 1000) });
    expect(at.body.position).toBeLessThan(position);
    expect((await next('from-now'))?.subject).toBe(after);
    expect((await next('from-first'))?.subject).toBe(before);
    expect((await next('from-position'))?.subject).toBe(after);
    expect((await next('from-time'))?.subject).toBe(after);
    expect(await next('from-later', undefined, 0)).toBeUndefined();
  });

  it('can be listed, changed and deleted; created again it begins anew', async () => {
    await put('short', { filters: ['lease.*'], start: 'first' });
    expect((await put('short', { filters: ['lease.*'] })).body).toMatchObject({ changed: false });
    expect((await put('short', { filters: ['template.*'] })).body).toMatchObject({ changed: true });
    const created = await createTemplate();
    const shown = await harness.rest().get('/api/subscriptions/short');
    expect(shown.body).toMatchObject({ name: 'short', filters: ['template.*'], webhook: null, deadLetters: 0 });
    const list = await harness.rest().get<readonly { name: string }[]>('/api/subscriptions');
    expect(list.body.map(({ name }) => name)).toContain('short');
    // Older ones may come or not: a changed filter is for what comes after.
    let one = await next('short');
    while (one && one.subject !== created) one = await next('short', one.id);
    expect(one).toBeDefined();
    await next('short', one?.id, 0);
    expect((await harness.rest().delete('/api/subscriptions/short')).status).toBe(200);
    expect((await harness.rest().get('/api/subscriptions/short')).status).toBe(404);
    await put('short', { filters: [`template.*.${created}`], start: 'first' });
    expect(await next('short')).toEqual(one);
    const manager = await (await harness.nats.connect()).jetstreamManager();
    const consumers = async () => {
      const names: string[] = [];
      for await (const { name } of manager.consumers.list('TINK_PUB')) names.push(name);
      return names.filter((name) => name.startsWith('sub_short_'));
    };
    await expect.poll(consumers).toHaveLength(1);
  });

  it.each<[string, string, object, number, string]>([
    ['a name with a dot', 'a.b', {}, 400, 'name'],
    ['an unknown event', 'bad', { filters: ['template.*', 'workflow.nope'] }, 400, 'filters[1]'],
    ['a start that is none', 'bad', { start: 'yesterday' }, 400, 'start'],
    ['an unknown field', 'bad', { filter: [] }, 400, 'filter'],
    ['a private address', 'bad', { webhook: { url: 'http://10.0.0.1/' } }, 400, 'webhook.url'],
    ['no address', 'bad', { webhook: {} }, 400, 'webhook.url'],
    ['a weak secret', 'bad', { webhook: { url: 'https://a.example', secret: 'x' } }, 400, 'webhook.secret'],
    ['another start', 'reader', { filters: [], start: 'first' }, 409, 'start'],
    ['a webhook later', 'reader', { webhook: { url: 'https://a.example/' } }, 409, 'webhook'],
  ])('is refused with %s', async (_, name, body, status, field) => {
    const refused = await put(name, body);
    expect(refused).toMatchObject({ status, body: { error: { field } } });
    expect((await harness.rest().get('/api/subscriptions/bad')).status).toBe(404);
  });
});

describe('a webhook subscription', () => {
  it('is told its secret once, and the secret is not in the log', async () => {
    const receiver = await WebhookReceiver.start();
    try {
      const created = await put('hook', { filters: ['template.created'], webhook: { url: receiver.url } });
      expect(created.body.secret).toMatch(/^whsec_/);
      expect(
        (await put('hook', { filters: ['template.created'], webhook: { url: receiver.url } })).body,
      ).not.toHaveProperty('secret');
      const id = await createTemplate();
      await expect.poll(() => receiver.received.length).toBe(1);
      expect(receiver.received[0]?.headers['ce-subject']).toBe(id);
      const log = await harness.rest().get('/api/events');
      expect(log.text).toContain('SubscriptionCreated');
      expect(log.text).not.toContain('whsec_');
      expect((await harness.rest().get('/api/subscriptions')).text).not.toContain('whsec_');
      const read = await harness.rest().post<Failure>('/api/subscriptions/hook/next', {});
      expect(read).toMatchObject({ status: 409, body: { error: { field: 'webhook' } } });

      receiver.answer = () => ({ status: 410 });
      await createTemplate();
      const status = async () => (await harness.rest().get('/api/subscriptions/hook')).body;
      await expect.poll(status).toMatchObject({ status: 'disabled' });
      receiver.answer = () => ({ status: 200 });
      await put('hook', { filters: ['template.created'], webhook: { url: receiver.url } });
      await expect.poll(() => receiver.received.length, { timeout: 60_000 }).toBe(3);
      expect(await status()).toMatchObject({ status: 'active', reason: '', deadLetters: 0 });
      const sent = await harness.rest().post('/api/subscriptions/hook/redeliver', { event: receiver.ids[0] });
      expect(JSON.parse(sent.text)).toEqual({
        eventId: receiver.ids[0],
        ok: true,
        status: 200,
        reason: 'answered 200',
      });
    } finally {
      await receiver.close();
    }
  });
});

describe('public events', () => {
  it('are described: schemas and the AsyncAPI document', async () => {
    const list = await harness.rest().get<readonly { id: string; schema: string }[]>('/api/public-events');
    expect(list.body.map(({ id }) => id)).toContain('workflow.action-succeeded.v1');
    const schema = await harness.rest().get(list.body[0]?.schema ?? '');
    expect(schema.body).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' });
    expect((await harness.rest().get('/api/public-events/nope.v1')).status).toBe(404);
    expect((await harness.rest().get('/api/public-events/asyncapi')).body).toMatchObject({
      ...{ asyncapi: '3.0.0', info: { version: '1.2.3-test' } },
    });
  });
});

describe('the examples of the documentation', () => {
  const run = (command: string, args: readonly string[], env: Readonly<Record<string, string>>) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    return lines;
  };
  const server = () => `http://127.0.0.1:${harness.server.http.port}`;

  it('read_events.py reads durably with nothing but the standard library of Python', async () => {
    const first = await createTemplate();
    const lines = run('python3', ['docs/examples/read_events.py', 'python'], { TINK_SERVER: server() });
    await expect.poll(() => lines.some((line) => line.includes(first)), { timeout: 60_000 }).toBe(true);
    const child = children.at(-1);
    child?.kill('SIGKILL');
    const second = await createTemplate();
    const more = run('python3', ['docs/examples/read_events.py', 'python'], { TINK_SERVER: server() });
    await expect.poll(() => more.some((line) => line.includes(second)), { timeout: 60_000 }).toBe(true);
    // At most the very last one comes again.
    expect(more.filter((line) => lines.slice(0, -1).includes(line))).toEqual([]);
  });

  it('webhook-receiver.mjs takes what is signed, and nothing else', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/`;
    const { body } = await put('node', { filters: ['template.created'], webhook: { url } });
    const env = { WEBHOOK_SECRET: body.secret ?? '', PORT: String(port) };
    const lines = run(process.execPath, ['docs/examples/webhook-receiver.mjs'], env);
    const post = (headers: Record<string, string>) => fetch(url, { method: 'POST', body: '{}', headers });
    await expect
      .poll(
        () =>
          post({}).then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 30_000 },
      )
      .toBe(401);
    const now = String(Math.floor(Date.now() / 1000));
    const forged = await post({ 'webhook-id': '1-0', 'webhook-timestamp': now, 'webhook-signature': 'v1,AAAA' });
    expect(forged.status).toBe(401);
    const id = await createTemplate();
    await expect
      .poll(() => lines, { timeout: 60_000 })
      .toEqual([expect.stringContaining(`io.tink.template.created.v1 ${id} {"name":`)]);
  });
});
