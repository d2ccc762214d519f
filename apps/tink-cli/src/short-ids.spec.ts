import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTinkServer } from './testing/fake-tink-server';
import { runTink } from './testing/run-tink';
import { hardwareItem, templateItem, workflowItem } from './testing/samples';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

const one = '3f2a0000-45a6-11eb-b13d-0242ac120003';
const other = '3f2b0000-45a6-11eb-b13d-0242ac120003';
const hardwareOf = (id: string) => ({ ...hardwareItem(), hardware: { ...hardwareItem().hardware, id } });
const asked = () => fake.asked.map(({ method, url }) => `${method} ${url}`);

describe('the beginning of an id', () => {
  it('stands for the only workflow that begins so, in any case', async () => {
    fake.on('GET /api/workflows', { json: [one, other].map((id) => workflowItem({ id })) });
    for (const id of [one, other]) fake.on(`GET /api/workflows/${id}`, { json: workflowItem({ id }) });
    const { code, out } = await runTink(['workflow', 'get', '3F2A', '3f2b0000-45', '-o', 'json'], { server });
    expect([code, (JSON.parse(out) as readonly { id: string }[]).map(({ id }) => id)]).toEqual([0, [one, other]]);
    // The list was asked for once.
    expect(asked().filter((line) => line.startsWith('GET /api/workflows?'))).toHaveLength(1);
  });

  it.each([
    ['hardware', '/api/hardware'],
    ['template', '/api/templates'],
  ])('is enough for %s, to delete too', async (group, path) => {
    fake.on(`GET ${path}`, {
      json: [one, other].map((id) => (group === 'hardware' ? hardwareOf(id) : templateItem({ id }))),
    });
    fake.on(`DELETE ${path}/${one}`, { json: { id: one, position: 1, changed: true } });
    expect(await runTink([group, 'delete', '3f2a'], { server })).toMatchObject({ code: 0, out: `Deleted\t${one}\n` });
  });

  it('of several is refused with all of them, and nothing is done', async () => {
    fake.on('GET /api/workflows', { json: [one, `3f2a1111${one.slice(8)}`, other].map((id) => workflowItem({ id })) });
    const { code, err } = await runTink(['workflow', 'delete', other, '3f2a'], { server });
    expect(code).toBe(2);
    expect(err).toContain('3f2a is ambiguous: 2 workflows begin so');
    expect(err).toContain(`${one}, 3f2a1111${one.slice(8)}`);
    expect(asked().filter((line) => !line.startsWith('GET'))).toEqual([]);
  });

  it('of none is no id, and three characters are too few', async () => {
    fake.on('GET /api/workflows', { json: [workflowItem({ id: one })] });
    const none = await runTink(['workflow', 'delete', 'beef'], { server });
    expect([none.code, none.err]).toEqual([2, expect.stringMatching(/invalid uuid: beef[^]*no id here begins so/)]);
    const short = await runTink(['workflow', 'delete', '3f2'], { server });
    expect([short.code, short.err]).toEqual([2, expect.stringMatching(/invalid uuid: 3f2[^]*first 4 characters/)]);
  });

  it('gives way to a name: a template may be called beef', async () => {
    const named = templateItem({ id: one, name: 'beef' });
    fake.on('GET /api/templates', { json: [named, templateItem({ id: `beef1111${one.slice(8)}` })] });
    fake.on('GET /api/templates/beef', { json: named });
    const { code, out } = await runTink(['template', 'get', 'beef', '-o', 'json'], { server });
    expect([code, JSON.parse(out)]).toMatchObject([0, { id: one }]);
  });

  it('of a whole id asks for no list', async () => {
    fake.on(`GET /api/workflows/${one}`, { json: workflowItem({ id: one }) });
    expect((await runTink(['workflow', 'get', one, '-o', 'json'], { server })).code).toBe(0);
    expect(asked()).toHaveLength(1);
  });
});
