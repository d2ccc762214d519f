import { X509Certificate } from 'node:crypto';
import { createConnection } from 'node:net';
import { networkInterfaces } from 'node:os';
import { credentials, loadPackageDefinition, type Client } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loaderOptions } from './grpc/grpc-listener';
import { machine, templateYaml } from './testing/fixtures';
import { GrpcClient, Harness } from './testing/harness';
import type { Failure, RestClient } from './testing/rest-client';

const user = 'ann:secret';
let harness: Harness;
let rest: RestClient;
beforeAll(async () => {
  harness = await Harness.start({ TINK_AUTH_USERNAME: 'ann', TINK_AUTH_PASSWORD: 'secret' });
  rest = harness.rest(user);
});
afterAll(() => harness?.close());

describe('open routes', () => {
  it.each(['rest', 'https'] as const)('are served on %s', async (door) => {
    const client = harness[door]();
    const cert = await client.get('/cert');
    expect(new X509Certificate(cert.text).fingerprint256).toBe(new X509Certificate(harness.ca).fingerprint256);
    expect((await client.get('/version')).body).toMatchObject({ version: '1.2.3-test', service_name: 'tink-server' });
    expect(await client.get('/healthz')).toMatchObject({ status: 200, body: { healthy: true } });
    expect((await client.get('/metrics')).text).toMatch(/^tink_log_applied_position \d+$/m);
  });
});

const ownAddress = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address;

describe('plain HTTP from another address', () => {
  it.each([
    ['loopback', 403],
    ['everywhere', 200],
  ] as const)('TINK_HTTP_API=%s: %i', async (TINK_HTTP_API, wanted) => {
    if (ownAddress === undefined) throw new Error('this test needs an IPv4 address besides loopback, e.g. of docker0');
    const settings = { TINK_HOST: '0.0.0.0', TINK_AUTH_USERNAME: 'ann', TINK_AUTH_PASSWORD: 'secret', TINK_HTTP_API };
    const other = await Harness.start(settings);
    try {
      const { http, https } = other.server;
      const headers = { authorization: `Basic ${Buffer.from(user).toString('base64')}` };
      for (const path of ['/api/hardware', '/v1/hardware']) {
        const answer = await fetch(`http://${ownAddress}:${http.port}${path}`, { headers });
        expect(answer.status).toBe(wanted);
        const text = await answer.text();
        if (wanted === 403) expect(text).toContain(`use https://${ownAddress}:${https.port} `);
      }
      expect((await fetch(`http://${ownAddress}:${http.port}/cert`)).status).toBe(200);
      expect((await other.rest(user).get('/api/hardware')).status).toBe(200);
    } finally {
      await other.close();
    }
  });
});

describe('authentication', () => {
  it.each([undefined, 'ann:wrong', 'bob:secret', ':'])('keeps %s out', async (auth) => {
    for (const path of ['/v1/hardware', '/api/hardware', '/api/events', '/API/workflows', '/api/nothing']) {
      const answer = await harness.rest(auth).get<Failure>(path);
      expect(answer).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHORIZED' } } });
      expect(answer.headers['www-authenticate']).toContain('Basic');
    }
  });
  it('lets the right credentials in, and names them in the log', async () => {
    const { body } = await rest.post<{ position: number }>('/api/hardware', machine(1));
    const { text } = await rest.get(`/api/events?after=${body.position - 1}&limit=1`);
    expect(JSON.parse(text)).toMatchObject({ metadata: { actor: 'user:ann' } });
  });
});

