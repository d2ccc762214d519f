import { createUserKey } from '@tinkerbell/identity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { machine, templateYaml } from './testing/fixtures';
import { Harness, type GrpcClient } from './testing/harness';
import type { RestClient } from './testing/rest-client';

const data = templateYaml([{ actions: [{}] }]);
const message = (document: Record<string, unknown>) => ({
  data: { ...document, metadata: JSON.stringify(document['metadata'] ?? {}) },
});

let harness: Harness;
let rest: RestClient;
let grpc: Record<'hardware' | 'template' | 'workflow', GrpcClient>;
beforeAll(async () => {
  harness = await Harness.start();
  rest = harness.rest();
  grpc = { hardware: harness.grpc('hardware'), template: harness.grpc('template'), workflow: harness.grpc('workflow') };
  await ok(rest.post('/api/hardware', machine(90)));
  await ok(rest.post('/api/templates', { name: 'ryw', data }));
});
afterAll(() => harness?.close());

async function ok<T>(
  answer: Promise<{ readonly status: number; readonly text: string; readonly body: T }>,
): Promise<T> {
  const { status, text, body } = await answer;
  expect([200, 201], text).toContain(status);
  return body;
}
const idOf = async (answer: Promise<unknown>) => ((await answer) as { readonly id: string }).id;
const devices = { device_1: machine(90).mac };
const newTemplate = (name: string) => idOf(ok(rest.post('/api/templates', { name, data })));
const newWorkflow = () => idOf(ok(rest.post('/api/workflows', { template: 'ryw', hardware: devices })));
const newMachine = async (n: number) => {
  await ok(rest.post('/api/hardware', machine(n)));
  return machine(n).id;
};
const token = async () => (await ok(rest.post<{ token: string }>(`/api/workers/${machine(90).id}/token`, {}))).token;

/** Every route that writes, each with what has to be there before it. */
const routes: readonly (readonly [string, () => Promise<() => Promise<unknown>>])[] = [
  ['POST /api/hardware', async () => () => ok(rest.post('/api/hardware', machine(1)))],
  [
    'DELETE /api/hardware/:id',
    async () => {
      const id = await newMachine(2);
      return () => ok(rest.delete(`/api/hardware/${id}`));
    },
  ],
  ['POST /api/templates', async () => () => newTemplate('r1')],
  [
    'PUT /api/templates/:id',
    async () => {
      const id = await newTemplate('r2');
      return () => ok(rest.put(`/api/templates/${id}`, { name: 'r2b' }));
    },
  ],
  [
    'DELETE /api/templates/:id',
    async () => {
      const id = await newTemplate('r3');
      return () => ok(rest.delete(`/api/templates/${id}`));
    },
  ],
  ['POST /api/workflows', async () => newWorkflow],
  [
    'DELETE /api/workflows/:id',
    async () => {
      const id = await newWorkflow();
      return () => ok(rest.delete(`/api/workflows/${id}`));
    },
  ],
  [
    'PUT /api/workflows/:id/data',
    async () => {
      const id = await newWorkflow();
      return () => ok(rest.put(`/api/workflows/${id}/data`, { a: 1 }));
    },
  ],
  ['POST /api/workers/:id/token', async () => token],
  [
    'POST /v1/enrol',
    async () => {
      const [secret, { publicKey }] = [await token(), createUserKey()];
      const body = { workerId: machine(90).id, mac: machine(90).mac, token: secret, publicKey };
      return () => ok(harness.https().post('/v1/enrol', body));
    },
  ],
  ['POST /v1/hardware', async () => () => ok(rest.post('/v1/hardware', machine(3)))],
  [
    'DELETE /v1/hardware/:id',
    async () => {
      const id = await newMachine(4);
      return () => ok(rest.delete(`/v1/hardware/${id}`));
    },
  ],
  ['POST /v1/templates', async () => () => ok(rest.post('/v1/templates', { name: 'r4', data }))],
  [
    'DELETE /v1/templates/:name',
    async () => {
      await newTemplate('r5');
      return () => ok(rest.delete('/v1/templates/r5'));
    },
  ],
  [
    'POST /v1/workflows',
    async () => () => ok(rest.post('/v1/workflows', { template: 'ryw', hardware: JSON.stringify(devices) })),
  ],
  [
    'DELETE /v1/workflows/:id',
    async () => {
      const id = await newWorkflow();
      return () => ok(rest.delete(`/v1/workflows/${id}`));
    },
  ],
  ['gRPC hardware Push', async () => () => grpc.hardware.call('Push', message(machine(5)))],
  [
    'gRPC hardware Delete',
    async () => {
      const id = await newMachine(6);
      return () => grpc.hardware.call('Delete', { id });
    },
  ],
  ['gRPC CreateTemplate', async () => () => grpc.template.call('CreateTemplate', { name: 'r6', data })],
  [
    'gRPC UpdateTemplate',
    async () => {
      const id = await newTemplate('r7');
      return () => grpc.template.call('UpdateTemplate', { id, name: 'r7b', data });
    },
  ],
  [
    'gRPC DeleteTemplate',
    async () => {
      const id = await newTemplate('r8');
      return () => grpc.template.call('DeleteTemplate', { id });
    },
  ],
  [
    'gRPC CreateWorkflow',
    async () => async () =>
      grpc.workflow.call('CreateWorkflow', {
        template: await idOf(ok(rest.get('/api/templates/ryw'))),
        hardware: JSON.stringify(devices),
      }),
  ],
  [
    'gRPC DeleteWorkflow',
    async () => {
      const id = await newWorkflow();
      return () => grpc.workflow.call('DeleteWorkflow', { id });
    },
  ],
];

describe('what was written can be read at once, without a position', () => {
  it.each(routes)('%s', async (_name, prepare) => {
    const write = await prepare();
    const before = await harness.store.lastPosition();
    await write();
    // Answered from memory, without a way to the log that would give the rows time.
    const { text } = await rest.get('/metrics');
    const applied = Number(/^tink_log_applied_position (\d+)$/m.exec(text)?.[1]);
    const last = await harness.store.lastPosition();
    expect(last).toBeGreaterThan(before);
    expect(applied).toBe(last);
  });
});

describe('read models', () => {
  it('say how they stand, and are built anew on demand', async () => {
    const list = await ok(rest.get<readonly { name: string; lag: number; rows: number }[]>('/api/read-models'));
    expect(list.map(({ name }) => name)).toContain('workflow-list');
    expect(list.map(({ lag }) => lag)).toEqual(list.map(() => 0));
    const asked = await rest.post('/api/read-models/rebuild', { projections: ['workflow-list'] });
    expect(asked.status).toBe(202);
    await expect
      .poll(async () =>
        (await ok(rest.get<readonly { building: unknown }[]>('/api/read-models'))).map((m) => m.building),
      )
      .toEqual(list.map(() => null));
    expect(await ok(rest.get('/api/read-models'))).toMatchObject(list.map(({ name, rows }) => ({ name, rows })));
    expect(await rest.post('/api/read-models/rebuild', { projections: ['nothing'] })).toMatchObject({
      status: 400,
      body: { error: { field: 'projections', message: expect.stringContaining('no read model nothing') } },
    });
    expect((await rest.post('/api/read-models/rebuild', { which: 1 })).status).toBe(400);
  });
});
