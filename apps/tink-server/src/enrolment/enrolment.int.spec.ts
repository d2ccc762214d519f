import { createHash } from 'node:crypto';
import { createUserKey } from '@tinkerbell/identity';
import { subjects, type EnrolReply } from '@tinkerbell/messaging';
import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { bootScriptServed, osieStarted } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { machine } from '../testing/fixtures';
import { Harness } from '../testing/harness';
import { TinkServerConfig } from '../tink-server.config';
import { RestClient, type Answer, type Failure } from '../testing/rest-client';
import { SimulatedWorker } from '../testing/simulated-worker';

const hash = (token: string) => createHash('sha256').update(token).digest('hex');
const { id, mac } = machine(1);
const stream = subjects.stream('boot', mac.replaceAll(':', '-'));
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

let harness: Harness;
let tokens = 0;
beforeAll(async () => {
  harness = await Harness.start({
    TINK_HOST: '::',
    TINK_WORKER_NATS_URL6: 'tls://[2001:db8::1]:4222',
    TINK_REGISTRY_ADDRESS6: 'tinkerbell.internal:5000',
    TINK_REGISTRY_ADDRESS: 'registry.test:5000',
    TINK_REGISTRY_USERNAME: 'worker',
    TINK_REGISTRY_PASSWORD: 'pull-only',
    TINK_AUTH_PASSWORD: 'only-for-people',
  });
  for (const n of [1, 2]) await harness.rest(':only-for-people').post('/api/hardware', machine(n));
});
afterAll(() => harness?.close());

/** A token as boots hands it out: its hash is in the machine's boot stream before the script leaves. */
async function bootToken(over: { hardwareId?: string; expiresAt?: string } = {}): Promise<string> {
  const token = `token-${++tokens}`;
  const { head } = await harness.store.read(stream);
  const event = bootScriptServed({
    ...{ hardwareId: id, mac: mac.replaceAll(':', '-'), tokenHash: hash(token), expiresAt: inAnHour() },
    ...over,
  });
  await harness.store.append(stream, [event], { expected: head, metadata: { id: token, actor: 'boots' } });
  return token;
}
const enrol = (
  token: string,
  over: object = {},
  door: 'https' | 'rest' = 'https',
): Promise<Answer<EnrolReply & Failure>> =>
  harness[door]().post('/v1/enrol', { workerId: id, mac, token, publicKey: createUserKey().publicKey, ...over });

