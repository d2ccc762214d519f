import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTinkServer, refusal } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';
import { hardwareId, hardwareInterface, hardwareItem } from '../testing/samples';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

const record = JSON.stringify({ id: hardwareId, network: { interfaces: [{ dhcp: { mac: 'nonsense' } }] } }, null, 2);

const pushed = { id: hardwareId, position: 3, changed: true, created: false, fields: [] };

describe('tink hardware push', () => {
  it('sends the document from a file, once, with a key that makes repeating it harmless', async () => {
    fake.on('POST /api/hardware', { json: { ...pushed, created: true } });
    const ran = await runTink(['hardware', 'push', '--file', 'm.json'], { server, files: { 'm.json': record } });
    expect(ran).toEqual({ code: 0, out: `Hardware data pushed successfully\ncreated ${hardwareId}\n`, err: '' });
    expect(fake.asked[0]?.body).toEqual(JSON.parse(record));
    expect(fake.asked[0]?.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('says what is another than before in a record that it replaces', async () => {
    const fields = [
      { path: 'network.interfaces[0].dhcp.mac', from: '08:00:27:00:00:01', to: '52:54:00:12:34:56' },
      { path: 'metadata.note', to: { rack: 'a\u001b' } },
    ];
    const answer = { ...pushed, fields };
    fake.on('POST /api/hardware', { json: answer });
    const push = (...args: readonly string[]) => runTink(['hardware', 'push', ...args], { server, input: record });
    expect((await push()).out.split('\n')).toEqual([
      'Hardware data pushed successfully',
      `updated ${hardwareId}, a record that was there before:`,
      '  network.interfaces[0].dhcp.mac: 08:00:27:00:00:01 -> 52:54:00:12:34:56',
      '  metadata.note: none -> {"rack":"a\\u001b"}',
      '',
    ]);
    expect(JSON.parse((await push('-o', 'json')).out)).toEqual(answer);
    fake.on('POST /api/hardware', { json: { ...pushed, changed: false } });
    expect((await push()).out).toContain(`unchanged ${hardwareId}: it is known so already\n`);
  });

  it('reads standard input without a file', async () => {
    fake.on('POST /api/hardware', { json: pushed });
    expect((await runTink(['hardware', 'push'], { server, input: record })).code).toBe(0);
    expect(fake.asked).toHaveLength(1);
  });

  it('says what is missing when there is neither', async () => {
    const ran = await runTink(['hardware', 'push'], { server });
    expect(ran.code).toBe(2);
    expect(ran.err).toContain("either pipe the data or provide the required '--file' flag");
    expect(fake.asked).toEqual([]);
  });

  it('names a file that is not there', async () => {
    const ran = await runTink(['hardware', 'push', '--file', 'gone.json'], { server });
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('cannot read gone.json: no such file');
  });

  it('shows where the text stops being JSON', async () => {
    const text = '{\n  "id": "x",\n  "network" {}\n}';
    const faults = [{ path: '', line: 3, column: 13, message: 'unexpected "{"' }];
    fake.on('POST /api/hardware', refusal(400, 'MALFORMED', 'body is not JSON', { faults }));
    const ran = await runTink(['hardware', 'push'], { server, input: text });
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/^standard input:3:13: unexpected "\{"\n {4}3 \| {3}"network" \{\}\n {6}\| {13}\^\n/);
    expect(fake.asked[0]?.body).toBe(text);
  });

  it('finds the line of a fault that the server names by its path only', async () => {
    const faults = [{ path: 'network.interfaces[0].dhcp.mac', message: '"nonsense" is not a MAC address' }];
    fake.on('POST /api/hardware', refusal(400, 'INVALID', 'not a MAC address', { faults }));
    const ran = await runTink(['hardware', 'push', '--file', 'm.json'], { server, files: { 'm.json': record } });
    expect(ran.code).toBe(1);
    expect(ran.err).toBe(
      [
        'm.json:7:18: network.interfaces[0].dhcp.mac: "nonsense" is not a MAC address',
        '    7 |           "mac": "nonsense"',
        '      |                  ^',
        'Error: m.json was refused: 1 fault; nothing was changed',
        '',
      ].join('\n'),
    );
  });

  it('prints a refusal that is not about one place in the document', async () => {
    fake.on('POST /api/hardware', refusal(409, 'CONFLICT', 'conflicting hardware MAC address 08:00:27:00:00:01'));
    const ran = await runTink(['hardware', 'push'], { server, input: record });
    expect(ran).toEqual({ code: 1, out: '', err: 'Error: conflicting hardware MAC address 08:00:27:00:00:01\n' });
  });
});

describe('tink hardware list', () => {
  it('has one line per interface under the headings of the original', async () => {
    const interfaces = [hardwareInterface(), hardwareInterface('08:00:27:00:00:02', '192.168.1.6')];
    fake.on('GET /api/hardware', {
      json: [hardwareItem(interfaces)],
    });
    const { out } = await runTink(['hardware', 'list'], { server });
    expect(out).toBe(
      [
        '+--------------------------------------+-------------------+-------------+-----------+',
        '| ID                                   | MAC ADDRESS       | IP ADDRESS  | HOSTNAME  |',
        '+--------------------------------------+-------------------+-------------+-----------+',
        `| ${hardwareId} | 08:00:27:00:00:01 | 192.168.1.5 | server001 |`,
        `| ${hardwareId} | 08:00:27:00:00:02 | 192.168.1.6 | server001 |`,
        '+--------------------------------------+-------------------+-------------+-----------+',
        '',
      ].join('\n'),
    );
    expect((await runTink(['hardware', 'list', '-q'], { server })).out).toBe(`${hardwareId}\n${hardwareId}\n`);
  });

  it('prints an empty table for nothing, as the original', async () => {
    fake.on('GET /api/hardware', { json: [] });
    const { out, code } = await runTink(['hardware', 'list'], { server });
    expect(code).toBe(0);
    expect(out.split('\n')).toHaveLength(5);
  });

  it.each([
    ['json', (text: string) => expect(JSON.parse(text)).toEqual([hardwareItem().hardware])],
    ['yaml', (text: string) => expect(text).toMatch(new RegExp(`^- id: ${hardwareId}\n`))],
    ['csv', (text: string) => expect(text).toMatch(/^ID,MAC Address,IP address,Hostname,Arch,.*\n0eba/)],
    ['wide', (text: string) => expect(text).toContain('2026-01-01T00:05:00.000Z')],
  ])('-o %s', async (format, check) => {
    fake.on('GET /api/hardware', { json: [hardwareItem()] });
    check((await runTink(['hardware', 'list', '-o', format], { server })).out);
  });

  it('fetches page after page', async () => {
    fake.on('GET /api/hardware', ({ url }) =>
      url.includes('after=x')
        ? { json: { items: [hardwareItem()] } }
        : { json: { items: [hardwareItem()], next: 'x' } },
    );
    expect((await runTink(['hardware', 'list', '-q'], { server })).out).toBe(`${hardwareId}\n${hardwareId}\n`);
  });
});

describe('tink hardware get', () => {
  it.each([hardwareId, '08:00:27:00:00:01', '192.168.1.5', 'server001'])('finds a machine by %s', async (name) => {
    fake
      .on('GET /api/hardware', { json: [hardwareItem()] })
      .on(`GET /api/hardware/${hardwareId}`, { json: hardwareItem() });
    const { out, code } = await runTink(['hardware', 'get', name, '-o', 'json'], { server });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(hardwareItem().hardware);
  });

  it('wraps JSON as tink 0.6 does when asked with --format', async () => {
    fake.on('GET /api/hardware', { json: [hardwareItem()] });
    const { out } = await runTink(['hardware', 'get', '--format', 'json'], { server });
    expect(JSON.parse(out)).toEqual({ data: [hardwareItem().hardware] });
    const bare = await runTink(['hardware', 'get', '--no-headers'], { server });
    expect(bare.out).not.toContain('HOSTNAME');
  });

  it('exits with 4 for one that is not there', async () => {
    fake.on('GET /api/hardware', { json: [] });
    expect(await runTink(['hardware', 'get', 'nobody'], { server })).toMatchObject({
      code: 4,
      err: 'Error: hardware nobody not found\n',
    });
    expect((await runTink(['hardware', 'get', hardwareId], { server })).code).toBe(4);
  });
});

describe('tink hardware id, mac, ip', () => {
  it('prints a record as one line of JSON', async () => {
    fake.on(`GET /api/hardware/${hardwareId}`, { json: hardwareItem() });
    const { out } = await runTink(['hardware', 'id', hardwareId], { server });
    expect(out.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(out)).toEqual(hardwareItem().hardware);
  });

  it.each([
    ['mac', '08-00-27-00-00-01'],
    ['ip', '192.168.1.5'],
  ])('%s: field by field, or everything with -d', async (verb, value) => {
    fake.on('GET /api/hardware', { json: [hardwareItem()] });
    const { out } = await runTink(['hardware', verb, value], { server });
    expect(out).toContain('| FIELD NAME  | VALUE                                |');
    expect(out).toContain(`| ID          | ${hardwareId} |`);
    expect(out).toContain('| MAC Address | 08:00:27:00:00:01                    |');
    expect(fake.asked[0]?.url).toContain(`${verb}=${value}`);
    expect(JSON.parse((await runTink(['hardware', verb, '-d', value], { server })).out)).toEqual(
      hardwareItem().hardware,
    );
  });

  it.each([
    [['hardware', 'mac', '08:00:27'], 'invalid mac: 08:00:27'],
    [['hardware', 'ip', '1.2.3'], 'invalid ip: 1.2.3'],
    [['hardware', 'ip', '1.2.3.256'], 'invalid ip: 1.2.3.256'],
    [['hardware', 'id', 'node-1'], 'invalid uuid: node-1'],
    [['hardware', 'delete', hardwareId, 'x'], 'invalid uuid: x'],
  ])('%j is refused before the server is asked', async (args, message) => {
    const ran = await runTink(args, { server });
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(message);
    expect(fake.asked).toEqual([]);
  });

  it('exits with 4 when no machine has it', async () => {
    fake.on('GET /api/hardware', { json: [] });
    expect((await runTink(['hardware', 'mac', '08:00:27:00:00:09'], { server })).code).toBe(4);
  });
});

describe('tink hardware delete', () => {
  const other = '11111111-2222-4333-8444-555555555555';

  it('reports every id, also after one that is not there', async () => {
    fake.on(`DELETE /api/hardware/${hardwareId}`, { json: { position: 9 } });
    const ran = await runTink(['hardware', 'delete', other, hardwareId], { server });
    expect(ran).toEqual({ code: 4, out: `Deleted\t${hardwareId}\n`, err: `Error\t${other}\tnot found\n` });
  });

  it('takes one that had been deleted before for one that is not there', async () => {
    fake.on(`DELETE /api/hardware/${hardwareId}`, { json: { position: 9, changed: false } });
    const ran = await runTink(['hardware', 'delete', hardwareId], { server });
    expect(ran).toEqual({ code: 4, out: '', err: `Error\t${hardwareId}\tnot found\n` });
  });

  it('reports a refusal and goes on', async () => {
    fake.on(`DELETE /api/hardware/${other}`, refusal(409, 'CONFLICT', 'has a workflow'));
    fake.on(`DELETE /api/hardware/${hardwareId}`, { json: {} });
    const ran = await runTink(['hardware', 'delete', other, hardwareId], { server });
    expect(ran).toEqual({ code: 1, out: `Deleted\t${hardwareId}\n`, err: `Error\t${other}\thas a workflow\n` });
  });
});

describe('tink hardware rescue', () => {
  it('switches the rescue of every interface, and leaves the rest of the record as it is', async () => {
    const item = hardwareItem();
    fake.on(`GET /api/hardware/${hardwareId}`, { json: item });
    fake.on('POST /api/hardware', { json: { id: hardwareId, position: 3, changed: true } });
    const ran = await runTink(['hardware', 'rescue', hardwareId, 'on'], { server });
    expect(ran).toEqual({ code: 0, out: `rescue of ${hardwareId} is on: restart the machine\n`, err: '' });
    const interfaces = item.hardware.network.interfaces.map((each) => ({
      ...each,
      netboot: { ...each.netboot, rescue: true },
    }));
    expect(fake.asked.at(-1)?.body).toEqual({ ...item.hardware, network: { interfaces } });
  });

  it('keeps what somebody else changed in the record meanwhile', async () => {
    const first = hardwareItem();
    const second = { ...first, position: 9, hardware: { ...first.hardware, metadata: { theirs: true } } };
    const reads = [first, second];
    fake.on(`GET /api/hardware/${hardwareId}`, () => ({ json: reads.shift() }));
    fake.on('POST /api/hardware', ({ url }) =>
      url.endsWith('?ifPosition=9')
        ? { json: { id: hardwareId, position: 10, changed: true } }
        : refusal(409, 'CONFLICT', 'has changed', { field: 'ifPosition' }),
    );
    const ran = await runTink(['hardware', 'rescue', hardwareId, 'on'], { server });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(fake.asked.at(-1)?.body).toMatchObject({ metadata: { theirs: true } });
  });

  it('does not try again what is refused for another reason', async () => {
    fake.on(`GET /api/hardware/${hardwareId}`, { json: hardwareItem() });
    fake.on('POST /api/hardware', refusal(409, 'CONFLICT', 'MAC is taken', { field: 'mac' }));
    const ran = await runTink(['hardware', 'rescue', hardwareId, 'on'], { server });
    expect(ran.err).toContain('MAC is taken');
    expect(fake.asked).toHaveLength(2);
  });

  it('knows on and off only', async () => {
    const ran = await runTink(['hardware', 'rescue', hardwareId, 'maybe'], { server });
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('"maybe" is neither on nor off');
    expect(fake.asked).toEqual([]);
  });
});
