import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { planWorkflow } from '@tinkerbell/template';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTinkServer, refusal } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';
import { templateItem } from '../testing/samples';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

const examples = join(__dirname, '../../../../docs/examples');
const v01 = readFileSync(join(examples, 'template.yaml'), 'utf8');
const v10 = readFileSync(join(examples, 'template-1.0.yaml'), 'utf8');
const files = {
  'v01.yaml': v01,
  'v10.yaml': v10,
  'bad.yaml': v10.replace('timeout: 10m', 'timeout: 10').replace('image: wipe:1', 'imge: wipe:1'),
};

describe('tink template lint, without a server', () => {
  it.each([
    [['v10.yaml'], 'v10.yaml: template 1.0, no faults\n'],
    [['-p', 'v01.yaml'], 'v01.yaml: template 0.1, no faults\n'],
    [['v01.yaml', 'v10.yaml'], 'v01.yaml: template 0.1, no faults\nv10.yaml: template 1.0, no faults\n'],
  ])('%j', async (args, out) =>
    expect(await runTink(['template', 'lint', ...args], { files })).toEqual({ code: 0, out, err: '' }),
  );

  it('shows every fault with its line', async () => {
    const { code, out, err } = await runTink(['template', 'lint'], { input: files['bad.yaml'] });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('unknown key imge; did you mean image?');
    expect(err).toContain('must be a duration: write 10s');
    expect(err).toMatch(/ {2}\d+ \| {9}timeout: 10\n {6}\| {18}\^/);
    expect(err).toMatch(/Error: \d faults in standard input\n$/);
  });

  it('as JSON', async () => {
    const { code, out } = await runTink(['template', 'lint', 'bad.yaml', 'v01.yaml', '-o', 'json'], { files });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject([
      { file: 'bad.yaml', version: '1.0', valid: false },
      { file: 'v01.yaml', version: '0.1', valid: true, faults: [] },
    ]);
  });
});

