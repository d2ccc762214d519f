import type { ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture, machine, seedHardware, templateYaml } from './testing/fixtures';
import { Harness, type GrpcClient } from './testing/harness';
import type { Failure, RestClient } from './testing/rest-client';

const unknown = '00000000-0000-4000-8000-000000000000';
const data = templateYaml([{ actions: [{}] }]);
const cases = fixture<{
  readonly hardware_rest: { readonly cases: readonly { name: string; id?: string; status: number }[] };
}>('crud-seed.json');

let harness: Harness;
let rest: RestClient;
let hardware: GrpcClient;
let templates: GrpcClient;
let workflows: GrpcClient;
beforeAll(async () => {
  harness = await Harness.start();
  rest = harness.rest();
  hardware = harness.grpc('hardware');
  templates = harness.grpc('template');
  workflows = harness.grpc('workflow');
});
afterAll(() => harness?.close());

/** What a client of the originals sends: metadata as text. */
const message = (document: Record<string, unknown>) => ({
  data: { ...document, metadata: JSON.stringify(document['metadata'] ?? {}) },
});
const code = (wanted: status, text = '') => ({
  asymmetricMatch: (error: ServiceError) => error.code === wanted && error.details.includes(text),
});
const fails = (call: Promise<unknown>, wanted: status, text = '') => expect(call).rejects.toEqual(code(wanted, text));

describe('hardware', () => {
  it('is pushed, read back equal, changed, found by id, ip and mac, and deleted', async () => {
    await hardware.call('Push', message(seedHardware));
    const { id } = seedHardware;
    const read = await hardware.call<{
      metadata: string;
      network: { interfaces: { dhcp: { hostname: string; mac: string } }[] };
    }>('ByID', { id });
    expect(JSON.parse(read.metadata)).toEqual(seedHardware['metadata']);
    expect(read.network.interfaces[0]?.dhcp).toMatchObject({
      mac: '08:00:27:00:00:01',
      hostname: 'server001',
      lease_time: 86400,
    });
    expect(await hardware.call('ByMAC', { mac: '08-00-27-00-00-01' })).toEqual(read);
    expect(await hardware.call('ByIP', { ip: '192.168.1.5' })).toEqual(read);

    const changed = structuredClone(seedHardware) as unknown as {
      network: { interfaces: { dhcp: { hostname: string } }[] };
    };
    for (const one of changed.network.interfaces) one.dhcp.hostname = 'renamed';
    await hardware.call('Push', message(changed as unknown as Record<string, unknown>));
    expect(await hardware.call('ByID', { id })).toMatchObject({
      network: { interfaces: [{ dhcp: { hostname: 'renamed' } }] },
    });
    expect(await hardware.all('All', {})).toHaveLength(1);
    await hardware.call('Delete', { id });
    expect(await hardware.all('All', {})).toEqual([]);
    await fails(hardware.call('ByID', { id }), status.NOT_FOUND);
  });

  it('is refused with the fault named', async () => {
    await fails(hardware.call('Push', { data: null }), status.INVALID_ARGUMENT);
    await fails(
      hardware.call('Push', message({ ...seedHardware, id: '' })),
      status.INVALID_ARGUMENT,
      'id must be set to a UUID',
    );
    await fails(
      hardware.call('Push', { data: { ...message(seedHardware).data, metadata: '{' } }),
      status.INVALID_ARGUMENT,
      'metadata',
    );
    await fails(hardware.call('Delete', { id: '' }), status.INVALID_ARGUMENT);
    await fails(hardware.call('Delete', { id: unknown }), status.NOT_FOUND);
    await fails(hardware.call('ByMAC', { mac: 'x' }), status.INVALID_ARGUMENT);
    await fails(hardware.call('ByIP', { ip: '9.9.9.9' }), status.NOT_FOUND);
  });

  it('cannot take the address of another record, over any door', async () => {
    expect((await rest.post('/api/hardware', machine(1))).status).toBe(200);
    const thief = { ...machine(2), network: (machine(1) as unknown as { network: object }).network };
    await fails(hardware.call('Push', message(thief)), status.ALREADY_EXISTS, 'conflicting hardware MAC address');
    expect(await rest.post<Failure>('/v1/hardware', thief)).toMatchObject({
      status: 409,
      body: { error: { code: 'CONFLICT' } },
    });
  });

  it('streams every change to a watcher', async () => {
    const { id } = machine(3);
    await hardware.call('Push', message(machine(3)));
    const seen: unknown[] = [];
    // Changes it until the watcher, whose call may take a while to arrive, has seen two of them.
    let version = 0;
    const pushing = setInterval(() => void hardware.call('Push', message({ ...machine(3), version: ++version })), 20);
    for await (const one of hardware.stream<{ version: number }>('DeprecatedWatch', { id })) {
      if (seen.push(one.version) === 2) break;
    }
    clearInterval(pushing);
    expect(seen).toEqual([...seen].sort((a, b) => Number(a) - Number(b)));
  });

  it.each(cases.hardware_rest.cases)('POST /v1/hardware: $name → $status', async ({ id, status: wanted }) => {
    const answer = await rest.post('/v1/hardware', { id, network: { interfaces: [] }, metadata: {} });
    expect(answer.status).toBe(wanted);
    if (wanted === 200) expect(answer.body).toEqual({ status: 'ok', msg: 'hardware data pushed successfully', id });
  });

  it('is served by the originals’ routes', async () => {
    const { id, mac, ip } = machine(4);
    await rest.post('/v1/hardware', machine(4));
    const read = await rest.get<{ id: string }>(`/v1/hardware/${id}`);
    expect(read.body).toMatchObject({ id, metadata: { instance: { hostname: 'server4' } } });
    expect((await rest.post('/v1/hardware/mac', { mac })).body).toEqual(read.body);
    expect((await rest.post('/v1/hardware/ip', { ip })).body).toEqual(read.body);
    const list = (await rest.get('/v1/hardware')).text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string });
    expect(list.map((one) => one.id)).toContain(id);
    expect((await rest.delete(`/v1/hardware/${id}`)).body).toEqual({
      status: 'ok',
      msg: 'hardware deleted successfully',
      id,
    });
    expect((await rest.get(`/v1/hardware/${id}`)).status).toBe(404);
  });
});

