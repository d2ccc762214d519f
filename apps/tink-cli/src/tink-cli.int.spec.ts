import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRealServer, type RealServer } from './testing/real-server';

const hardwareId = '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94';
const hardware = JSON.stringify(
  {
    id: hardwareId,
    metadata: { instance: { hostname: 'node-1' } },
    network: {
      interfaces: [
        {
          dhcp: {
            mac: '08:00:27:00:00:01',
            hostname: 'node-1',
            arch: 'x86_64',
            ip: { address: '192.168.1.5', netmask: '255.255.255.0', gateway: '192.168.1.1' },
          },
          netboot: { allow_pxe: true, allow_workflow: true },
        },
      ],
    },
  },
  null,
  2,
);
const template = `version: "0.1"
name: install
global_timeout: 600
tasks:
  - name: os
    worker: "{{.device_1}}"
    actions:
      - name: disk-wipe
        image: disk-wipe
        timeout: 60
      - name: write-image
        image: image2disk
        timeout: 60
        environment:
          DEST_DISK: /dev/vda
`;
const uuid = /[0-9a-f]{8}-[0-9a-f-]{27}/;

let real: RealServer;
beforeAll(async () => {
  real = await startRealServer();
  await writeFile(join(real.dir, 'machine.json'), hardware);
  await writeFile(join(real.dir, 'install.yaml'), template);
});
afterAll(() => real?.close());

const ok = async (...args: readonly string[]) => {
  const ran = await real.tink.run(args);
  expect(ran).toMatchObject({ code: 0, err: '' });
  return ran.out;
};

