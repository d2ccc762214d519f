import { createHash, randomBytes } from 'node:crypto';
import { BlobDamagedError, type Blobs, BusUnavailableError, InMemoryBlobs, NatsBlobs } from '@tinkerbell/messaging';
import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestNats, type TestNats } from './index';

const digestOf = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
let nats: TestNats;
let connection: NatsConnection;
beforeAll(async () => {
  nats = await startTestNats();
  connection = await nats.connect();
});
afterAll(() => nats.stop());

describe.each<[string, () => Blobs]>([
  ['in memory', () => new InMemoryBlobs()],
  ['in the object store', () => new NatsBlobs(connection)],
])('blobs %s', (_, open) => {
  it.each([0, 1, 300_000, 10 * 1024 * 1024])('give back %d bytes as they were', async (size) => {
    const blobs = open();
    const content = new Uint8Array(randomBytes(size));
    const sha256 = digestOf(content);
    expect(await blobs.get(sha256)).toBeUndefined();
    await blobs.put(sha256, content);
    await blobs.put(sha256, content);
    expect(digestOf((await blobs.get(sha256)) ?? randomBytes(1))).toBe(sha256);
  });

  it('refuse content under a digest that is not its own', async () => {
    await expect(open().put(digestOf(Buffer.from('a')), Buffer.from('b'))).rejects.toThrow(TypeError);
  });
});

describe('blobs in the object store', () => {
  it('are stored once', async () => {
    const blobs = new NatsBlobs(connection);
    const content = Buffer.from('the same');
    const sha256 = digestOf(content);
    await blobs.put(sha256, content);
    const manager = await connection.jetstreamManager();
    const before = (await manager.streams.info('OBJ_tink_data')).state.last_seq;
    await blobs.put(sha256, content);
    expect((await manager.streams.info('OBJ_tink_data')).state.last_seq).toBe(before);
  });

  it('are checked when they are read, and repaired when they are stored again', async () => {
    const blobs = new NatsBlobs(connection);
    const content = Buffer.from('right');
    const sha256 = digestOf(content);
    // Somebody put another content under this name; the bucket itself finds nothing wrong with it.
    const bucket = await connection.jetstream().views.os('tink_data');
    await bucket.putBlob({ name: sha256 }, Buffer.from('wrong'));
    await expect(blobs.get(sha256)).rejects.toThrow(BlobDamagedError);
    await blobs.put(sha256, content);
    expect(Buffer.from((await blobs.get(sha256)) ?? []).toString()).toBe('right');
  });

  it('say so when NATS is gone', async () => {
    const other = await nats.connect();
    const blobs = new NatsBlobs(other);
    await other.close();
    await expect(blobs.get(digestOf(Buffer.from('x')))).rejects.toThrow(BusUnavailableError);
  });
});
