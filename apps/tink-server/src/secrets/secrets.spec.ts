import { InvalidError, NotFoundError } from '@tinkerbell/domain';
import { BusUnavailableError, InMemorySecretBucket } from '@tinkerbell/messaging';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMemory, type Memory } from '../testing/memory';
import { Secrets } from './secrets';

const key = new Uint8Array(32).fill(7);
const ann = { actor: 'user:ann' };

let memory: Memory;
let bucket: InMemorySecretBucket;
let secrets: Secrets;
beforeEach(async () => {
  memory = await openMemory();
  bucket = new InMemorySecretBucket();
  secrets = new Secrets(memory.store, memory.reads, bucket, key);
});
afterEach(() => memory.close());

const types = async (name: string) => (await memory.eventsOf('secret', name)).map(({ event }) => event.type);

describe('secrets', () => {
  it('are set, changed, resolved and deleted; the log and the rows say who and which, never what', async () => {
    expect(await secrets.set('db-password', 'hunter22', ann)).toMatchObject({ version: 1, changed: true });
    expect(await secrets.set('db-password', 'hunter23', { actor: 'user:bob' })).toMatchObject({ version: 2 });
    await secrets.set('api-key', 'a\nb', ann);
    expect(await secrets.resolve(['api-key', 'db-password', 'api-key'])).toEqual(
      new Map([
        ['api-key', 'a\nb'],
        ['db-password', 'hunter23'],
      ]),
    );
    const rows = memory.reads.secrets.list({ limit: 10 });
    expect(rows.map(({ name, version, by }) => ({ name, version, by }))).toEqual([
      { name: 'api-key', version: 1, by: 'user:ann' },
      { name: 'db-password', version: 2, by: 'user:bob' },
    ]);
    const log = JSON.stringify([await memory.eventsOf('secret', 'db-password'), rows]);
    expect(log).not.toContain('hunter');
    // The older value is gone, and what is there is sealed.
    expect(bucket.values.size).toBe(2);
    for (const sealed of bucket.values.values()) expect(Buffer.from(sealed).toString('latin1')).not.toContain('hunter');

    expect(await secrets.delete('db-password', ann)).toMatchObject({ changed: true });
    expect(await secrets.delete('db-password', ann)).toMatchObject({ changed: false });
    expect(bucket.values.size).toBe(1);
    expect(memory.reads.secrets.get('db-password')).toBeUndefined();
    await expect(secrets.resolve(['api-key', 'db-password'])).rejects.toThrow('secret db-password not found');
    expect(await secrets.set('db-password', 'hunter24', ann)).toMatchObject({ version: 3 });
    expect(await types('db-password')).toEqual(['SecretSet', 'SecretSet', 'SecretDeleted', 'SecretSet']);
  });

  it('that are missing are told by name, also those that no secret can be called', async () => {
    await secrets.set('a', 'value', ann);
    expect(await secrets.missing(['b', 'a', 'B.*', 'b'])).toEqual(['b', 'B.*']);
    expect(await secrets.missing([])).toEqual([]);
  });

  it('are set once by a command that comes again, and keep their value', async () => {
    const again = { actor: 'user:ann', key: 'k1' };
    await secrets.set('a', 'first', again);
    expect(await secrets.set('a', 'first', again)).toMatchObject({ version: 1, changed: false });
    expect(await secrets.resolve(['a'])).toEqual(new Map([['a', 'first']]));
    expect(bucket.values.size).toBe(1);
  });

  it('keep the last of many values that are set at once', async () => {
    const values = ['v1', 'v2', 'v3', 'v4', 'v5'];
    const written = await Promise.all(values.map((value) => secrets.set('a', value, ann)));
    expect(written.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5]);
    expect(await secrets.resolve(['a'])).toEqual(new Map([['a', 'v5']]));
    expect(bucket.values.size).toBe(1);
  });

  it('keep their value when the next one is not recorded', async () => {
    await secrets.set('a', 'first', ann);
    const append = memory.store.append.bind(memory.store);
    memory.store.append = () => Promise.reject(new Error('the log is away'));
    await expect(secrets.set('a', 'second', ann)).rejects.toThrow('the log is away');
    memory.store.append = append;
    expect(await secrets.resolve(['a'])).toEqual(new Map([['a', 'first']]));
  });

  it('are recorded only when their value is stored', async () => {
    bucket.put = () => Promise.reject(new BusUnavailableError('away'));
    await expect(secrets.set('a', 'first', ann)).rejects.toThrow(BusUnavailableError);
    expect(await types('a')).toEqual([]);
  });

  it('whose value is gone say so, as something that may pass', async () => {
    await secrets.set('a', 'first', ann);
    bucket.values.clear();
    await expect(secrets.resolve(['a'])).rejects.toThrow(BusUnavailableError);
  });

  it.each([
    ['A b', 'value', 'secret name "A b" must be 1 to 64 of a-z 0-9 -'],
    ['a', '', 'cannot be empty'],
    ['a', 'hunter22'.repeat(8193), 'is 65544 bytes, more than the 65536 allowed'],
    ['a', 'hunter22\0', 'cannot hold a NUL'],
    ['a', 'hunter22\ud800', 'no proper Unicode'],
  ])('called %j are refused with the value %.10j, which no error shows', async (name, value, message) => {
    const error: unknown = await Promise.resolve()
      .then(() => secrets.set(name, value, ann))
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InvalidError);
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain('hunter');
    expect(bucket.values.size).toBe(0);
  });

  it('that never were cannot be deleted', async () => {
    await expect(secrets.delete('a', ann)).rejects.toThrow(NotFoundError);
    expect(() => secrets.delete('A.b', ann)).toThrow(NotFoundError);
  });
});
