import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTinkServer, refusal } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

const route = 'PUT /api/secrets/db-password';
const set = { json: { name: 'db-password', version: 3, position: 9, changed: true } };

describe('tink secret set', () => {
  it.each([
    ['standard input', [], { input: 'hunter22\n' }, 'hunter22'],
    ['standard input, all lines of it', [], { input: 'a\r\nb\r\n' }, 'a\r\nb'],
    ['a file, as it is', ['--value-file', 'key'], { files: { key: 'a\nb\n' } }, 'a\nb\n'],
  ])('takes the value from %s', async (_, flags, surrounding, value) => {
    fake.on(route, set);
    const ran = await runTink(['secret', 'set', 'db-password', ...flags], { server, ...surrounding });
    expect(ran).toEqual({ code: 0, out: 'Set Secret:  db-password, version 3\n', err: '' });
    expect(fake.asked.map(({ body }) => body)).toEqual([{ value }]);
  });

  it.each([
    [['secret', 'set', 'db-password'], {}, "requires the '--value-file' flag, or the value on standard input"],
    [['secret', 'set', 'db-password'], { input: '\n' }, 'standard input is empty'],
    [['secret', 'set', 'db-password', '--value-file', 'none'], {}, 'cannot read none: no such file'],
    [['secret', 'set', 'db-password', 'hunter22'], { input: 'x' }, 'secret set'],
    [['secret', 'set', 'Hunter22'], { input: 'x' }, 'the name of a secret is 1 to 64 of a-z 0-9 -'],
  ])('%j is a mistake that the server hears nothing of', async (args, surrounding, message) => {
    const { code, err } = await runTink(args, { server, ...surrounding });
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(fake.asked).toEqual([]);
  });
});

describe('tink secret list and delete', () => {
  it('shows who set which when', async () => {
    const secrets = [{ name: 'db-password', version: 3, updatedAt: '2026-01-01T00:09:00.000Z', by: 'user:ann' }];
    fake.on('GET /api/secrets', { json: secrets });
    const { out } = await runTink(['secret', 'list'], { server });
    expect(out).toContain('| db-password | 3       | 1m ago     | user:ann |');
    expect(JSON.parse((await runTink(['secret', 'list', '-o', 'json'], { server })).out)).toEqual(secrets);
    expect((await runTink(['__complete', '--server', server, 'secret', 'delete', ''])).out).toContain('db-password');
  });

  it('shows them as they were', async () => {
    fake.on('GET /api/secrets', { json: [] });
    const { code } = await runTink(['secret', 'list', '--at', '2026-01-01T00:00:00Z'], { server });
    expect({ code, url: fake.asked.at(-1)?.url }).toEqual({
      code: 0,
      url: expect.stringContaining('at=2026-01-01T00%3A00%3A00.000Z') as unknown,
    });
  });

  it('deletes each and says what was not there', async () => {
    fake.on('DELETE /api/secrets/a', { json: { changed: true } });
    fake.on('DELETE /api/secrets/b', refusal(404, 'NOT_FOUND', 'secret b not found'));
    const { code, out, err } = await runTink(['secret', 'delete', 'a', 'b'], { server });
    expect({ code, out, err }).toEqual({ code: 4, out: 'Deleted\ta\n', err: 'Error\tb\tnot found\n' });
  });
});