describe('enrolment', () => {
  it('gives a worker from a netboot its own credential, and everything to begin with', async () => {
    const key = createUserKey();
    const reply = await enrol(await bootToken(), { publicKey: key.publicKey });
    expect(reply).toMatchObject({
      status: 200,
      body: {
        workerId: id,
        natsUrl: harness.nats.url,
        ca: harness.ca,
        registry: { address: 'registry.test:5000', username: 'worker', password: 'pull-only' },
      },
    });
    const { jwt, natsUrl, ca } = reply.body;
    const worker = await SimulatedWorker.connect(id, 'boot-1', { servers: natsUrl, ca, jwt, seed: key.seed });
    expect((await worker.next()).reason).toBe('no workflow for this machine');
    await worker.ready();
    for await (const { event } of harness
      .rest(':only-for-people')
      .lines<Recorded>('/api/events?follow=1&aggregate=enrolment')) {
      // Nothing in the log would open a door.
      expect(JSON.stringify(event)).not.toContain('token-1');
      if (event.type === 'WorkerReady') break;
    }
    // The credential is for its own subjects only.
    await expect(worker.raw(`tink.rpc.wk.${machine(2).id}.next`, { bootId: 'b' })).rejects.toThrow();
    await expect(worker.raw('tink.ev.default.workflow.x', {})).rejects.toThrow();
    await worker.close();
  });

  it('tells a worker that comes by IPv6 of places there, and keeps the address that it came from', async () => {
    const from = async (host: string) => {
      const client = new RestClient('https', harness.server.https.port, harness.ca, undefined, host);
      const body = { workerId: id, mac, token: await bootToken(), publicKey: createUserKey().publicKey };
      const reply = await client.post<EnrolReply>('/v1/enrol', body);
      const { events } = await harness.store.read<AnyEvent>(subjects.stream('enrolment', id));
      const last = events.flatMap(({ event }) => (event.type === 'WorkerEnrolled' ? [event.data.address] : [])).at(-1);
      return [reply.body.natsUrl, reply.body.registry.address, last];
    };
    expect(await from('::1')).toEqual(['tls://[2001:db8::1]:4222', 'tinkerbell.internal:5000', '::1']);
    expect(await from('127.0.0.1')).toEqual([harness.nats.url, 'registry.test:5000', '127.0.0.1']);
  });

  it("counts the token's time from the start of the in-memory OS", async () => {
    const expiresAt = '2026-01-01T00:00:00.000Z';
    const token = await bootToken({ expiresAt });
    const { head } = await harness.store.read(stream);
    const up = osieStarted(600, { hardwareId: id, mac: mac.replaceAll(':', '-') });
    await harness.store.append(stream, [up], { expected: head, metadata: { id: 'up', actor: 'boots' } });
    const [script, started] = (await harness.store.read(stream)).events.slice(-2).map(({ at }) => Date.parse(at));
    const later = new Date(Date.parse(expiresAt) + (started ?? NaN) - (script ?? NaN)).toISOString();
    const message = `the enrolment token expired at ${later}`;
    const error = { code: 'TOKEN_EXPIRED', message, bootAgainSeconds: 60 };
    expect(await enrol(token)).toMatchObject({ status: 403, body: { error } });
  });

  it('refuses a token that sixteen newer ones replaced so that the worker boots anew', async () => {
    const token = await bootToken();
    for (let newer = 0; newer < 15; newer++) await bootToken();
    const last = await bootToken();
    const error = { code: 'TOKEN_EXPIRED', bootAgainSeconds: 3600 };
    expect(await enrol(token)).toMatchObject({ status: 403, body: { error } });
    expect((await enrol('made-up')).body.error).toMatchObject({ code: 'FORBIDDEN' });
    expect((await enrol(last)).status).toBe(200);
  });

  it('goes by the clock of the log, as boots does, and not by its own', async () => {
    const [boots, operators] = [await bootToken(), `/api/workers/${id}/token`];
    const ahead = Date.now() + 7_200_000;
    vi.useFakeTimers({ toFake: ['Date'], now: ahead });
    try {
      const reply = await enrol(boots);
      expect(reply.status).toBe(200);
      expect(Date.parse(reply.body.expiresAt)).toBeLessThan(
        ahead + new TinkServerConfig().TINK_CREDENTIAL_SECONDS * 1000,
      );
      const issued = await harness.rest(':only-for-people').post<{ token: string; expiresAt: string }>(operators, {});
      expect(Date.parse(issued.body.expiresAt)).toBeLessThan(ahead + new TinkServerConfig().TINK_TOKEN_SECONDS * 1000);
      expect((await enrol(issued.body.token)).status).toBe(200);
    } finally {
      vi.useRealTimers();
    }
  });

  it('answers the same key again, and no other key', async () => {
    const token = await bootToken();
    const { publicKey } = createUserKey();
    const first = await enrol(token, { publicKey });
    expect(first.status).toBe(200);
    expect((await enrol(token, { publicKey })).status).toBe(200);
    expect((await enrol(token)).body.error).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('another key'),
    });
    // A newer boot of the machine fences the older key.
    expect((await enrol(await bootToken())).status).toBe(200);
    expect((await enrol(token, { publicKey })).status).toBe(403);
  });

  it('lets one of many racing keys have the token', async () => {
    const token = await bootToken();
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => enrol(token)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 403, 403, 403, 403]);
  });

  it.each([
    ['an unknown token', async () => enrol('made-up')],
    ['the token of other hardware', async () => enrol(await bootToken({ hardwareId: machine(2).id }))],
    ['other hardware', async () => enrol(await bootToken(), { workerId: machine(2).id })],
    ['the MAC of other hardware', async () => enrol(await bootToken(), { mac: machine(2).mac })],
    ['hardware that nobody knows', async () => enrol(await bootToken(), { workerId: machine(9).id })],
    ['plain HTTP', async () => enrol(await bootToken(), {}, 'rest')],
  ])('refuses %s', async (_, attempt) => {
    expect(await attempt()).toMatchObject({ status: 403, body: { error: { code: 'FORBIDDEN' } } });
  });

  it.each([{ publicKey: 'UABC' }, { publicKey: createUserKey().seed }, { mac: 'x' }, { workerId: '*' }, { token: '' }])(
    'refuses %j as malformed',
    async (over) =>
      expect(await enrol('x', over)).toMatchObject({ status: 400, body: { error: { field: Object.keys(over)[0] } } }),
  );

  it('takes a token that an operator asked for', async () => {
    const path = `/api/workers/${id}/token`;
    expect((await harness.rest().post(path, {})).status).toBe(401);
    const issued = await harness.rest(':only-for-people').post<{ token: string; expiresAt: string }>(path, {});
    expect(issued.status).toBe(201);
    expect(Date.parse(issued.body.expiresAt)).toBeGreaterThan(Date.now());
    expect((await enrol(issued.body.token)).status).toBe(200);
    expect((await enrol(issued.body.token)).status).toBe(403);
  });
});
