import { createHmac } from 'node:crypto';
import { subscriptionDecider } from '@tinkerbell/domain';
import type { Event } from '@tinkerbell/events';
import { handle, JetStreamEventStore } from '@tinkerbell/event-store';
import {
  durableName,
  NatsBus,
  NatsSecretBucket,
  PublishedStream,
  subjects,
  webhookSecretsBucket,
} from '@tinkerbell/messaging';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { subscriptionList, type SubscriptionRow } from '@tinkerbell/projections';
import type { CloudEvent } from '@tinkerbell/public-events';
import { templateCreated } from '@tinkerbell/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allowedNetworks } from '../compat/allowed-networks';
import { Metrics } from '../metrics';
import { PublisherReactor } from '../publishing/publisher.reactor';
import { WebhookReceiver } from '../testing/webhook-receiver';
import { maxAttempts } from './back-off';
import { DeadLetters } from './dead-letters';
import { ensureDurable } from './subscription-keeper.reactor';
import { WebhookClient } from './webhook-client';
import { WebhookDelivery, type DeliveryPorts } from './webhook-delivery';
import { guardedLookup, mayConnect } from './webhook-target';
import { WebhookSecrets } from './webhook-secrets';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
let nats: TestNats;
let bus: NatsBus;
let store: JetStreamEventStore;
let receiver: WebhookReceiver;
let publisher: PublisherReactor;
let ports: DeliveryPorts;
/** What the deliveries waited for, in milliseconds: the clock never makes anybody wait. */
let bucket: NatsSecretBucket;
let waits: number[];
let runs: { readonly stop: AbortController; readonly ended: Promise<void> }[];

const may = mayConnect(allowedNetworks('127.0.0.0/8'));

beforeEach(async () => {
  nats = await startTestNats({ restart: false });
  bus = await NatsBus.connect({ servers: nats.url, name: 'test' });
  store = await JetStreamEventStore.fromConnection(bus.connection, { servers: nats.url, durability: 'fsync-each' });
  receiver = await WebhookReceiver.start();
  waits = [];
  runs = [];
  const stream = new PublishedStream(bus.connection);
  bucket = new NatsSecretBucket(bus.connection, webhookSecretsBucket);
  const secrets = new WebhookSecrets(bucket, Buffer.alloc(32, 1));
  const clock = {
    wait: async (milliseconds: number) => void waits.push(milliseconds),
    random: () => 1,
  };
  ports = { store, stream, secrets, sender: new WebhookClient({ may, timeoutMs: 30_000 }), clock };
  publisher = new PublisherReactor(store, stream, new Metrics());
  publisher.start();
});
afterEach(async () => {
  await Promise.all(runs.map(stopped));
  await publisher.close();
  await receiver.close();
  await store.close();
  await bus.close();
  await nats.stop();
});

async function stopped({ stop, ended }: (typeof runs)[number]): Promise<void> {
  stop.abort();
  await ended;
}

