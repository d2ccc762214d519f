import { connectNats } from '@tinkerbell/messaging';
import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestNats, type TestNats } from './testing';

let nats: TestNats;
let connection: NatsConnection;

beforeAll(async () => {
  nats = await startTestNats({ secured: true, restart: false });
  connection = await connectNats({ ...nats.engine, name: 'writes' });
});
afterAll(async () => {
  await connection.close();
  await nats.stop();
});

describe('a connection', () => {
  it('writes what was sent in one turn of the event loop at once, in order', async () => {
    const { transport } = (connection as unknown as { protocol: { transport: { send(frame: Uint8Array): void } } })
      .protocol;
    const write = transport.send.bind(transport);
    let writes = 0;
    transport.send = (frame) => {
      writes++;
      write(frame);
    };
    const heard: string[] = [];
    connection.subscribe('writes.*', { callback: (_, message) => heard.push(message.subject) });
    await connection.flush();
    writes = 0;
    const sent = Array.from({ length: 100 }, (_, i) => `writes.${i}`);
    for (const subject of sent) {
      connection.publish(subject);
      await Promise.resolve().then(() => undefined);
    }
    await connection.flush();
    expect(heard).toEqual(sent);
    expect(writes).toBe(1);
  });

  it('sends what waits before it ends', async () => {
    const heard: string[] = [];
    connection.subscribe('last.*', { callback: (_, message) => heard.push(message.subject) });
    await connection.flush();
    const other = await connectNats({ ...nats.engine, name: 'ends' });
    other.publish('last.one');
    await other.drain();
    await expect.poll(() => heard).toEqual(['last.one']);
  });
});