describe('tink template render', () => {
  it('with data asks nobody', async () => {
    const ran = await runTink(['template', 'render', '--data', '{"x":[1,2]}'], { input: 'a: {{ .x | toJson }}\n' });
    expect(ran).toEqual({ code: 0, out: 'a: [1,2]\n', err: '' });
  });
  it('tells the place of what is missing', async () => {
    const { code, err } = await runTink(['template', 'render', '--data', '{}'], { input: 'a: 1\nb: {{ .x }}\n' });
    expect(code).toBe(1);
    expect(err).toContain('standard input:2:7: ');
  });
  it('with machines asks the server', async () => {
    fake.on('POST /api/templates/render', { json: { text: 'rendered\n' } });
    const args = ['template', 'render', 'v01.yaml', '-r', '{"device_1":"192.0.2.20"}'];
    expect((await runTink(args, { server, files })).out).toBe('rendered\n');
    expect(fake.asked[0]?.body).toEqual({ data: v01, hardware: { device_1: '192.0.2.20' } });
  });
  it.each([
    [[], '--hardware (-r) or --data is required'],
    [['--data', '[1]', '-p', 'v01.yaml'], '--data is a JSON object'],
    [['-r', '{}', '-t', 'a', '-p', 'b'], 'either --template or a file'],
    [['-r', '{}', 'a.yaml', '-p', 'b'], 'either a file or --path'],
  ])('%j makes no sense', async (args, message) => {
    const { code, err } = await runTink(['template', 'render', ...args], { files, input: '' });
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe('tink template convert and schema', () => {
  it('prints version 1.0', async () => {
    const { code, out } = await runTink(['template', 'convert'], { input: v01 });
    expect(code).toBe(0);
    expect(out).toContain('version: "1.0"');
    expect((await runTink(['template', 'convert'], { input: out })).err).toContain('it is of version 1.0 already');
  });
  it('of a file that is named just so', async () => {
    for (const args of [['v01.yaml'], ['-p', 'v01.yaml']])
      expect((await runTink(['template', 'convert', ...args], { files })).out).toContain('version: "1.0"');
  });
  it('prints a schema', async () => {
    expect(JSON.parse((await runTink(['template', 'schema'])).out)).toMatchObject({
      title: 'Tinkerbell workflow template 1.0',
    });
  });
});

describe('tink template plan', () => {
  const find = {
    byMac: (mac: string) => `id-of-${mac}`,
    byIp: (ip: string) => `id-of-${ip}`,
    hardware: () => ({ metadata: { instance: { hostname: 'node' } } }),
  };
  const devices = { device_1: '192.0.2.20', device_2: '192.0.2.21' };
  const { imagePlaces: _places, ...plan } = planWorkflow(v10, devices, find);
  const machines = Object.entries(devices).map(([device, address]) => ({
    device,
    address,
    workerId: `id-of-${address}`,
  }));

  it('shows each machine with its actions, and what is destructive', async () => {
    fake.on('POST /api/templates/plan', { json: { ...plan, machines } });
    const args = ['template', 'plan', '-t', 'install', '-r', JSON.stringify(devices)];
    const { out } = await runTink(args, { server });
    expect(fake.asked[0]?.body).toEqual({ template: 'install', hardware: devices });
    expect(out).toContain('install (template 1.0): 18 actions, at most 1h30m');
    expect(out).toContain('\ndevice_2 192.0.2.21 (id-of-192.0.2.21)\n   1  probe[device_2]/disks\n');
    expect(out).toContain(
      [
        '   2  os[device_1]/wipe  DESTRUCTIVE',
        '        image     wipe:1',
        '        timeout   10m',
        '        after     probe[device_1]/disks',
        "        if        outputs['probe[device_1]/disks'].count > 0",
        '        asks      Wipe the disk of device_1?',
        '        on reboot ask',
        "        env       DEST_DISK=${{ outputs['probe[device_1]/disks'].first }}",
        '        volumes   /dev:/dev',
        '   3  os[device_1]/write-image  DESTRUCTIVE',
      ].join('\n'),
    );
    expect(out).toContain('        secret    IMG_TOKEN from image-server-token\n');
    expect(out.endsWith('\nDestructive: 4 actions.\n')).toBe(true);
  });

  it('sends a file, and shows its faults', async () => {
    fake.on(
      'POST /api/templates/plan',
      refusal(422, 'INVALID', 'x', { faults: [{ path: 'tasks', line: 6, column: 1, message: 'wrong' }] }),
    );
    const { code, err } = await runTink(['template', 'plan', '-t', 'v10.yaml', '-r', '{}'], { server, files });
    expect(code).toBe(1);
    expect(err).toContain('v10.yaml:6:1: tasks: wrong\n');
    expect(fake.asked[0]?.body).toEqual({ data: v10, hardware: {} });
  });

  it('against history lists what would differ', async () => {
    const changes = [
      { action: 'os/write', change: 'changed', field: 'image', from: 'a:1', to: 'a:2' },
      { action: 'os/check', change: 'added', field: '', from: null, to: null },
    ];
    const past = {
      workflowId: 'wf-1',
      createdAt: '2026-01-01T00:00:00.000Z',
      templateVersion: 2,
      status: 'success',
      devices: {},
    };
    const differing = [
      { ...past, changes, refused: null },
      { ...past, workflowId: 'wf-2', changes: [], refused: { message: 'no worker found' } },
    ];
    fake.on('POST /api/templates/replay', { json: { templateId: 'x', differing, same: 3, leftOut: 4 } });
    const args = ['template', 'plan', '-t', 'install', '-p', 'v10.yaml', '--against', 'history', '--limit', '5'];
    expect(await runTink(args, { server, files })).toEqual({
      code: 0,
      out: [
        'wf-1  success, made 10m ago of version 2',
        '    os/write image: a:1 → a:2',
        '    os/check added',
        'wf-2  success, made 10m ago of version 2',
        '    could not be made: no worker found',
        '2 workflows would differ, 3 would be the same; 4 older workflows not looked at (--limit)',
        '',
      ].join('\n'),
      err: '',
    });
    expect(fake.asked[0]?.body).toEqual({ template: 'install', data: v10, limit: 5 });
  });

  it('needs machines or history', async () =>
    expect((await runTink(['template', 'plan', '-t', 'x'], { server })).err).toContain(
      '--hardware (-r) or --against history is required',
    ));
});

describe('versions of a template', () => {
  it('are listed', async () => {
    const version = (number: number, isCurrent: boolean) => ({
      version: number,
      name: 'install',
      at: '2026-01-01T00:00:00.000Z',
      actor: 'user',
      bytes: 12,
      isCurrent,
    });
    fake.on('GET /api/templates/install/versions', { json: [version(1, false), version(2, true)] });
    const { out } = await runTink(['template', 'versions', 'install'], { server });
    expect(out).toContain('| 2 (current) | install');
    expect(out).toContain('10m ago');
  });
  it('are printed', async () => {
    fake.on('GET /api/templates/install/versions/3', { json: { ...templateItem(), data: 'old\n', version: 3 } });
    expect((await runTink(['template', 'get', 'install', '--version', '3'], { server })).out).toBe('old\n');
    expect((await runTink(['template', 'get', '--version', '3'], { server })).code).toBe(2);
  });
  it('are compared', async () => {
    const unified = '--- a\n+++ b\n@@ -1,1 +1,1 @@\n-x\n+y\n';
    fake.on('GET /api/templates/install/diff', { json: { from: 1, to: 2, name: { from: 'a', to: 'b' }, unified } });
    const { out } = await runTink(['template', 'diff', 'install', '--from', '1'], { server });
    expect(out).toBe(`The name changed from a to b.\n${unified}`);
    expect(fake.asked[0]?.url).toBe('/api/templates/install/diff?from=1');
  });
  it('are restored', async () => {
    fake.on('POST /api/templates/install/restore', { json: { id: 'the-id', position: 5 } });
    expect((await runTink(['template', 'restore', 'install', '3'], { server })).out).toBe(
      'Restored Template:  the-id\n',
    );
    expect(fake.asked[0]?.body).toEqual({ version: 3 });
    expect((await runTink(['template', 'restore', 'install', 'x'], { server })).code).toBe(2);
  });
});
