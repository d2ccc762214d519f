import { randomUUID } from 'node:crypto';
import { status, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture, machine, seedHardware, templateYaml } from './testing/fixtures';
import { Harness, type GrpcClient } from './testing/harness';

interface Named {
  readonly name: string;
  readonly expect: string;
}
interface WorkerCall {
  readonly call: string;
  readonly worker?: string;
  readonly workflow?: string;
  readonly workflows?: number;
  readonly storage?: 'error';
  readonly error?: string;
  readonly stored?: unknown;
  readonly expect?: unknown;
}
/** Its `hardware_rest` is driven in crud.int.spec.ts, its `cli` in the help spec of tink-cli. */
const table = fixture<{
  readonly template: {
    readonly cases: readonly (Named & {
      readonly create?: string;
      readonly get?: object;
      readonly message_contains?: string;
    })[];
  };
  readonly hardware: { readonly cases: readonly Named[] };
  readonly workflow: { readonly cases: readonly (Named & { readonly devices?: object })[] };
  readonly events: { readonly cases: readonly { readonly action: string; readonly event: string }[] };
  readonly worker_calls: { readonly cases: readonly WorkerCall[] };
}>('crud-seed.json');

let harness: Harness;
let hardware: GrpcClient;
let templates: GrpcClient;
let workflows: GrpcClient;
beforeAll(async () => {
  harness = await Harness.start({ TINK_COMPAT_WORKER_GRPC: 'on' });
  hardware = harness.grpc('hardware');
  templates = harness.grpc('template');
  workflows = harness.grpc('workflow');
});
afterAll(() => harness?.close());

type Check = (one: { readonly expect?: unknown; readonly message_contains?: string }) => Promise<void>;
const data = templateYaml([{ actions: [{}] }]);
const message = (document: Record<string, unknown>) => ({
  data: { ...document, metadata: JSON.stringify(document['metadata'] ?? {}) },
});
const failureOf = (call: Promise<unknown>): Promise<ServiceError> =>
  call.then(
    () => {
      throw new Error('the call was answered');
    },
    (error: ServiceError) => error,
  );
const push = (over: object = {}) => hardware.call('Push', message({ ...seedHardware, ...over }));
const named = async (name: string) => (await templates.call<{ id: string }>('CreateTemplate', { name, data })).id;
/** Fails on a case that is added to the table and not here. */
function check(checks: Readonly<Record<string, Check>>, name: string): Check {
  const found = checks[name];
  if (!found) throw new Error(`no check of: ${name}`);
  return found;
}

describe('templates', () => {
  const refused = async (request: object, code: status) =>
    expect((await failureOf(templates.call('GetTemplate', request))).code).toBe(code);
  const checks: Readonly<Record<string, Check>> = {
    'create first': async () => expect(await named('template_1')).toMatch(/^[\da-f-]{36}$/),
    // The original's text goes on with PostgreSQL's "(duplicate key)".
    'same name as an existing one': async ({ message_contains = '' }) => {
      const error = await failureOf(named('template_1'));
      expect(error.code).toBe(status.ALREADY_EXISTS);
      expect(error.details).toContain(message_contains.split(' ')[0]);
    },
    'create with an existing id = update of name/data': async () => {
      const id = await named('before');
      await templates.call('CreateTemplate', { id, name: 'after', data });
      expect(await templates.call('GetTemplate', { id })).toMatchObject({ name: 'after' });
    },
    'get by unknown name': () => refused({ name: 'not-there' }, status.NOT_FOUND),
    // "no rows in result set" is PostgreSQL's way to say it; ours is the status.
    'get by unknown id': () => refused({ id: randomUUID() }, status.NOT_FOUND),
    'get with nil request': () => refused({}, status.INVALID_ARGUMENT),
    '20 creates at once': async () => {
      await Promise.all(Array.from({ length: 20 }, (_, n) => named(`many-${n}`)));
      expect(await templates.all('ListTemplates', { name: 'many-*' })).toHaveLength(20);
    },
  };
  it.each(table.template.cases)('$name: $expect', (one) => check(checks, one.name)(one));
});

describe('hardware', () => {
  const { id } = seedHardware;
  const checks: Readonly<Record<string, Check>> = {
    'push one': async () => {
      await push();
      const read = await hardware.call<{ metadata: string }>('ByID', { id });
      expect(JSON.parse(read.metadata)).toEqual(seedHardware['metadata']);
    },
    'push same id with other hostname': async () => {
      const other = structuredClone(seedHardware) as unknown as {
        network: { interfaces: { dhcp: { hostname: string } }[] };
      };
      for (const one of other.network.interfaces) one.dhcp.hostname = 'renamed';
      await push(other);
      const wanted = { network: { interfaces: [{ dhcp: { hostname: 'renamed' } }] } };
      expect(await hardware.call('ByID', { id })).toMatchObject(wanted);
    },
    'get by id / ip / mac': async () => {
      const read = await hardware.call('ByID', { id });
      expect(await hardware.call('ByIP', { ip: '192.168.1.5' })).toEqual(read);
      expect(await hardware.call('ByMAC', { mac: '08:00:27:00:00:01' })).toEqual(read);
    },
    delete: async () => {
      await hardware.call('Delete', { id });
      expect(await hardware.all('All', {})).toEqual([]);
    },
  };
  it.each(table.hardware.cases)('$name: $expect', (one) => check(checks, one.name)(one));
});

