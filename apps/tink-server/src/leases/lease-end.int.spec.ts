import { randomUUID } from 'node:crypto';
import type { DhcpServiceEvent, LeaseEvent } from '@tinkerbell/events';
import { type EndedOne, type EndRequest, LeaseEnds, NatsBus, subjects } from '@tinkerbell/messaging';
import { leaseBound } from '@tinkerbell/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from '../testing/harness';
import type { Failure } from '../testing/rest-client';

let harness: Harness;
beforeAll(async () => void (harness = await Harness.start()));
afterAll(() => harness.close());

const get = async <T>(path: string): Promise<T> => (await harness.rest().get<T>(path)).body;

async function append(id: string, event: LeaseEvent | DhcpServiceEvent, actor = 'boots'): Promise<void> {
  const stream = subjects.stream('lease', id);
  const { head } = await harness.store.read(stream);
  const appended = await harness.store.append(stream, [event], {
    expected: head,
    metadata: { id: randomUUID(), actor },
  });
  await get(`/api/leases?minSeq=${appended.head.position}`);
}

describe('a lease that an operator ends', () => {
  const failed = async (ip: string, body: unknown) => {
    const { status, body: answer } = await harness.rest().post<Failure>(`/api/leases/${ip}/end`, body);
    return { status, ...answer.error };
  };
  const lease: EndedOne = {
    ...{ ip: '10.7.0.5', mac: '02-00-00-00-00-0f', clientId: null, hardwareId: null, subnet: 'hall' },
    ...{ origin: 'pool', was: 'bound', expiresAt: new Date(Date.now() + 3_600_000).toISOString() },
  };

  it('is ended by the boots of its lease pool, in the name of who asks, and everybody sees by whom', async () => {
    await append('hall', { type: 'PoolTaken', v: 1, data: { address: '10.7.0.254', epoch: 1 } });
    const { was: _, ...holder } = lease;
    await append('hall', leaseBound({ ...holder, hostname: 'Stage' }));
    const bus = await NatsBus.connect({ ...harness.nats.engine, name: 'boots' });
    const asked: EndRequest[] = [];
    const stop = new LeaseEnds(bus.connection).answer('hall', async (request) => {
      asked.push(request);
      if (request.ip !== lease.ip) return { result: 'refused', reason: 'none', message: `nobody has ${request.ip}` };
      if (request.seen && request.seen.mac !== lease.mac) return { result: 'refused', reason: 'other', message: 'no' };
      if (!request.dryRun) await append('hall', { type: 'LeaseEnded', v: 1, data: lease }, request.actor);
      return { result: 'ended', lease };
    });
    await bus.connection.flush();
    const rest = harness.rest('ann:secret');
    const seen = { was: 'bound', mac: '02:00:00:00:00:0F' };
    const told = { ...lease, mac: '02:00:00:00:00:0f', leasePool: 'hall' };
    expect(await failed('10.7.0.5', { seen: { was: 'bound', mac: '02:00:00:00:00:01' } })).toMatchObject({
      ...{ status: 409, code: 'CONFLICT' },
    });
    expect((await rest.post('/api/leases/10.7.0.5/end', { dryRun: true })).body).toEqual({ ...told, dryRun: true });
    expect(await get('/api/leases/10.7.0.5')).toMatchObject({ state: 'bound' });
    asked.splice(0);
    expect((await rest.post('/api/leases/10.7.0.5/end', { seen })).body).toEqual({ ...told, dryRun: false });
    const known = {
      ip: '10.7.0.5',
      seen: { was: 'bound', mac: lease.mac, clientId: null },
      actor: 'user:ann',
      key: null,
    };
    expect(asked).toEqual([
      { ...known, dryRun: true },
      { ...known, dryRun: false },
    ]);
    expect(await get('/api/leases/10.7.0.5')).toMatchObject({
      ...{ state: 'ended', lastEvent: { text: 'DHCP lease ended by ann: 10.7.0.5 of 02:00:00:00:00:0f' } },
    });
    expect(await get('/api/leases/10.7.0.5/history')).toMatchObject([{ state: 'ended', endedBy: 'user:ann' }]);
    expect(await get('/api/leases/10.7.0.5/holder')).toMatchObject({
      ...{ holder: null, previous: { state: 'ended', endedBy: 'user:ann', hostname: 'Stage' } },
    });
    expect(await failed('2001:DB8::5', {})).toMatchObject({ status: 404, message: 'nobody has 2001:db8::5' });
    stop();
    await bus.connection.flush();
    await bus.close();
  });
  it('is refused with every fault, and where no boots answers', async () => {
    expect(await failed('stage', {})).toMatchObject({ status: 400, field: 'ip' });
    const { status, faults } = await failed('10.7.0.5', {
      pool: 1,
      dryRun: 'no',
      seen: { was: 'x', mac: 'y' },
      who: 1,
    });
    expect([status, new Set(faults?.map(({ path }) => path))]).toEqual([
      400,
      new Set(['pool', 'dryRun', 'seen.was', 'seen.mac', 'who']),
    ]);
    expect(await failed('10.7.0.5', { pool: 'hall' })).toEqual({
      ...{ status: 503, code: 'UNAVAILABLE', message: 'lease pool hall: no boots gives out leases for it' },
    });
  });
  it('takes the operator’s password, as all that changes something', async () => {
    const guarded = await Harness.start({ TINK_AUTH_USERNAME: 'admin', TINK_AUTH_PASSWORD: 'secret' });
    expect((await guarded.https().post('/api/leases/10.7.0.5/end', {})).status).toBe(401);
    await guarded.close();
  });
});
