import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fillRegistry, startRegistry, type Registry } from '@tinkerbell/registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from '../testing/harness';
import type { Failure } from '../testing/rest-client';
import { RegistryImages } from './registry-images';
import type { Replay } from './template-replay';

const hardware = (id: string, mac: string, address: string, hostname: string) => ({
  id,
  metadata: { instance: { id, hostname } },
  network: {
    interfaces: [
      {
        dhcp: { mac, hostname, ip: { address, netmask: '255.255.255.0', gateway: '192.0.2.1' } },
        netboot: { allow_pxe: true, allow_workflow: true },
      },
    ],
  },
});
const one = '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94';
const devices = { device_1: '52:54:00:12:34:56' };
const settings: Parameters<typeof Harness.start>[0] = {};
const account = { username: 'worker', password: 'correct horse' };
const text = (image: string, more = '') =>
  `version: "1.0"\nname: n\ntasks:\n  - name: t\n    worker: "{{ .device_1 }}"\n    actions:\n      - name: a\n        image: ${image}\n${more}`;

let dir: string;
let harness: Harness;
let registry: Registry;
let digest: string;

/** `tiny:latest`, one layer that nobody will ever unpack. */
async function writeLayout(layout: string): Promise<void> {
  const blob = async (bytes: Buffer) => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    await mkdir(join(layout, 'blobs/sha256'), { recursive: true });
    await writeFile(join(layout, 'blobs/sha256', hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', ...(await blob(Buffer.from('{}'))) };
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...(await blob(Buffer.from('tiny'))) };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = await blob(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] })));
  const annotations = { 'org.opencontainers.image.ref.name': 'tiny:latest' };
  await writeFile(join(layout, 'index.json'), JSON.stringify({ manifests: [{ mediaType, ...manifest, annotations }] }));
}

async function newTemplate(name: string, data: string): Promise<string> {
  const created = await harness.rest().post<{ id: string }>('/api/templates', { name, data });
  expect(created.status, created.text).toBe(201);
  return created.body.id;
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'templates-'));
  harness = await Harness.start(settings);
  const { pki } = harness.nats;
  if (!pki) throw new Error('the harness has no certificates');
  const tls = { ca: join(dir, 'ca.crt'), cert: join(dir, 'server.crt'), key: join(dir, 'server.key') };
  await Promise.all([writeFile(tls.ca, pki.ca), writeFile(tls.cert, pki.cert), writeFile(tls.key, pki.key)]);
  registry = await startRegistry({ dataDir: join(dir, 'registry'), host: '127.0.0.1', port: 0, tls, account });
  await writeLayout(join(dir, 'layout'));
  digest = (await fillRegistry(registry.access, join(dir, 'layout')))[0]?.digest ?? '';
  const pushed = await harness.rest().post('/api/hardware', hardware(one, devices.device_1, '192.0.2.20', 'node-1'));
  expect(pushed.status, pushed.text).toBe(200);
}, 120_000);

afterAll(async () => {
  await registry?.stop();
  await harness?.close();
  await rm(dir, { recursive: true, force: true });
});

describe('versions of a template', () => {
  let id: string;
  beforeAll(async () => {
    id = await newTemplate('versioned', text('one:1'));
    await harness.rest().put(`/api/templates/${id}`, { data: text('two:1') });
    await harness.rest().put(`/api/templates/${id}`, { name: 'renamed' });
  });

  it('are all there', async () => {
    const { body } = await harness.rest().get(`/api/templates/renamed/versions`);
    expect(body).toMatchObject([
      { version: 1, name: 'versioned', isCurrent: false, bytes: text('one:1').length },
      { version: 2, name: 'versioned', isCurrent: false },
      { version: 3, name: 'renamed', isCurrent: true },
    ]);
    expect((await harness.rest().get(`/api/templates/${id}/versions/1`)).body).toMatchObject({
      id,
      version: 1,
      name: 'versioned',
      data: text('one:1'),
    });
  });

  it('are those of then with ?at=', async () => {
    const [first] = (await harness.rest().get<readonly { readonly at: string }[]>(`/api/templates/${id}/versions`))
      .body;
    const at = (query: string) => harness.rest().get(`/api/templates/versioned/versions?at=${query}`);
    const now = await harness.rest().get<{ readonly position: number }>(`/api/templates/${id}`);
    expect((await at(String(now.body.position - 1))).body).toMatchObject([
      { version: 1, isCurrent: false },
      { version: 2, isCurrent: true },
    ]);
    expect((await at('0')).status).toBe(404);
    expect(await at('2099-01-01T00:00:00Z')).toMatchObject({ status: 400, body: { error: { field: 'at' } } });
    expect(first?.at).toBeDefined();
  });

  it('are compared, as text and as data', async () => {
    const { body } = await harness.rest().get<{ unified: string }>(`/api/templates/${id}/diff?from=1&to=3`);
    expect(body).toMatchObject({ id, from: 1, to: 3, name: { from: 'versioned', to: 'renamed' } });
    expect(body.unified.split('\n').slice(2)).toEqual([
      '@@ -5,4 +5,4 @@',
      '     worker: "{{ .device_1 }}"',
      '     actions:',
      '       - name: a',
      '-        image: one:1',
      '+        image: two:1',
      '',
    ]);
    expect((await harness.rest().get(`/api/templates/${id}/diff`)).body).toMatchObject({ from: 2, to: 3, unified: '' });
  });

  it('are restored: the text, as a new version; and what was deleted', async () => {
    const restored = await harness.rest().post(`/api/templates/${id}/restore`, { version: 1 });
    expect(restored).toMatchObject({ status: 200, body: { id, changed: true } });
    expect((await harness.rest().get(`/api/templates/${id}`)).body).toMatchObject({
      version: 4,
      name: 'renamed',
      data: text('one:1'),
    });
    await harness.rest().delete(`/api/templates/${id}`);
    await harness.rest().post(`/api/templates/${id}/restore`, { version: 2 });
    expect((await harness.rest().get(`/api/templates/versioned`)).body).toMatchObject({
      id,
      version: 6,
      data: text('two:1'),
    });
  });

  it('that are not there are named', async () => {
    const answer = await harness.rest().get<Failure>(`/api/templates/${id}/versions/99`);
    expect(answer).toMatchObject({ status: 400, body: { error: { field: 'version' } } });
    expect(answer.body.error.message).toContain('has no version 99; it has 1, 2, 3');
    expect((await harness.rest().post(`/api/templates/${id}/restore`, { version: 0 })).status).toBe(400);
    expect((await harness.rest().get('/api/templates/nothing/versions')).status).toBe(404);
  });
});

