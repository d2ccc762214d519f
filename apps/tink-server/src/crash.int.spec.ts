import type { Recorded } from '@tinkerbell/events';
import type { WorkflowRow } from '@tinkerbell/projections';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { machine, templateYaml } from './testing/fixtures';
import { Harness } from './testing/harness';
import type { SimulatedWorker } from './testing/simulated-worker';

let harness: Harness;
let worker: SimulatedWorker;
let id: string;

async function prepare(actions: readonly object[], settings = {}): Promise<void> {
  harness = await Harness.start(settings);
  const rest = harness.rest();
  const hardware = machine(1);
  await rest.post('/api/hardware', hardware);
  await rest.post('/api/templates', {
    name: 't',
    data: templateYaml([{ actions: actions as Record<string, unknown>[] }]),
  });
  const created = await rest.post<{ id: string }>('/api/workflows', {
    template: 't',
    hardware: { device_1: hardware.ip },
  });
  id = created.body.id;
  worker = await harness.worker(hardware.id);
}
const row = () => harness.latest<WorkflowRow>(`/api/workflows/${id}`);
async function fact(type: string): Promise<void> {
  for await (const { event } of harness.rest().lines<Recorded>(`/api/events?follow=1&aggregate=workflow&id=${id}`)) {
    if (event.type === type) return;
  }
}
const types = async (): Promise<readonly string[]> =>
  (await harness.store.read(`tink.ev.default.workflow.${id}`)).events.map(({ event }) => event.type);

beforeEach(() => prepare([{}, {}]));
afterEach(() => harness?.close());

describe('in the middle of an action', () => {
  it('a restarted server takes the results that were reported while it was away', async () => {
    const first = await worker.assigned();
    await worker.started(first);
    await fact('ActionStarted');
    await harness.stopServer();
    await worker.finished(first);
    await expect(worker.next()).rejects.toThrow();
    await harness.restart();
    await fact('ActionSucceeded');
    const second = await worker.assigned();
    expect(second).toMatchObject({ index: 1, attempt: 1 });
    await worker.started(second);
    await worker.finished(second);
    await worker.until(
      () => worker.state(second),
      ({ finished }) => finished,
    );
    expect(await row()).toMatchObject({ status: 'success' });
    expect(await types()).toEqual([
      'WorkflowCreated',
      'ActionStarted',
      'ActionSucceeded',
      'ActionStarted',
      'ActionSucceeded',
      'WorkflowFinished',
    ]);
  });

  it('a nats-server that is killed and started again loses and doubles nothing', async () => {
    const first = await worker.assigned();
    await worker.started(first);
    await fact('ActionStarted');
    await harness.nats.server.kill();
    await harness.nats.server.restart();
    // The worker reports until it is acknowledged, here twice as after a lost acknowledgement.
    await worker.finished(first);
    await worker.finished(first);
    await fact('ActionSucceeded');
    const second = await worker.assigned();
    expect(second).toMatchObject({ index: 1 });
    await worker.started(second);
    await worker.finished(second);
    await worker.until(
      () => worker.state(second),
      ({ finished }) => finished,
    );
    expect(await types()).toEqual([
      'WorkflowCreated',
      'ActionStarted',
      'ActionSucceeded',
      'ActionStarted',
      'ActionSucceeded',
      'WorkflowFinished',
    ]);
  });

  it('answers 503 while nats-server is away, and everything again after', async () => {
    const first = await worker.assigned();
    await harness.nats.server.kill();
    const refused = await harness.rest().get<{ healthy: boolean }>('/healthz');
    expect(refused).toMatchObject({ status: 503, body: { healthy: false } });
    // What is read comes from the read model all the while.
    const read = await harness.rest().get(`/api/workflows/${id}`);
    expect(read).toMatchObject({ status: 200, body: { status: 'pending' } });
    const push = await harness.rest().post('/api/hardware', machine(2));
    expect(push).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE' } } });
    await harness.nats.server.restart();
    await worker.started(first);
    await fact('ActionStarted');
    expect((await harness.rest().post('/api/hardware', machine(2))).status).toBe(200);
  });
});

describe('deadlines', () => {
  it('that pass while the server is away are found at its start', async () => {
    await harness.close();
    await prepare([{ timeout: 1 }], { TINK_ACTION_GRACE_SECONDS: 0 });
    const first = await worker.assigned();
    await harness.stopServer();
    await worker.started(first);
    await harness.restart();
    const stopped = await worker.until(
      () => worker.state(first),
      ({ goOn }) => !goOn,
    );
    expect(stopped).toMatchObject({ finished: true });
    expect(await row()).toMatchObject({ status: 'timeout' });
  });
});
