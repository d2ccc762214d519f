import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Event } from '@tinkerbell/events';
import { JetStreamEventStore } from '@tinkerbell/event-store';
import { NatsBus, PublishedStream, subjects } from '@tinkerbell/messaging';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import {
  actionStarted,
  bootScriptServed,
  enrolmentTokenIssued,
  templateCreated,
  workflowCreated,
} from '@tinkerbell/testing';
import { build } from 'esbuild';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Metrics } from '../metrics';
import { PublisherReactor } from './publisher.reactor';

let nats: TestNats;
let bus: NatsBus;
let store: JetStreamEventStore;
const reactors: PublisherReactor[] = [];
const children: ChildProcess[] = [];
const scripts: string[] = [];

beforeEach(async () => {
  nats = await startTestNats({ restart: false });
  bus = await NatsBus.connect({ servers: nats.url, name: 'test' });
  store = await JetStreamEventStore.fromConnection(bus.connection, { servers: nats.url, durability: 'fsync-each' });
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(reactors.splice(0).map((reactor) => reactor.close()));
  await store.close();
  await bus.close();
  await nats.stop();
  await Promise.all(scripts.splice(0).map((script) => rm(script, { force: true })));
});

function publisher(now?: () => number): Metrics {
  const metrics = new Metrics();
  const reactor = new PublisherReactor(store, new PublishedStream(bus.connection), metrics, now);
  reactors.push(reactor);
  reactor.start();
  return metrics;
}

let commands = 0;
async function append(
  aggregate: 'workflow' | 'template' | 'boot' | 'enrolment',
  id: string,
  ...events: Event[]
): Promise<number> {
  const stream = subjects.stream(aggregate, id);
  const { head } = await store.read(stream);
  const metadata = { id: `c-${++commands}`, actor: 'user:ann', correlationId: id };
  const appended = await store.append(stream, events, { expected: head, metadata });
  return appended.head.position;
}

interface Message {
  readonly subject: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly data: unknown;
}
async function published(): Promise<readonly Message[]> {
  const manager = await bus.connection.jetstreamManager();
  const { state } = await manager.streams.info('TINK_PUB');
  const all: Message[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq++) {
    const { subject, header, data } = await manager.streams.getMessage('TINK_PUB', { seq });
    const headers = Object.fromEntries([...header.keys()].map((key) => [key, header.get(key)]));
    all.push({ subject, headers, data: JSON.parse(new TextDecoder().decode(data)) });
  }
  return all;
}
const count = async () => {
  const manager = await bus.connection.jetstreamManager();
  return (await manager.streams.info('TINK_PUB')).state.last_seq;
};
const until = (expected: number) =>
  expect.poll(count, { timeout: 60_000, interval: 20 }).toBeGreaterThanOrEqual(expected);
const ids = (messages: readonly Message[]) => messages.map(({ headers }) => headers['ce-id']);

it('publishes what is public, in the order of the log, as CloudEvents in binary mode', async () => {
  const first = await append('workflow', 'wf-1', workflowCreated(1), actionStarted(0));
  await append('enrolment', 'hw-1', enrolmentTokenIssued());
  publisher();
  await append('boot', '52-54-00-00-00-01', bootScriptServed());
  await until(3);
  const [created, started, script] = await published();
  expect(created?.subject).toBe('tink.pub.default.workflow.created.v1.wf-1');
  expect(created?.headers).toMatchObject({
    ...{ 'ce-specversion': '1.0', 'ce-id': `${first}-0`, 'ce-type': 'io.tink.workflow.created.v1' },
    ...{ 'ce-source': '/tink/default', 'ce-subject': 'wf-1', 'ce-sequence': String(first).padStart(16, '0') },
    ...{ 'ce-correlationid': 'wf-1', 'ce-actor': 'user:ann', 'content-type': 'application/json' },
    ...{ 'Nats-Msg-Id': `${first}-0`, 'ce-dataschema': 'urn:tink:event:workflow.created.v1' },
  });
  expect(started?.headers['ce-id']).toBe(`${first}-1`);
  expect(script?.subject).toBe('tink.pub.default.boot.script-served.v1.52-54-00-00-00-01');
  expect(script?.data).not.toHaveProperty('tokenHash');
});