describe('templates', () => {
  it('are created, read, listed, changed and deleted', async () => {
    const { id } = await templates.call<{ id: string }>('CreateTemplate', { name: 'crud', data });
    expect(await templates.call('GetTemplate', { id })).toMatchObject({ id, name: 'crud', data });
    expect(await templates.call('GetTemplate', { name: 'crud' })).toMatchObject({ id });
    expect(await templates.all('ListTemplates', { name: 'CR*' })).toMatchObject([{ id, data: '' }]);
    expect(await templates.all('ListTemplates', { name: 'x*' })).toEqual([]);
    await templates.call('UpdateTemplate', { id, name: 'crud2' });
    expect(await templates.call('GetTemplate', { id })).toMatchObject({ name: 'crud2', data });
    await templates.call('DeleteTemplate', { name: 'crud2' });
    await fails(templates.call('GetTemplate', { id }), status.NOT_FOUND);
    // An existing id is an update that brings it back.
    expect(await templates.call('CreateTemplate', { id, name: 'crud3', data })).toEqual({ id });
    expect(await templates.call('GetTemplate', { id })).toMatchObject({ name: 'crud3' });
  });

  it('have unique names', async () => {
    await templates.call('CreateTemplate', { name: 'unique', data });
    await fails(
      templates.call('CreateTemplate', { name: 'unique', data }),
      status.ALREADY_EXISTS,
      'uidx_template_name',
    );
    const races = await Promise.allSettled(
      [1, 2, 3, 4].map(() => rest.post('/api/templates', { name: 'raced', data })),
    );
    const codes = races.map((race) => (race.status === 'fulfilled' ? race.value.status : 0));
    expect(codes.toSorted()).toEqual([201, 409, 409, 409]);
  });

  it('are checked when they are made and when they are changed', async () => {
    const bad = data.replace('"0.1"', '"0.2"');
    await fails(
      templates.call('CreateTemplate', { name: 'bad', data: bad }),
      status.INVALID_ARGUMENT,
      'invalid template version: 0.2',
    );
    const refused = await rest.post<Failure>('/api/templates', { name: 'bad', data: bad });
    expect(refused).toMatchObject({ status: 422, body: { error: { faults: [{ path: 'version', line: 1 }] } } });
    const { id } = await templates.call<{ id: string }>('CreateTemplate', { name: 'good', data });
    await fails(
      templates.call('UpdateTemplate', { id, data: bad }),
      status.INVALID_ARGUMENT,
      'invalid template version',
    );
    expect(await templates.call('GetTemplate', { id })).toMatchObject({ data });
    await fails(templates.call('UpdateTemplate', { id: unknown, data }), status.NOT_FOUND);
    await fails(templates.call('GetTemplate', {}), status.INVALID_ARGUMENT);
    await fails(templates.call('GetTemplate', { name: 'not-there' }), status.NOT_FOUND);
  });

  it('can be created twenty at once', async () => {
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        templates.call<{ id: string }>('CreateTemplate', { name: `parallel-${i}`, data }),
      ),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(20);
    expect(await templates.all('ListTemplates', { name: 'parallel-*' })).toHaveLength(20);
  });

  it('are served by the originals’ routes', async () => {
    const created = await rest.post<{ id: string; msg: string }>('/v1/templates', { name: 'v1', data });
    expect(created).toMatchObject({ status: 200, body: { status: 'ok', msg: 'template created successfully' } });
    expect((await rest.get(`/v1/templates/name/v1`)).body).toMatchObject({ id: created.body.id, name: 'v1', data });
    expect((await rest.get('/v1/templates?name=v*')).text.trim().split('\n')).toHaveLength(1);
    expect((await rest.delete(`/v1/templates/${created.body.id}`)).status).toBe(200);
    expect((await rest.get(`/v1/templates/${created.body.id}`)).status).toBe(404);
  });
});