describe('the tink bundle against tink-server', () => {
  let templateId = '';
  let workflowId = '';

  it('pushes hardware and finds it again by everything it is known by', async () => {
    expect(await ok('hardware', 'push', '--file', 'machine.json')).toBe(
      `Hardware data pushed successfully\ncreated ${hardwareId}\n`,
    );
    expect(await real.tink.run(['hardware', 'push', '-o', 'json'], { input: hardware })).toMatchObject({
      code: 0,
      out: expect.stringMatching(/"changed": false,\n {2}"created": false,\n {2}"fields": \[\]/),
    });
    expect(await ok('hardware', 'list')).toContain(`| ${hardwareId} | 08:00:27:00:00:01 | 192.168.1.5 | node-1   |`);
    for (const name of [hardwareId, '08-00-27-00-00-01', '192.168.1.5', 'node-1']) {
      expect(JSON.parse(await ok('hardware', 'get', name, '-o', 'json'))).toMatchObject({ id: hardwareId });
    }
    expect(await ok('hardware', 'mac', '08:00:27:00:00:01')).toContain('| IP Address  | 192.168.1.5 ');
    expect(await ok('hardware', 'ip', '192.168.1.5')).toContain('| Hostname    | node-1 ');
    // What was printed can be pushed again.
    const printed = await ok('hardware', 'id', hardwareId);
    expect((await real.tink.run(['hardware', 'push'], { input: printed })).code).toBe(0);
  });

  it('shows where a document is wrong, as the server says', async () => {
    const broken = await real.tink.run(['hardware', 'push'], { input: '{\n  "id": "x",\n  "network" {}\n}\n' });
    expect(broken).toMatchObject({ code: 1, out: '' });
    expect(broken.err).toMatch(/^standard input:3:13: .*\n {4}3 \| {3}"network" \{\}\n {6}\| {13}\^\n/);
    const wrong = await real.tink.run(['hardware', 'push'], { input: hardware.replace('08:00:27:00:00:01', '08:00') });
    expect(wrong.code).toBe(1);
    expect(wrong.err).toMatch(/standard input:\d+:\d+: network\.interfaces\[0\]\.dhcp\.mac: .*\n.*"mac": "08:00"/);
    const faulty = await real.tink.run(['template', 'create', '-n', 'x'], {
      input: template.replace('image: image2disk', 'image: Foo Bar'),
    });
    expect(faulty.code).toBe(1);
    expect(faulty.err).toMatch(/^standard input:12:16: .*Foo Bar.*\n {3}12 \| {9}image: Foo Bar\n/);
  });

  it('creates, shows, changes and lists templates', async () => {
    const created = await ok('template', 'create', '--name', 'install', '--path', 'install.yaml');
    expect(created).toMatch(/^Created Template: {2}[0-9a-f-]{36}\n$/);
    templateId = uuid.exec(created)?.[0] ?? '';
    expect(await ok('template', 'get', templateId)).toBe(template);
    expect(await ok('template', 'update', 'install', '--path', 'install.yaml')).toBe(
      `Updated Template:  ${templateId}\n`,
    );
    expect(await ok('template', 'list', '-q')).toBe(`${templateId}\n`);
    const again = await real.tink.run(['template', 'create', '--name', 'install', '--path', 'install.yaml']);
    expect(again.code).toBe(1);
    expect(again.err).toMatch(/^Error: .*install/);
  });

  it('creates a workflow and says what it waits for', async () => {
    const created = await ok('workflow', 'create', '-t', templateId, '-r', '{"device_1":"08:00:27:00:00:01"}');
    workflowId = uuid.exec(created)?.[0] ?? '';
    expect(created).toBe(`Created Workflow:  ${workflowId}\n`);
    expect(await ok('workflow', 'list')).toContain(
      `| ${workflowId} | ${templateId} | {"device_1":"08:00:27:00:00:01"} | STATE_PENDING |`,
    );
    const got = await real.tink.run(['workflow', 'get', workflowId]);
    expect(got.out).toContain('      - name: write-image\n        image: image2disk\n');
    expect(got.err).toMatch(/^waiting: .*has not booted/);
    const state = await real.tink.run(['workflow', 'state', workflowId]);
    expect(state.out).toContain('| Workflow Progress    | 0%');
    expect(state.err).toMatch(/^waiting: .*has not booted/);
    const unknown = await real.tink.run([
      'workflow',
      'create',
      '-t',
      'install',
      '-r',
      '{"device_1":"08:00:27:00:00:99"}',
    ]);
    expect(unknown.code).toBeGreaterThan(0);
    expect(unknown.err).toContain('08:00:27:00:00:99');
  });

  it('watches it and follows its output while a worker runs it', async () => {
    const worker = await real.harness.worker(hardwareId);
    const watching = real.tink.follow(['workflow', 'watch', workflowId], () => false);
    const logging = real.tink.follow(['logs', workflowId, '--follow'], () => false);
    await worker.ready();
    for (let index = 0; index < 2; index++) {
      const assigned = await worker.assigned();
      await worker.started(assigned);
      await worker.log(assigned, `line ${index}`);
      if (index === 0) await worker.putData(workflowId, 0, '{"disk": "vda"}');
      await worker.finished(assigned);
      await worker.until(
        () => worker.state(assigned),
        ({ finished }) => finished,
      );
    }
    const [watched, logged] = await Promise.all([watching, logging]);
    expect(watched.code).toBe(0);
    expect(watched.out).toMatch(/os\/disk-wipe {2}success {2}1\.5s\n/);
    expect(watched.out).toMatch(/os\/write-image {2}success {2}1\.5s\n.* {2}workflow succeeded/);
    expect(logged).toEqual({ code: 0, err: '', out: 'disk-wipe | line 0\nwrite-image | line 1\n' });
    expect(await ok('logs', workflowId, 'write-image')).toBe('line 1\n');
    expect((await real.tink.run(['logs', workflowId, 'nothing'])).code).toBe(4);
  });

  it('shows how it went: state, events, data, machine', async () => {
    const state = await ok('workflow', 'state', workflowId);
    expect(state).toMatch(/\| Workflow Progress {4}\| 100% /);
    expect(state).toMatch(/\| Current Action {7}\| write-image /);
    expect(state).toMatch(/\| Current Action State \| STATE_SUCCESS /);
    const events = JSON.parse(await ok('workflow', 'events', workflowId, '-o', 'json')) as {
      action: string;
      status: string;
    }[];
    expect(events.map(({ action, status }) => `${action} ${status}`)).toEqual([
      'disk-wipe running',
      'disk-wipe success',
      'write-image running',
      'write-image success',
    ]);
    expect(await ok('workflow', 'data', workflowId)).toBe('{"disk": "vda"}\n');
    expect(await ok('workflow', 'data', workflowId, '-l')).toBe('Latest workflow data version: 1\n');
    expect(JSON.parse(await ok('workflow', 'data', workflowId, '-m'))).toMatchObject({
      'worker-id': hardwareId,
      'action-name': 'disk-wipe',
    });
    expect(await ok('machine', 'list')).toContain('| 08:00:27:00:00:01 | 192.168.1.5 | worker |');
    expect(await ok('machine', 'get', 'node-1')).toContain('| Hostname    | node-1 ');
    expect(await ok('lease', 'list', '-o', 'json')).toBe('[]\n');
    expect(await ok('version')).toMatch(/^tink +0\.1\.0\ntink-server +1\.2\.3-test\n$/);
  });

  it('tells the story of the machine, and prints it as it was recorded', async () => {
    const story = await ok('events', '--machine', 'node-1');
    expect(story).toMatch(/hardware registered by \S+: node-1 08:00:27:00:00:01 192\.168\.1\.5\n/);
    expect(story).toMatch(
      /workflow created by \S+ from template install, version \d+, for device_1=08:00:27:00:00:01: 2 actions\n/,
    );
    expect(story).toMatch(/worker ready: h, e, kernel \S*, node n/);
    expect(story).toMatch(/write-image succeeded in 1\.5s\n/);
    expect(story).not.toContain('template install created');
    const types = (await ok('events', '--id', workflowId, '--output', 'json'))
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: { type: string } }).event.type);
    expect(types).toEqual([
      'WorkflowCreated',
      'ActionStarted',
      'WorkflowDataUpdated',
      'ActionSucceeded',
      'ActionStarted',
      'ActionSucceeded',
      'WorkflowFinished',
    ]);
    const failures = await ok('events', '--type', 'ActionFailed', '--from', 'all');
    expect(failures).toBe('');
  });

  it('goes on with events after the server was restarted', async () => {
    let restarted = false;
    const followed = await real.tink.follow(['events', '--type', 'template', '--follow', '-m', 'all'], async (line) => {
      if (line.includes('template install created') && !restarted) {
        restarted = true;
        await real.harness.restart();
        await ok('template', 'update', templateId, '--name', 'other');
      }
      return line.includes('template other changed');
    });
    expect(followed.code).toBe(130);
    expect(followed.err).toMatch(/trying again\nconnected again\n/);
    const lines = followed.out.trimEnd().split('\n');
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.filter((line) => line.includes('template install created'))).toHaveLength(1);
  });

  it('watches changes as the original does', async () => {
    const watched = await real.tink.follow(
      ['events', 'watch', '-r', 'template', '-e', 'create'],
      (line) => line === '}',
    );
    expect(JSON.parse(watched.out)).toMatchObject({ resource_id: templateId, event_type: 'EVENT_TYPE_CREATED' });
    let seen = false;
    const watching = real.tink.follow(['hardware', 'watch', hardwareId], (line) => {
      seen = JSON.parse(line) !== undefined;
      return true;
    });
    // Nothing says when it has begun to watch, so the host name changes until it is seen to.
    for (let n = 2; !seen; n++) {
      expect(
        (await real.tink.run(['hardware', 'push'], { input: hardware.replaceAll('node-1', `node-${n}`) })).code,
      ).toBe(0);
    }
    const { code, out } = await watching;
    expect(code).toBe(130);
    expect(out).toMatch(/"mac":"08:00:27:00:00:01","hostname":"node-\d+"/);
  });

  it('ends with 1 when the workflow fails, and says why, on a terminal too', async () => {
    const created = await ok('workflow', 'create', '-t', templateId, '-r', '{"device_1":"192.168.1.5"}');
    const id = uuid.exec(created)?.[0] ?? '';
    const worker = await real.harness.worker(hardwareId, 'boot-2');
    const assigned = await worker.assigned();
    await worker.started(assigned);
    await worker.log(assigned, 'progress: 45%');
    // script(1) gives it a terminal.
    const command = `stty cols 80 rows 24; exec ${process.execPath} ${real.tink.bundle} workflow watch ${id}`;
    const terminal = spawn('script', ['-qefc', command, '/dev/null'], {
      cwd: real.dir,
      env: { PATH: process.env['PATH'], HOME: real.dir, TERM: 'xterm' },
    });
    let drawn = '';
    const finish = () =>
      worker.finished(assigned, { outcome: 'failed', reason: 'exit', exitCode: 17, message: 'no such disk' });
    let reported = false;
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      drawn += text;
      if (reported || !drawn.includes('progress: 45%')) return;
      reported = true;
      void finish();
    });
    const [code] = (await once(terminal, 'close')) as [number];
    expect(code).toBe(1);
    expect(drawn).toContain('▸ disk-wipe    running');
    expect(drawn).toMatch(/✖ disk-wipe {4}failed {6,}1\.5s/);
    expect(drawn).toContain('exit code 17: no such disk');
    expect(drawn).toMatch(/workflow FAILED/);
    expect((await real.tink.run(['workflow', 'watch', id])).code).toBe(1);
  });

  it('has neither NATS nor SQLite in its bundle', async () =>
    expect(await readFile(real.tink.bundle, 'utf8')).not.toMatch(/better-sqlite3|jetstreamManager|\$JS\.API/));

  it('proves that the log is whole, and shows who did what', async () => {
    expect(await ok('audit', 'verify')).toMatch(/\nOK: nothing was removed, altered or reordered\n$/);
    await ok('audit', 'export', '--file', 'log.jsonl.gz');
    await writeFile(join(real.dir, 'site.pem'), await ok('audit', 'key'));
    const verify = ['audit', 'verify', '--file', 'log.jsonl.gz', '--key', 'site.pem', '-o', 'json'];
    expect(JSON.parse(await ok(...verify))).toMatchObject({ ok: true, findings: [] });
    const packed = await readFile(join(real.dir, 'log.jsonl.gz'));
    const changed = gunzipSync(packed).toString().replace('user:admin', 'user:nobody');
    await writeFile(join(real.dir, 'log.jsonl.gz'), changed);
    const found = await real.tink.run(verify);
    expect(found.code).toBe(1);
    const { findings } = JSON.parse(found.out) as { findings: readonly { position: number; kind: string }[] };
    expect(findings[0]).toMatchObject({ position: 1, kind: 'altered' });
    const rows = await ok(
      'audit',
      'log',
      '--actor',
      'user:',
      '--type',
      'TemplateCreated',
      '--from',
      'all',
      '-o',
      'csv',
    );
    expect(rows).toMatch(/^Position,When,.*\n\d+,20\d\d-.*,user:admin,TemplateCreated,template,/);
  });

  it('issues worker tokens', async () => {
    const issued = await real.tink.run(['worker', 'token', hardwareId]);
    expect(issued).toMatchObject({ code: 0 });
    expect(issued.out).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
    expect((await real.tink.run(['worker', 'token', templateId])).code).toBe(4);
  });

  it('deletes and reports each', async () => {
    const gone = await real.tink.run(['template', 'delete', templateId, templateId]);
    expect(gone).toEqual({ code: 4, out: `Deleted\t${templateId}\n`, err: `Error\t${templateId}\tnot found\n` });
    expect(await ok('workflow', 'delete', workflowId)).toBe(`Deleted\t${workflowId}\n`);
    expect(await ok('hardware', 'delete', hardwareId)).toBe(`Deleted\t${hardwareId}\n`);
    expect((await real.tink.run(['workflow', 'state', workflowId])).code).toBe(4);
    expect(await ok('hardware', 'list', '-q')).toBe('');
  });
});