describe('bad input', () => {
  const error = async (method: 'post' | 'put', path: string, body: unknown, headers = {}) => {
    const { status, body: answer } = await (method === 'post'
      ? rest.post<Failure>(path, body, headers)
      : rest.put<Failure>(path, body));
    return { status, ...answer.error };
  };

  it('that is not JSON is refused with its place', async () => {
    expect(await error('post', '/api/templates', '{\n  "name": x}')).toMatchObject({
      status: 400,
      code: 'MALFORMED',
      faults: [{ line: 2, column: 11 }],
    });
    expect(await error('post', '/v1/hardware', '')).toMatchObject({ status: 400, code: 'INVALID' });
  });
  it.each([
    ['/api/templates', { name: 5, data: 'x' }, 'name'],
    ['/api/templates', { name: 'x' }, 'data'],
    ['/api/templates', { name: 'x', data: 'x', id: 'y' }, 'id'],
    ['/api/templates', { name: 'x', data: 'x', extra: 1 }, 'extra'],
    ['/api/templates', { name: 'a b', data: templateYaml([{ actions: [{}] }]) }, 'name'],
    ['/api/workflows', { template: 'x', hardware: 'y' }, 'hardware'],
    ['/api/workflows', { template: '', hardware: {} }, 'template'],
    ['/api/workflows', { template: 'x', hardware: { device_1: 5 } }, 'hardware.device_1'],
    ['/api/hardware', { id: 'x' }, 'id'],
    [
      '/api/hardware',
      { ...machine(1), network: { interfaces: [{ dhcp: { mac: 5 } }] } },
      'network.interfaces[0].dhcp.mac',
    ],
    ['/v1/hardware/mac', { mac: 5 }, 'mac'],
    ['/v1/hardware/mac', { mac: 'zz' }, 'mac'],
    ['/v1/workflows', { template: 'x' }, 'hardware'],
    ['/v1/enrol', {}, 'workerId'],
  ])('POST %s %j names %s', async (path, body, field) => {
    const answer = await harness.https(user).post<Failure>(path, body);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'INVALID', field } } });
  });
  it.each(['null', '[]', '5', '"x"'])('a body of %s is no request', async (body) => {
    expect(await error('post', '/api/templates', body)).toMatchObject({ status: 400, code: 'INVALID' });
    expect(await error('post', '/api/hardware', body)).toMatchObject({ status: 400, code: 'INVALID' });
  });
  it.each([
    ['/api/workflows?status=done', 'status'],
    ['/api/hardware?mac=x', 'mac'],
    ['/api/hardware?limit=0', 'limit'],
    ['/api/hardware?limit=1&limit=2', 'limit'],
    ['/api/events?after=-1', 'after'],
    ['/api/events?aggregate=bmc', 'aggregate'],
    ['/api/events?since=now', 'since'],
    ['/api/events?follow=maybe', 'follow'],
    ['/api/hardware?minSeq=x', 'minSeq'],
  ])('GET %s names %s', async (path, field) => {
    expect(await rest.get<Failure>(path)).toMatchObject({ status: 400, body: { error: { field } } });
  });
  it('over the limit is refused, and the limit told', async () => {
    const text = JSON.stringify({ name: 'x', data: 'y'.repeat(1024 * 1024) });
    const answer = await rest.post<Failure>('/api/templates', text);
    expect(answer).toMatchObject({ status: 413, body: { error: { code: 'TOO_LARGE' } } });
    expect(answer.body.error.message).toContain('1048576 bytes (1 MiB)');
    const data = await rest.put<Failure>('/api/workflows/x/data', `{"a":"${'b'.repeat(10 * 1024 * 1024)}"}`);
    expect(data).toMatchObject({ status: 413 });
    expect(data.body.error.message).toContain('(10 MiB)');
    expect(await chunked('/api/templates', text, harness.server.http.port)).toContain('413');
  });
  it('with a length that lies, a header without end or no HTTP at all does not stop the server', async () => {
    for (const junk of [
      '\x16\x03\x01\x02',
      'POST /api/hardware HTTP/1.1\r\nContent-Length: 5\r\n\r\n{',
      'GET / HTTP/9\r\n\r\n',
    ]) {
      const socket = createConnection(harness.server.http.port, '127.0.0.1');
      await new Promise<void>((resolve) => socket.write(junk, () => resolve()));
      socket.destroy();
    }
    expect((await rest.get('/healthz')).status).toBe(200);
  });
  it('to a route that does not exist is answered in the same shape', async () => {
    expect(await rest.get<Failure>('/api/nothing')).toMatchObject({
      status: 404,
      body: { error: { code: 'NOT_FOUND' } },
    });
  });
  it('about unknown things is not found', async () => {
    const id = '00000000-0000-4000-8000-000000000000';
    for (const path of ['hardware', 'templates', 'workflows']) {
      for (const wanted of [id, 'a.b', '%2a', '..%2f..']) {
        expect((await rest.get(`/api/${path}/${wanted}`)).status).toBe(404);
        expect((await rest.delete(`/api/${path}/${wanted}`)).status).toBe(404);
      }
    }
    for (const path of ['data', 'logs']) expect((await rest.get(`/api/workflows/${id}/${path}`)).status).toBe(404);
    expect((await rest.put('/api/templates/' + id, { name: 'x' })).status).toBe(404);
    expect((await rest.put(`/api/workflows/${id}/data`, '{}')).status).toBe(404);
    expect((await rest.post(`/api/workers/${id}/token`, {})).status).toBe(404);
  });
});