it(
  'publishes each event once however often it is killed, with no help from the duplicate window',
  { timeout: 300_000 },
  async () => {
    const manager = await bus.connection.jetstreamManager();
    await manager.streams.update('TINK_PUB', { duplicate_window: 100_000_000 });
    // Below the project, where Node finds its packages.
    const script = resolve(`.cache/publisher-${process.pid}.cjs`);
    scripts.push(script);
    await build({
      ...{ entryPoints: [join(__dirname, 'publisher-process.testing.ts')], outfile: script, bundle: true },
      ...{ platform: 'node', packages: 'external', tsconfig: 'tsconfig.base.json', logLevel: 'error' },
    });
    const launch = () => {
      const child = spawn(process.execPath, [script, nats.url], {
        stdio: 'inherit',
      });
      children.push(child);
      return child;
    };
    const commits = 300;
    const writing = (async () => {
      for (let i = 0; i < commits; i++) {
        await append('template', `t-${i}`, templateCreated(), templateCreated(), templateCreated());
      }
    })();
    for (const kills of [100, 300, 600]) {
      const child = launch();
      await until(kills);
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    launch();
    launch(); // and a second one beside it
    await writing;
    await until(commits * 3);
    const found = ids(await published());
    const expected = Array.from({ length: commits }, (_, i) => [0, 1, 2].map((index) => `${i + 1}-${index}`)).flat();
    expect(found).toEqual(expected);
  },
);

it('leaves nothing out when another publisher stores between the two halves of its look at the head', async () => {
  for (let i = 0; i < 8; i++) await append('template', `t-${i}`, templateCreated());
  const [other, own] = [new PublishedStream(bus.connection), new PublishedStream(bus.connection)];
  for (let sequence = 1; sequence <= 4; sequence++) {
    const id = `${sequence}-0`;
    const subject = 'tink.pub.default.template.created.v1.t';
    await other.publish({ subject, id, headers: { 'ce-id': id }, body: '{}' }, sequence - 1);
  }
  const look = own.head.bind(own);
  let looks = 0;
  // Its first half was read when the stream ended at 2. The third and fourth event that it sends name the sequences that the stream
  // comes to end at.
  own.head = async () => ({ ...(await look()), ...(looks++ === 0 ? { sequence: 2 } : {}) });
  const reactor = new PublisherReactor(store, own, new Metrics());
  reactors.push(reactor);
  reactor.start();
  await expect.poll(() => looks).toBe(2);
  await until(8);
  expect(ids(await published())).toEqual(Array.from({ length: 8 }, (_, i) => `${i + 1}-0`));
});

it('goes on across kill -9 of nats-server', { timeout: 120_000 }, async () => {
  publisher();
  for (let i = 0; i < 20; i++) await append('template', `t-${i}`, templateCreated());
  await until(10);
  await nats.server.kill();
  await nats.server.restart();
  for (let i = 20; i < 40; i++) await append('template', `t-${i}`, templateCreated());
  await until(40);
  expect(ids(await published())).toEqual(Array.from({ length: 40 }, (_, i) => `${i + 1}-0`));
});

it('does not publish again what the stream no longer keeps, and does what it should', async () => {
  const manager = await bus.connection.jetstreamManager();
  await manager.streams.update('TINK_PUB', { duplicate_window: 100_000_000 });
  publisher();
  await append('template', 't-1', templateCreated());
  await until(1);
  await Promise.all(reactors.splice(0).map((reactor) => reactor.close()));
  await manager.streams.purge('TINK_PUB'); // as after 30 days without an event
  // The window must not do the publisher's work here.
  const forgottenAt = Date.now() + 500;
  await expect.poll(() => Date.now()).toBeGreaterThan(forgottenAt);
  const inAMonth = Date.now() + 31 * 86_400_000;
  const metrics = publisher(() => inAMonth);
  await expect.poll(() => metrics.text()).toContain('tink_published_position 1');
  await Promise.all(reactors.splice(0).map((reactor) => reactor.close()));
  expect(await published()).toEqual([]);
  publisher(() => Date.now());
  await until(2);
  expect(ids(await published())).toEqual(['1-0']);
});