describe('a template that is tried', () => {
  it('is linted with every fault', async () => {
    const { status, body } = await harness
      .rest()
      .post('/api/templates/lint', { data: text('I', '        tiemout: 5\n') });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        version: '1.0',
        valid: false,
        faults: [
          { line: 8, column: 16 },
          { line: 9, column: 9 },
        ],
      },
    });
    expect((await harness.rest().post('/api/templates/lint', { data: text('i') })).body).toEqual({
      version: '1.0',
      valid: true,
      faults: [],
    });
  });

  it('is rendered with the hardware', async () => {
    const data = '{{ .device_1 }} {{ .hardware.metadata.instance.hostname }}';
    const { body } = await harness.rest().post('/api/templates/render', { data, hardware: devices });
    expect(body).toEqual({ text: '52:54:00:12:34:56 node-1' });
  });

  it('is planned, and nothing is made', async () => {
    const before = await harness.store.lastPosition();
    const data = text(
      'i:1',
      '        destructive: true\n        environment: {HOST: "${{ device.hardware.metadata.instance.hostname }}"}\n',
    );
    const { body } = await harness.rest().post('/api/templates/plan', { data, hardware: devices });
    expect(body).toMatchObject({
      version: '1.0',
      actions: [
        {
          workerId: one,
          image: 'i:1',
          environment: ['HOST=node-1'],
          plan: { id: 't/a', destructive: true, onReboot: 'ask' },
        },
      ],
    });
    expect(await harness.store.lastPosition()).toBe(before);
  });

  it('needs a text or a name, not both', async () => {
    const both = { data: text('i'), template: 'x', hardware: devices };
    expect((await harness.rest().post('/api/templates/plan', both)).status).toBe(400);
    expect((await harness.rest().post('/api/templates/plan', { hardware: devices })).status).toBe(400);
  });

  it('is converted', async () => {
    const data =
      'version: "0.1"\nname: n\nglobal_timeout: 60\ntasks: [{name: t, worker: w, actions: [{name: a, image: i}]}]\n';
    const { body } = await harness.rest().post('/api/templates/convert', { data });
    expect(body).toEqual({ data: data.replace('0.1', '1.0').replace('global_timeout: 60', 'timeout: 60s') });
  });

  it('has schemas for editors, which anybody may read', async () => {
    for (const version of ['0.1', '1.0']) {
      const { status, body } = await harness.rest().get(`/schemas/template-${version}.json`);
      expect({ status, body }).toMatchObject({
        status: 200,
        body: { title: `Tinkerbell workflow template ${version}` },
      });
    }
  });
});