describe('events', () => {
  it('are told as the table has them', async () => {
    const watched = machine(40);
    const told = table.events.cases.map(({ event }) => event);
    expect(told).toHaveLength(2);
    await hardware.call('Push', message(watched));
    await hardware.call('Delete', { id: watched.id });
    const seen: string[] = [];
    for await (const event of harness.grpc('events').stream<{ event_type: string; resource_type: string }>('Watch', {
      resource_id: watched.id,
      watch_events_from: { seconds: 0, nanos: 0 },
    })) {
      const kind = event.event_type.replace('EVENT_TYPE_', '');
      if (seen.push(`${kind} ${event.resource_type.replace('RESOURCE_TYPE_', '')}`) === told.length) break;
    }
    expect(seen).toEqual(told);
  });
});

describe('workflows', () => {
  const create = (template: string, devices: object = { device_1: '08:00:27:00:00:01' }) =>
    workflows.call<{ id: string }>('CreateWorkflow', { template, hardware: JSON.stringify(devices) });
  let template: string;
  beforeAll(async () => {
    await push();
    template = await named('for-workflows');
  });

  const checks: Readonly<Record<string, (devices?: object) => Promise<void>>> = {
    create: async (devices) => {
      const { id } = await create(template, devices);
      expect(await workflows.all('ListWorkflows', {})).toMatchObject([{ id }]);
    },
    'unknown template': async () => expect((await failureOf(create(randomUUID()))).code).toBe(status.NOT_FOUND),
    '20 creates at once': async () => {
      const before = (await workflows.all('ListWorkflows', {})).length;
      await Promise.all(Array.from({ length: 20 }, () => create(template)));
      expect(await workflows.all('ListWorkflows', {})).toHaveLength(before + 20);
    },
    'get unknown id': async () =>
      expect((await failureOf(workflows.call('GetWorkflow', { id: randomUUID() }))).code).toBe(status.NOT_FOUND),
  };
  it.each(table.workflow.cases)('$name: $expect', async ({ name, devices }) => {
    const run = checks[name];
    if (!run) throw new Error(`no check of: ${name}`);
    await run(devices);
  });
  const codes: Readonly<Record<string, status>> = { InvalidArgument: status.INVALID_ARGUMENT };
  const calls = table.worker_calls.cases;

  // "Aborted" when the storage fails: compat/storage-error.spec.ts.
  it.each(calls.filter(({ error, storage }) => error && !storage))('$call without its id: $error', async (one) => {
    const error = await failureOf(workflows.call(one.call, { worker_id: '', workflow_id: '' }));
    expect(error.code).toBe(codes[one.error ?? '']);
  });

  it.each(calls.filter(({ error }) => !error))('$call: $expect', async ({ call, stored, expect: wanted }) => {
    if (call === 'GetWorkflowContextList') {
      expect(await workflows.call(call, { worker_id: machine(41).id })).toEqual({ workflow_contexts: [] });
      return;
    }
    const { id } = await create(template);
    const put = (n: number) =>
      workflows.call('UpdateWorkflowData', {
        workflow_id: id,
        data: Buffer.from(`{"n":${n}}`),
        metadata: Buffer.alloc(0),
      });
    if (typeof stored === 'number' || (typeof stored === 'object' && stored !== null)) {
      const report = { workflow_id: id, task_name: 'task-0', action_name: 'action-0', action_status: 'STATE_RUNNING' };
      await workflows.call('ReportActionStatus', report);
      for (let n = 1; n <= (typeof stored === 'number' ? stored : 1); n++) await put(n);
    }
    const reply = await workflows.call<{ data: Buffer; version: number; action_list: unknown[] }>(call, {
      workflow_id: id,
    });
    if (call === 'GetWorkflowActions') expect(reply.action_list).toHaveLength(1);
    else if (call === 'GetWorkflowData') expect(reply.data.toString()).toBe(wanted);
    else if (call === 'GetWorkflowDataVersion') expect(reply.version).toBe(wanted);
    else {
      // The original stores what the worker says of itself; we write the same keys from what the log knows.
      expect(call).toBe('GetWorkflowMetadata');
      const metadata = JSON.parse(reply.data.toString()) as Record<string, string>;
      expect(Object.keys(metadata).toSorted()).toEqual(Object.keys(stored as object).toSorted());
      const ours = { 'worker-id': seedHardware.id, 'task-name': 'task-0', 'action-name': 'action-0' };
      expect(metadata).toMatchObject(ours);
    }
  });
});