describe('workflows', () => {
  let template: string;
  beforeAll(async () => {
    await rest.post('/api/hardware', machine(5));
    template = (await rest.post<{ id: string }>('/api/templates', { name: 'for-workflows', data })).body.id;
  });
  const hardwareText = (address: string) => JSON.stringify({ device_1: address });

  it('are created, listed once and deleted', async () => {
    const { id } = await workflows.call<{ id: string }>('CreateWorkflow', {
      template,
      hardware: hardwareText(machine(5).mac),
    });
    const read = await workflows.call<{ data: string }>('GetWorkflow', { id });
    expect(read).toMatchObject({
      id,
      template,
      hardware: hardwareText(machine(5).mac),
      state: 'STATE_PENDING',
      deleted_at: null,
    });
    expect(read.data).toContain(`worker: ${machine(5).id}`);
    expect(await workflows.all('ListWorkflows', {})).toMatchObject([{ id }]);
    await workflows.call('DeleteWorkflow', { id });
    await fails(workflows.call('GetWorkflow', { id }), status.NOT_FOUND);
    expect(await workflows.all('ListWorkflows', {})).toEqual([]);
  });

  it('can be created twenty at once, by IP too', async () => {
    const hardwareJson = hardwareText(machine(5).ip);
    const made = await Promise.all(
      Array.from({ length: 20 }, () =>
        workflows.call<{ id: string }>('CreateWorkflow', { template, hardware: hardwareJson }),
      ),
    );
    expect(await workflows.all('ListWorkflows', {})).toHaveLength(20);
    expect(new Set(made.map(({ id }) => id)).size).toBe(20);
    const list = await rest.get<{ items: { id: string }[]; next: string }>(
      `/api/workflows?limit=15&worker=${machine(5).id}`,
    );
    expect(list.body.items).toHaveLength(15);
    const rest2 = await rest.get<{ items: unknown[]; next?: string }>(
      `/api/workflows?limit=15&after=${list.body.next}`,
    );
    expect(rest2.body.items).toHaveLength(5);
    expect(rest2.body.next).toBeUndefined();
  });

  it('are listed as they are read, by all filters at once, without those that were deleted', async () => {
    const idsOf = async (query: string) => {
      const { body, headers } = await rest.get<{ id: string }[]>(`/api/workflows?${query}`);
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
      return body.map(({ id }) => id);
    };
    const worker = `worker=${machine(5).id.toUpperCase()}`;
    const all = await idsOf('');
    const [deleted = '', ...left] = all;
    expect((await rest.delete(`/api/workflows/${deleted}`)).status).toBe(200);
    for (const query of ['', worker, 'status=pending', `${worker}&status=pending`])
      expect(await idsOf(query)).toEqual(left);
    for (const query of [`worker=${machine(4).id}`, 'status=failed', `${worker}&status=failed`])
      expect(await idsOf(query)).toEqual([]);
    const pages = [];
    for (let after = ''; ;) {
      const { body } = await rest.get<{ items: object[]; next?: string }>(`/api/workflows?limit=7&after=${after}`);
      pages.push(...body.items);
      if (body.next === undefined) break;
      after = body.next;
    }
    const read = await Promise.all(left.map(async (id) => (await rest.get<object>(`/api/workflows/${id}`)).body));
    expect(pages).toEqual(read);
    const queues = pages.map((item) => (item as { queue: { position: number } | null }).queue?.position ?? 1);
    expect(queues.toSorted((a, b) => a - b)).toEqual(left.map((_, i) => i + 1));
  });

  it('say what is wrong with the request', async () => {
    const ok = hardwareText(machine(5).mac);
    await fails(workflows.call('CreateWorkflow', { template: unknown, hardware: ok }), status.NOT_FOUND, 'template');
    await fails(
      workflows.call('CreateWorkflow', { template, hardware: '{' }),
      status.INVALID_ARGUMENT,
      'hardware is not JSON',
    );
    await fails(
      workflows.call('CreateWorkflow', { template, hardware: '{}' }),
      status.INVALID_ARGUMENT,
      'map has no entry for key "device_1"',
    );
    await fails(
      workflows.call('CreateWorkflow', { template, hardware: hardwareText('x') }),
      status.INVALID_ARGUMENT,
      'invalid worker address: x',
    );
    await fails(
      workflows.call('CreateWorkflow', { template, hardware: hardwareText('9.9.9.9') }),
      status.NOT_FOUND,
      'no worker found',
    );
    await fails(workflows.call('GetWorkflow', { id: unknown }), status.NOT_FOUND);
    await fails(workflows.call('GetWorkflow', { id: '' }), status.INVALID_ARGUMENT, 'invalid workflow id');
    await fails(workflows.call('GetWorkflowData', { workflow_id: '' }), status.INVALID_ARGUMENT, 'invalid workflow id');
    await fails(workflows.call('DeleteWorkflow', { id: unknown }), status.NOT_FOUND);
  });

  it('keep what they were made of when the template changes', async () => {
    const made = await rest.post<{ id: string }>('/api/workflows', {
      template: 'for-workflows',
      hardware: { device_1: machine(5).mac },
    });
    await rest.put(`/api/templates/${template}`, { data: templateYaml([{ actions: [{ image: 'other' }] }]) });
    const read = await rest.get<{ actions: { spec: { image: string } }[] }>(`/api/workflows/${made.body.id}`);
    expect(read.body.actions[0]?.spec.image).toBe('hello-world');
    expect((await workflows.call<{ data: string }>('GetWorkflow', { id: made.body.id })).data).toContain(
      'image: hello-world',
    );
  });

  it('made twice with one key are made once', async () => {
    const body = { template: 'for-workflows', hardware: { device_1: machine(5).mac } };
    const key = { 'idempotency-key': 'once' };
    const [first, second] = [
      await rest.post<{ id: string }>('/api/workflows', body, key),
      await rest.post<{ id: string }>('/api/workflows', body, key),
    ];
    expect(second.body).toEqual({ ...first.body, changed: false });
    const other = await rest.post<Failure>('/api/workflows', { ...body, hardware: { device_1: machine(5).ip } }, key);
    expect(other).toMatchObject({ status: 409, body: { error: { field: 'Idempotency-Key' } } });
  });

  it('are served by the originals’ routes', async () => {
    const body = { template, hardware: hardwareText(machine(5).mac) };
    const { id } = (await rest.post<{ id: string }>('/v1/workflows', body)).body;
    expect((await rest.get(`/v1/workflows/${id}`)).body).toMatchObject({ id, state: 'STATE_PENDING' });
    expect((await rest.get(`/v1/workflows/${id}/state`)).body).toMatchObject({
      workflow_id: id,
      total_number_of_actions: '1',
    });
    expect(await rest.get(`/v1/workflows/${id}/events`)).toMatchObject({ status: 200, text: '' });
    expect((await rest.delete(`/v1/workflows/${id}`)).body).toMatchObject({ msg: 'workflow deleted successfully' });
    expect((await rest.get(`/v1/workflows/${id}/state`)).status).toBe(404);
  });

  it('have data that an operator may set, every version of it', async () => {
    const { id } = (
      await rest.post<{ id: string }>('/v1/workflows', { template, hardware: hardwareText(machine(5).mac) })
    ).body;
    const path = `/api/workflows/${id}/data`;
    expect((await rest.get(path)).text).toBe('{"version":0,"latest":0,"metadata":null,"data":{}}\n');
    expect(await workflows.call('GetWorkflowData', { workflow_id: id })).toEqual({ data: Buffer.alloc(0), version: 0 });
    expect((await rest.put(path, '{"n": 1.0}')).body).toMatchObject({ version: 1, changed: true });
    expect((await rest.put(path, '{"n": 1.0}')).body).toMatchObject({ version: 1, changed: false });
    expect((await rest.put(path, '{"n": 2}')).body).toMatchObject({ version: 2 });
    expect((await rest.get(`${path}?version=1`)).text).toContain('"data":{"n": 1.0}}');
    expect(await workflows.call('GetWorkflowDataVersion', { workflow_id: id })).toMatchObject({ version: 2 });
    const metadata = await workflows.call<{ data: Buffer }>('GetWorkflowMetadata', { workflow_id: id, version: 1 });
    expect(JSON.parse(metadata.data.toString())).toMatchObject({
      'worker-id': '',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await fails(workflows.call('GetWorkflowData', { workflow_id: id, version: 9 }), status.NOT_FOUND);
    for (const bad of ['[]', 'null', '{', ''])
      expect((await rest.put<Failure>(path, bad)).body.error.field).toBe('data');
    const large = `{"x":"${'a'.repeat(10 * 1024 * 1024 - 9)}"}`;
    expect((await rest.put(path, large)).body).toMatchObject({ version: 3 });
    const read = await workflows.call<{ data: Buffer }>('GetWorkflowData', { workflow_id: id });
    expect(read.data.length).toBe(large.length);
  });
});