describe('a template against history', () => {
  it('is decided again with the hardware as it was', async () => {
    const id = await newTemplate(
      'historic',
      text('i:1', '        environment: {HOST: "{{ .hardware.metadata.instance.hostname }}"}\n'),
    );
    const made = await harness.rest().post<{ id: string }>('/api/workflows', { template: id, hardware: devices });
    expect(made.status, made.text).toBe(201);
    await harness.rest().post('/api/hardware', hardware(one, devices.device_1, '192.0.2.20', 'other-name'));
    const replay = async (data?: string) =>
      (await harness.rest().post<Replay>('/api/templates/replay', { template: 'historic', ...(data ? { data } : {}) }))
        .body;
    expect(await replay()).toEqual({ templateId: id, differing: [], same: 1, leftOut: 0 });
    expect(
      await replay(
        text(
          'i:1',
          '        environment: {HOST: "x{{ .hardware.metadata.instance.hostname }}"}\n        timeout: 5m\n',
        ),
      ),
    ).toMatchObject({
      same: 0,
      differing: [
        {
          workflowId: made.body.id,
          templateVersion: 1,
          devices,
          refused: null,
          changes: [
            { action: 't/a', field: 'timeoutSeconds', from: 3600, to: 300 },
            { action: 't/a', field: 'environment.HOST', from: 'node-1', to: 'xnode-1' },
          ],
        },
      ],
    });
    expect(await replay(text('i:1').replace('device_1', 'device_2'))).toMatchObject({
      differing: [{ refused: { message: expect.stringContaining('map has no entry for key "device_2"') as string } }],
    });
  });
});

describe('images of a template 1.0', () => {
  beforeAll(async () => {
    Object.assign(settings, {
      TINK_PIN_IMAGES: 'on',
      TINK_REGISTRY_ADDRESS: registry.address,
      TINK_REGISTRY_USERNAME: account.username,
      TINK_REGISTRY_PASSWORD: account.password,
    });
    await harness.restart();
  });

  it('are pinned to what they are when a workflow is made', async () => {
    const id = await newTemplate('pinned', text('tiny'));
    const made = await harness.rest().post<{ id: string }>('/api/workflows', { template: id, hardware: devices });
    expect(made.status, made.text).toBe(201);
    const { body } = await harness.rest().get(`/api/workflows/${made.body.id}`);
    expect(digest).toMatch(/^sha256:/);
    expect(body).toMatchObject({ actions: [{ spec: { image: `tiny@${digest}` } }] });
  });

  it.each([
    ['tiny:latest', () => `tiny@${digest}`],
    ['{registry}/tiny', () => `${registry.address}/tiny@${digest}`],
    [`elsewhere.example/x@sha256:${'a'.repeat(64)}`, () => `elsewhere.example/x@sha256:${'a'.repeat(64)}`],
  ])('%s', async (image, want) => {
    const data = text(image.replace('{registry}', registry.address));
    const { body } = await harness.rest().post('/api/templates/plan', { data, hardware: devices });
    expect(body).toMatchObject({ actions: [{ image: want() }] });
  });

  it('that are not there fail the workflow, each with its place', async () => {
    const more = '      - name: b\n        image: tiny:2\n';
    const id = await newTemplate('missing', text('nothing:1', more));
    const before = await harness.store.lastPosition();
    const made = await harness.rest().post<Failure>('/api/workflows', { template: id, hardware: devices });
    expect(made).toMatchObject({
      status: 422,
      body: {
        error: {
          faults: [
            {
              path: 'tasks[0].actions[0].image',
              line: 8,
              column: 16,
              message: `image nothing:1: registry ${registry.address} has no nothing:1`,
            },
            {
              path: 'tasks[0].actions[1].image',
              line: 10,
              column: 16,
              message: `image tiny:2: registry ${registry.address} has no tiny:2`,
            },
          ],
        },
      },
    });
    expect(await harness.store.lastPosition()).toBe(before);
  });

  it('of a template 0.1 stay as they are', async () => {
    const data =
      'version: "0.1"\nname: n\ntasks: [{name: t, worker: "{{.device_1}}", actions: [{name: a, image: nothing}]}]\n';
    const { body } = await harness.rest().post('/api/templates/plan', { data, hardware: devices });
    expect(body).toMatchObject({ actions: [{ image: 'nothing' }] });
  });

  describe('asked for', () => {
    const ask = async (over: Partial<ConstructorParameters<typeof RegistryImages>[0]>, image: string) => {
      const own = { address: registry.address, ...account, ca: harness.ca, ...over };
      const images = new RegistryImages(own);
      try {
        return await images.resolve(image);
      } finally {
        images.close();
      }
    };
    it('with a wrong password are not to be had', async () =>
      expect(await ask({ password: 'wrong' }, 'tiny')).toEqual({
        fault: expect.stringContaining('does not let tink-server in') as string,
      }));
    it('of a registry that we have no account at say so', async () =>
      expect(await ask({ address: '' }, `${registry.address}/tiny`)).toEqual({
        fault: expect.stringMatching(/cannot be asked \(.*certificate.*\): write the image with its digest/) as string,
      }));
    it('without any registry say what to write', async () =>
      expect(await ask({ address: '' }, 'tiny')).toEqual({
        fault: 'there is no registry of ours: name its registry, or write its digest (name@sha256:…)',
      }));
    it('while ours is down are an outage, not a fault of the template', async () =>
      expect(ask({ address: '127.0.0.1:1' }, 'tiny')).rejects.toThrow(
        'registry 127.0.0.1:1 does not answer (connect ECONNREFUSED',
      ));
  });
});