describe('reading', () => {
  it('shows what minSeq asks for, or says that it cannot', async () => {
    const { body } = await rest.post<{ position: number }>('/api/hardware', machine(2));
    expect((await rest.get(`/api/hardware/${machine(2).id}?minSeq=${body.position}`)).status).toBe(200);
    const behind = await rest.get<Failure>(`/api/hardware?minSeq=${body.position + 1_000_000}`);
    expect(behind).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE', field: 'minSeq' } } });
  });
  it('finds hardware by MAC and IP, in pages', async () => {
    await rest.post('/api/hardware', machine(3));
    const [{ hardware }] = (
      await rest.get<[{ hardware: { id: string } }]>(`/api/hardware?mac=${machine(3).mac.toUpperCase()}`)
    ).body;
    expect(hardware.id).toBe(machine(3).id);
    expect((await rest.get<unknown[]>(`/api/hardware?ip=${machine(3).ip}`)).body).toHaveLength(1);
    const first = (await rest.get<{ items: unknown[]; next: string }>('/api/hardware?limit=2')).body;
    expect(first).toMatchObject({ items: [{}, {}], next: machine(2).id });
    expect((await rest.get<{ items: unknown[] }>(`/api/hardware?limit=2&after=${first.next}`)).body.items).toHaveLength(
      1,
    );
  });
  it('follows events, and forgets a client that goes away', async () => {
    const seen: string[] = [];
    const stream = rest.lines<{ aggregateId: string }>('/api/events?follow=1&aggregate=hardware');
    for await (const { aggregateId } of stream) {
      seen.push(aggregateId);
      if (seen.length === 3) await rest.post('/api/hardware', machine(4));
      if (seen.length === 4) break;
    }
    expect(seen.at(-1)).toBe(machine(4).id);
    expect((await rest.get('/healthz')).status).toBe(200);
  });
  it('knows the machines', async () => {
    expect((await rest.get<unknown[]>('/api/machines')).body).toMatchObject([{ mac: machine(1).mac }, {}, {}, {}]);
    expect((await rest.get('/api/leases')).body).toEqual([]);
  });
});

