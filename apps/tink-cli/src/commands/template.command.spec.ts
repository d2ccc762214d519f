import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTinkServer, refusal } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';
import { templateId, templateItem } from '../testing/samples';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

const text =
  'version: "0.1"\nname: install\ntasks:\n  - name: os\n    worker: "{{.device_1}}"\n    actions:\n      - name: wipe\n        image: Foo Bar\n';

describe('tink template create', () => {
  it.each([
    ['a file', ['-p', 't.yaml'], {}],
    ['standard input', [], { input: text }],
    ['standard input, named -', ['--path', '-'], { input: text }],
  ])('sends the text from %s as it is', async (_, args, given) => {
    fake.on('POST /api/templates', { json: { id: templateId, position: 1 } });
    const ran = await runTink(['template', 'create', '-n', 'install', ...args], {
      server,
      files: { 't.yaml': text },
      ...given,
    });
    expect(ran).toEqual({ code: 0, out: `Created Template:  ${templateId}\n`, err: '' });
    expect(fake.asked[0]?.body).toEqual({ name: 'install', data: text });
  });

  it('prints every fault with its place and the offending line', async () => {
    const faults = [
      { path: 'tasks[0].actions[0].image', line: 8, column: 16, message: 'invalid action image: Foo Bar' },
      { path: 'tasks[0].name', line: 4, column: 11, message: 'too short' },
    ];
    fake.on('POST /api/templates', refusal(422, 'INVALID', 'two things', { faults }));
    const ran = await runTink(['template', 'create', '-n', 'install', '-p', 't.yaml'], {
      server,
      files: { 't.yaml': text },
    });
    expect(ran).toEqual({
      code: 1,
      out: '',
      err: [
        't.yaml:8:16: tasks[0].actions[0].image: invalid action image: Foo Bar',
        '    8 |         image: Foo Bar',
        '      |                ^',
        't.yaml:4:11: tasks[0].name: too short',
        '    4 |   - name: os',
        '      |           ^',
        'Error: t.yaml was refused: 2 faults; nothing was changed',
        '',
      ].join('\n'),
    });
  });

  it('needs a name', async () => {
    const ran = await runTink(['template', 'create'], { server, input: text });
    expect(ran.code).toBe(2);
    expect(ran.err).toContain('--name (-n) is required');
    expect(fake.asked).toEqual([]);
  });

  it('does not wait for somebody to type a template', async () => {
    expect(await runTink(['template', 'create', '-n', 'x'], { server })).toMatchObject({ code: 2 });
  });
});

describe('tink template get and list', () => {
  it('prints the text of a template, byte for byte', async () => {
    fake.on(`GET /api/templates/${templateId}`, { json: templateItem({ data: text }) });
    expect((await runTink(['template', 'get', templateId], { server })).out).toBe(text);
  });

  it('prints the row of tink 0.6 when asked for a format', async () => {
    fake.on('GET /api/templates/install', { json: templateItem() });
    const { out } = await runTink(['template', 'get', 'install', '-o', 'table'], { server });
    expect(out).toContain('| TEMPLATE ID                          | TEMPLATE NAME | CREATED AT | UPDATED AT |');
    expect(out).toContain(`| ${templateId} | install       | 10m ago    | 5m ago     |`);
  });

  it.each([['get'], ['list']])('%s without arguments is the table of all', async (verb) => {
    fake.on('GET /api/templates', { json: [templateItem(), templateItem({ name: 'second' })] });
    const { out } = await runTink(['template', verb], { server });
    expect(out).toContain('| install       |');
    expect(out).toContain('| second        |');
  });

  it('lists ids, exact times, and documents', async () => {
    fake.on('GET /api/templates', { json: [templateItem()] });
    expect((await runTink(['template', 'list', '-q'], { server })).out).toBe(`${templateId}\n`);
    expect((await runTink(['template', 'list', '-o', 'wide'], { server })).out).toContain('2026-01-01T00:05:00.000Z');
    expect(JSON.parse((await runTink(['template', 'list', '-o', 'json'], { server })).out)).toEqual([templateItem()]);
  });
});

describe('tink template update and delete', () => {
  it.each([
    ['the text', ['-p', 't.yaml'], { data: text }],
    ['the name', ['-n', 'other'], { name: 'other' }],
    ['both', ['-n', 'other', '-p', 't.yaml'], { name: 'other', data: text }],
  ])('changes %s', async (_, args, body) => {
    fake.on(`PUT /api/templates/${templateId}`, { json: { id: templateId, position: 2 } });
    const ran = await runTink(['template', 'update', templateId, ...args], { server, files: { 't.yaml': text } });
    expect(ran).toEqual({ code: 0, out: `Updated Template:  ${templateId}\n`, err: '' });
    expect(fake.asked[0]?.body).toEqual(body);
  });

  it('finds the id of a name', async () => {
    fake
      .on('GET /api/templates/install', { json: templateItem() })
      .on(`PUT /api/templates/${templateId}`, { json: {} });
    expect((await runTink(['template', 'update', 'install', '-n', 'x'], { server })).code).toBe(0);
  });

  it('deletes and reports each', async () => {
    fake.on(`DELETE /api/templates/${templateId}`, { json: {} });
    expect(await runTink(['template', 'delete', templateId], { server })).toEqual({
      code: 0,
      out: `Deleted\t${templateId}\n`,
      err: '',
    });
  });
});