let commands = 0;
const metadata = () => ({ id: `c-${++commands}`, actor: 'user:ann' });
async function append(id: string, ...events: Event[]): Promise<number> {
  const stream = subjects.stream('template', id);
  const { head } = await store.read(stream);
  return (await store.append(stream, events, { expected: head, metadata: metadata() })).head.position;
}
async function subscribe(name: string, url = receiver.url, filters: readonly string[] = []): Promise<SubscriptionRow> {
  const from = { position: 0, time: new Date(0).toISOString() };
  const command = { type: 'PutSubscription', name, spec: { filters, webhook: { url } }, start: 'first', from } as const;
  await handle(store, subscriptionDecider, subjects.stream('subscription', name), command, metadata());
  await ports.secrets.put(name, secret);
  const row = await rowOf(name);
  await ensureDurable(ports.stream, row);
  return row;
}
async function rowOf(name: string): Promise<SubscriptionRow> {
  const { events } = await store.read(subjects.stream('subscription', name));
  const row = events.reduce<SubscriptionRow | undefined>(
    (before, each) => subscriptionList.evolve(before, each as Parameters<typeof subscriptionList.evolve>[1]),
    undefined,
  );
  if (!row) throw new Error(`no subscription ${name}`);
  return row;
}
function deliver(row: SubscriptionRow, change: Partial<DeliveryPorts> = {}): (typeof runs)[number] {
  const stop = new AbortController();
  const { webhook } = row;
  if (!webhook) throw new Error('no webhook');
  const run = { stop, ended: new WebhookDelivery({ ...ports, ...change }, { ...row, webhook }).run(stop.signal) };
  runs.push(run);
  return run;
}
const arrived = (count: number) =>
  expect.poll(() => receiver.received.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(count);
const deadLetters = async (name: string) => (await rowOf(name)).deadLetters;

describe('a webhook', () => {
  it('whose secret an earlier release stored as it is gets signed events, and the secret is sealed', async () => {
    const row = await subscribe('ops', receiver.url, ['template.*']);
    await bucket.put('ops', Buffer.from(secret));
    const stale = Buffer.from('whsec_another');
    expect(await bucket.replace('ops', stale, stale)).toBe(false);
    deliver(row);
    await append('t', templateCreated());
    await arrived(1);
    const stored = Buffer.from((await bucket.get('ops')) ?? []).toString('latin1');
    expect(stored).not.toBe('');
    expect(stored).not.toContain('whsec_');
    expect(await ports.secrets.get('ops')).toBe(secret);
    expect(await bucket.keys()).toEqual(['ops']);
  });
  it('gets signed CloudEvents, one after the other in the order of the log', async () => {
    deliver(await subscribe('ops', receiver.url, ['template.*']));
    const positions = [];
    for (let i = 0; i < 5; i++) positions.push(await append(`t-${i}`, templateCreated()));
    await arrived(5);
    expect(receiver.ids).toEqual(positions.map((position) => `${position}-0`));
    const [first] = receiver.received;
    expect(first?.headers).toMatchObject({
      ...{ 'ce-type': 'io.tink.template.created.v1', 'ce-subject': 't-0', 'content-type': 'application/json' },
      ...{ 'ce-specversion': '1.0', 'user-agent': 'tinkerbell-webhooks' },
    });
    expect(JSON.parse(first?.body ?? '')).toHaveProperty('bytes');
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = first?.headers ?? {};
    const key = Buffer.alloc(32, 7);
    const expected = createHmac('sha256', key)
      .update(`${String(id)}.${String(timestamp)}.${first?.body}`)
      .digest('base64');
    expect(signature).toBe(`v1,${expected}`);
    expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(300);
  });

  it('is tried again with longer pauses, and as Retry-After says', async () => {
    receiver.answer = (index) =>
      index === 2 ? { status: 429, headers: { 'retry-after': '77' } } : { status: index < 4 ? 503 : 200 };
    const row = await subscribe('ops');
    const position = await append('t', templateCreated());
    deliver(row);
    await arrived(5);
    expect(receiver.ids).toEqual(Array(5).fill(`${position}-0`));
    expect(waits).toEqual([1_000, 2_000, 77_000, 8_000]);
    expect(await deadLetters('ops')).toEqual([]);
  });

  it('that never takes an event leaves it a dead letter, and gets the next one', async () => {
    receiver.answer = (_, { headers }) => ({ status: headers['ce-subject'] === 'poison' ? 500 : 200 });
    deliver(await subscribe('ops'));
    const poison = await append('poison', templateCreated());
    await append('fine', templateCreated());
    await arrived(maxAttempts + 1);
    expect(receiver.ids.filter((id) => id === `${poison}-0`)).toHaveLength(maxAttempts);
    expect(waits).toHaveLength(maxAttempts - 1);
    await expect
      .poll(() => deadLetters('ops'))
      .toMatchObject([
        {
          ...{ eventId: `${poison}-0`, eventType: 'io.tink.template.created.v1', attempts: maxAttempts },
          ...{ status: 500, reason: 'answered 500' },
        },
      ]);
    // Mended, the receiver gets it after all; what was taken is no dead letter any more.
    const letters = new DeadLetters(store, ports.secrets, ports.sender);
    const redeliver = async (eventId?: string) => {
      const results = [];
      for await (const each of letters.redeliver(
        await rowOf('ops'),
        eventId,
        { actor: 'user:ann' },
        new AbortController().signal,
      ))
        results.push(each);
      return results;
    };
    expect(await redeliver()).toEqual([{ eventId: `${poison}-0`, ok: false, status: 500, reason: 'answered 500' }]);
    expect(await deadLetters('ops')).toHaveLength(1);
    receiver.answer = () => ({ status: 200 });
    expect(await redeliver(`${poison}-0`)).toMatchObject([{ ok: true }]);
    expect(receiver.ids.at(-1)).toBe(`${poison}-0`);
    expect(await deadLetters('ops')).toEqual([]);
    expect(await redeliver()).toEqual([]);
    await expect(redeliver('999999-0')).rejects.toThrow('public event 999999-0 not found');
    await expect(redeliver('nonsense')).rejects.toThrow('is not the id of an event');
  });

  it('that is gone (410) gets nothing more, and the event is kept for it', async () => {
    receiver.answer = () => ({ status: 410 });
    const row = await subscribe('ops');
    const run = deliver(row);
    const position = await append('t', templateCreated());
    await run.ended;
    expect(receiver.received).toHaveLength(1);
    expect(await rowOf('ops')).toMatchObject({ status: 'disabled', reason: 'the receiver answered 410 Gone' });
    receiver.answer = () => ({ status: 200 });
    deliver(row);
    await arrived(2);
    expect(receiver.ids.at(-1)).toBe(`${position}-0`);
  });

  it('goes on where it was after a restart, and the other one never waited for it', async () => {
    const other = await WebhookReceiver.start();
    try {
      const [slow, quick] = [await subscribe('slow'), await subscribe('quick', other.url)];
      receiver.answer = () => undefined;
      const run = deliver(slow);
      deliver(quick);
      const positions = [];
      for (let i = 0; i < 10; i++) positions.push(await append(`t-${i}`, templateCreated()));
      await expect.poll(() => other.ids.length, { timeout: 60_000 }).toBe(10);
      await arrived(1);
      expect(receiver.received).toHaveLength(1);
      await stopped(run);
      receiver.answer = () => ({ status: 200 });
      deliver(slow);
      await arrived(11);
      expect([...new Set(receiver.ids)]).toEqual(positions.map((position) => `${position}-0`));
      expect(await ports.stream.durables()).toHaveLength(2);
      await expect.poll(async () => (await ports.stream.durables()).map(({ pending }) => pending)).toEqual([0, 0]);
    } finally {
      await other.close();
    }
  });

  it('keeps its place across kill -9 of nats-server', { timeout: 120_000 }, async () => {
    const row = await subscribe('ops');
    deliver(row);
    const positions = [];
    for (let i = 0; i < 5; i++) positions.push(await append(`a-${i}`, templateCreated()));
    await arrived(5);
    await nats.server.kill();
    await nats.server.restart();
    for (let i = 0; i < 5; i++) positions.push(await append(`b-${i}`, templateCreated()));
    await expect
      .poll(() => [...new Set(receiver.ids)], { timeout: 60_000 })
      .toEqual(positions.map((position) => `${position}-0`));
    expect(durableName('ops', row.incarnation)).toBe(`sub_ops_${row.incarnation}`);
  });
});

describe('a request', () => {
  const event = sampleEvent();
  const post = (url: string, options: Partial<ConstructorParameters<typeof WebhookClient>[0]> = {}) =>
    new WebhookClient({ may, ...options }).post(url, secret, event, new AbortController().signal);

  it('is never sent to an address that is not allowed, whatever the name says', async () => {
    const strict = mayConnect(allowedNetworks(''));
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '169.254.169.254', '2130706433']) {
      const port = new URL(receiver.url).port;
      const refused = await post(`http://${host}:${port}/`, { may: strict, lookup: guardedLookup(strict) });
      expect(refused, host).toMatchObject({ ok: false, status: null });
      expect(refused.reason, host).toContain('is not a public address');
    }
    expect(receiver.received).toEqual([]);
  });

  it('follows no redirect', async () => {
    receiver.answer = () => ({ status: 302, headers: { location: receiver.url } });
    expect(await post(receiver.url)).toMatchObject({ ok: false, status: 302, reason: 'answered 302' });
    expect(receiver.received).toHaveLength(1);
  });

  it('gives up when no answer comes in time, and says so', async () => {
    receiver.answer = () => undefined;
    expect(await post(receiver.url, { timeoutMs: 200 })).toEqual({
      ...{ ok: false, status: null, reason: 'no answer within 0.2 s' },
    });
  });

  it('says why it could not be sent', async () => {
    const { url } = receiver;
    await receiver.close();
    const refused = await post(url);
    expect(refused.reason).toContain('ECONNREFUSED');
    receiver = await WebhookReceiver.start();
  });
});

function sampleEvent(): CloudEvent {
  return {
    specversion: '1.0',
    id: '1-0',
    type: 'io.tink.template.created.v1',
    source: '/tink/default',
    subject: 't',
    time: '2026-01-01T00:00:00.000Z',
    datacontenttype: 'application/json',
    dataschema: 'urn:tink:event:template.created.v1',
    sequence: '0000000000000001',
    actor: 'user:ann',
    data: { name: 't', bytes: 1 },
  };
}