describe('gRPC', () => {
  it('tells its services by reflection', async () => {
    const names = await reflected();
    expect(names).toEqual(
      expect.arrayContaining([
        'github.com.tinkerbell.tink.protos.events.EventsService',
        'github.com.tinkerbell.tink.protos.hardware.HardwareService',
        'github.com.tinkerbell.tink.protos.template.TemplateService',
        'github.com.tinkerbell.tink.protos.workflow.WorkflowService',
        'grpc.health.v1.Health',
        'proto.WorkflowService',
      ]),
    );
  });
  it('is healthy, each service of it', async () => {
    const client = service(loadSync(protoPath, loaderOptions), ['grpc', 'health', 'v1', 'Health']);
    for (const name of ['', 'github.com.tinkerbell.tink.protos.workflow.WorkflowService', 'proto.WorkflowService']) {
      expect(await new GrpcClient(client).call('check', { service: name })).toEqual({ status: 'SERVING' });
    }
    client.close();
  });
  it('serves TLS of our authority only', async () => {
    const address = `127.0.0.1:${harness.server.grpc.port}`;
    const plain = service(
      loadSync(protoPath, loaderOptions),
      ['grpc', 'health', 'v1', 'Health'],
      address,
      credentials.createInsecure(),
    );
    await expect(new GrpcClient(plain).call('check', { service: '' })).rejects.toMatchObject({ code: 14 });
    plain.close();
  });
  it('watches events as the originals told them', async () => {
    const events = harness.grpc('events');
    const hardware = harness.grpc('hardware');
    const seen: { resource_id: string; event_type: string }[] = [];
    const from = { seconds: 0, nanos: 0 };
    const id = machine(5).id;
    await rest.post('/api/hardware', machine(5));
    for await (const event of events.stream<{
      resource_id: string;
      resource_type: string;
      event_type: string;
      data: Buffer;
    }>('Watch', {
      resource_id: id,
      event_types: ['EVENT_TYPE_CREATED', 'EVENT_TYPE_DELETED'],
      resource_types: ['RESOURCE_TYPE_HARDWARE'],
      watch_events_from: from,
    })) {
      seen.push(event);
      expect(JSON.parse(event.data.toString())).toMatchObject({ id });
      if (seen.length === 1) await hardware.call('Delete', { id });
      else break;
    }
    expect(seen.map(({ event_type }) => event_type)).toEqual(['EVENT_TYPE_CREATED', 'EVENT_TYPE_DELETED']);
  });
  it('keeps the worker calls of the originals off', async () => {
    const workflows = harness.grpc('workflow');
    await expect(workflows.call('GetWorkflowContextList', { worker_id: 'x' })).rejects.toMatchObject({
      code: 9,
      details: expect.stringContaining('TINK_COMPAT_WORKER_GRPC'),
    });
    await expect(workflows.call('GetWorkflowContextList', { worker_id: '' })).rejects.toMatchObject({
      code: 3,
      details: 'invalid worker id',
    });
    await expect(workflows.call('GetWorkflowActions', {})).rejects.toMatchObject({
      code: 3,
      details: 'invalid workflow id',
    });
    const report = { workflow_id: 'w', task_name: 't', action_name: '' };
    await expect(workflows.call('ReportActionStatus', report)).rejects.toMatchObject({
      code: 3,
      details: 'invalid action name',
    });
  });
});

function service(
  definition: ReturnType<typeof loadSync>,
  path: readonly string[],
  address = `127.0.0.1:${harness.server.grpc.port}`,
  channel = credentials.createSsl(Buffer.from(harness.ca)),
): Client {
  const Service = path.reduce<unknown>(
    (at, part) => (at as Record<string, unknown>)[part],
    loadPackageDefinition(definition),
  ) as new (address: string, channel: unknown) => Client;
  return new Service(address, channel);
}

async function reflected(): Promise<readonly string[]> {
  const file = require
    .resolve('@grpc/reflection')
    .replace(/build.*$/, 'build/proto/grpc/reflection/v1/reflection.proto');
  const client = service(loadSync(file, loaderOptions), ['grpc', 'reflection', 'v1', 'ServerReflection']);
  const call = (client as unknown as Record<string, () => NodeJS.ReadWriteStream & AsyncIterable<unknown>>)[
    'ServerReflectionInfo'
  ]?.call(client);
  if (!call) throw new Error('no reflection');
  call.write({ list_services: '' } as unknown as string);
  for await (const reply of call as AsyncIterable<{ list_services_response: { service: { name: string }[] } }>) {
    call.end();
    client.close();
    return reply.list_services_response.service.map(({ name }) => name);
  }
  return [];
}

/** Without a length the limit shows only while the body comes in. */
function chunked(path: string, body: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1');
    const auth = Buffer.from(user).toString('base64');
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${auth}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
    );
    socket.write(`${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    let answer = '';
    socket.on('data', (chunk) => (answer += String(chunk)));
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}
