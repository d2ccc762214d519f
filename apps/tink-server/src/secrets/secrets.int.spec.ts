import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Harness } from '../testing/harness';
import type { Failure } from '../testing/rest-client';

const value = 'corr€ct "horse"\nbattery';

let harness: Harness;
let printed: string;
beforeAll(async () => {
  printed = '';
  const write = (text: unknown) => {
    printed += String(text);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  harness = await Harness.start({ TINK_LOG_LEVEL: 'debug', TINK_AUTH_USERNAME: 'ann', TINK_AUTH_PASSWORD: 'pw' });
});
afterAll(async () => {
  await harness?.close();
  vi.restoreAllMocks();
});

const rest = () => harness.https('ann:pw');
const text = { 'content-type': 'text/plain' };

describe('/api/secrets', () => {
  it('takes a value as JSON or as text, and shows all but the value', async () => {
    const set = await rest().put('/api/secrets/db-password', { value });
    expect(set).toMatchObject({ status: 200, body: { name: 'db-password', version: 1, changed: true } });
    const again = await rest().put('/api/secrets/db-password', value, text);
    expect(again.body).toMatchObject({ version: 2 });
    expect((await rest().put('/api/secrets/json-text', '{"value": 1}', text)).status).toBe(200);
    const { position } = again.body as { position: number };
    const list = await rest().get<readonly unknown[]>(`/api/secrets?minSeq=${position}`);
    expect(list.body).toEqual([
      { name: 'db-password', version: 2, by: 'user:ann', updatedAt: expect.stringMatching(/^20/) as unknown },
      { name: 'json-text', version: 1, by: 'user:ann', updatedAt: expect.stringMatching(/^20/) as unknown },
    ]);
    expect((await rest().get('/api/secrets/db-password')).body).toMatchObject({ version: 2 });
    expect((await rest().get('/api/secrets/none')).status).toBe(404);
    const events = await rest().get('/api/events?aggregate=secret&id=db-password');
    expect(events.text.match(/"SecretSet"/g)).toHaveLength(2);
    for (const answer of [set, again, list, events]) expect(answer.text).not.toContain('battery');
  });

  it('keeps them over a restart, sealed on the disk', async () => {
    await harness.restart();
    expect((await rest().get('/api/secrets/db-password')).body).toMatchObject({ version: 2 });
    const connection = await harness.nats.connect();
    const kv = await connection.jetstream().views.kv('tink_secrets');
    const keys: string[] = [];
    for await (const name of await kv.keys()) keys.push(name);
    expect(keys.map((name) => name.split('.')[0]).toSorted()).toEqual(['db-password', 'json-text']);
    for (const name of keys) expect((await kv.get(name))?.string()).not.toContain('battery');
    const key = join(harness.nats.dir, 'identity', 'secrets.key');
    expect(readFileSync(key, 'utf8')).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
  });

  it.each<[string, unknown, Record<string, string>, number, string]>([
    ['no value', {}, {}, 400, 'value'],
    ['a number', { value: 1 }, {}, 400, 'value'],
    ['something more', { value: 'battery', note: 'x' }, {}, 400, 'note'],
    ['nothing', '', text, 400, 'nothing'],
    ['broken JSON', '{"value": battery}', {}, 400, 'line 1, column 11'],
    ['too much', 'battery'.repeat(10_000), text, 400, '65536'],
  ])('refuses %s', async (_, body, headers, status, message) => {
    const answer = await rest().put<Failure>('/api/secrets/refused', body, headers);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(message);
    expect(answer.text).not.toContain('batt');
  });

  it('refuses a bad name, and who is nobody', async () => {
    expect((await rest().put<Failure>('/api/secrets/Bad_Name', { value })).body.error.code).toBe('INVALID');
    expect((await harness.https().put('/api/secrets/a', { value })).status).toBe(401);
    expect((await harness.https().get('/api/secrets')).status).toBe(401);
  });

  it('deletes', async () => {
    expect((await rest().delete('/api/secrets/json-text')).body).toMatchObject({ changed: true });
    expect((await rest().delete('/api/secrets/json-text')).body).toMatchObject({ changed: false });
    expect((await rest().delete('/api/secrets/none')).status).toBe(404);
  });

  it('left nothing of a value in the log of the server, requests included', () => {
    expect(printed).toContain('PUT /api/secrets/db-password 200');
    expect(printed).not.toContain('battery');
  });
});
