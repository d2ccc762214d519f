import { generateKeyPairSync, sign } from 'node:crypto';
import { subjects } from '@tinkerbell/messaging';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditItem } from '../api-types';
import { FakeTinkServer, refusal } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const signer = {
  publicKey: pem,
  sign: (text: string) => sign(null, Buffer.from(text), privateKey).toString('base64'),
};
const otherPem = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();

/** An export of three commits. */
async function exported(): Promise<readonly string[]> {
  // As the program does: the linter wants a library that is loaded late to be loaded late everywhere.
  const { InMemoryEventStore, logFileLines } = await import('@tinkerbell/event-store');
  const store = new InMemoryEventStore({ now: () => new Date('2026-01-01T00:00:00Z') });
  for (const id of ['a', 'b', 'c']) {
    const event = { type: 'TemplateCreated', v: 1, data: { name: id, data: '' } };
    const metadata = { id, actor: 'user:ann' };
    await store.append(subjects.stream('template', id), [event], {
      expected: { position: 0, version: 0, hash: '' },
      metadata,
    });
  }
  const stop = new AbortController();
  const commits = (async function* () {
    for await (const kept of store.messages({ after: 0, signal: stop.signal })) {
      yield kept;
      if (kept.position === 3) return;
    }
  })();
  const lines: string[] = [];
  const source = { product: '1.2.3', createdAt: '2026-01-02T00:00:00.000Z', signer, formerKeys: [], seen: undefined };
  for await (const line of logFileLines({ ...source, commits, last: 3 })) lines.push(JSON.stringify(line));
  return lines;
}

let fake: FakeTinkServer;
let server: string;
let lines: readonly string[];
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
  lines = await exported();
});
afterEach(() => fake.close());

const text = (all: readonly string[]) => all.map((line) => `${line}\n`).join('');
const serve = (all: readonly string[]) => fake.on('GET /api/audit/export', { text: text(all) });
const tampered = () => lines.map((line) => line.replace('"name\\":\\"b\\"', '"name\\":\\"x\\"'));

describe('tink audit verify', () => {
  it('checks the log of the server', async () => {
    serve(lines);
    const ran = await runTink(['audit', 'verify'], { server });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toMatch(
      /^the log of the server, written 2026-01-02T00:00:00.000Z by tinkerbell 1\.2\.3\n {2}3 commits of 3 streams, up to position 3\n {2}no checkpoint yet; the export itself is signed\n {2}hash [0-9a-f]{64}\nOK: nothing was removed, altered or reordered\n$/,
    );
  });

  it('says where something is wrong, and ends with 1', async () => {
    serve(tampered());
    const ran = await runTink(['audit', 'verify'], { server });
    expect(ran.code).toBe(1);
    expect(ran.out).toContain(
      '       2  altered      tink.ev.default.template.b: its bytes, time or stream are not what was exported\nNOT OK: 1 finding\n',
    );
    const json = await runTink(['audit', 'verify', '-o', 'json'], { server });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, commits: 3, findings: [{ position: 2, kind: 'altered' }] });
  });

  it('checks a file without a server, with the key that is given', async () => {
    const files = { 'log.jsonl': text(lines), 'site.pem': `kept in the safe\n${pem}`, 'other.pem': otherPem };
    const trusting = await runTink(['audit', 'verify', '--file', 'log.jsonl'], { files });
    expect(trusting.code).toBe(0);
    expect(trusting.err).toMatch(/checked with the key that the file itself names; --key FILE/);
    expect(await runTink(['audit', 'verify', '--file', 'log.jsonl', '--key', 'site.pem'], { files })).toMatchObject({
      code: 0,
      err: '',
    });
    const foreign = await runTink(['audit', 'verify', '--file', 'log.jsonl', '--key', 'other.pem'], { files });
    expect(foreign.code).toBe(1);
    expect(foreign.out).toMatch(/ foreign key {2}the file is signed by key [0-9a-f]{16}, which is not trusted\n/);
  });

  it('asks only for what comes after a checkpoint', async () => {
    serve(lines);
    const ran = await runTink(['audit', 'verify', '--since', '2', '-o', 'json'], { server });
    expect(fake.asked.at(-1)?.url).toBe('/api/audit/export?since=2');
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toContain('no checkpoint that a trusted key signed covers the log up to exactly position 2');
    const zero = await runTink(['audit', 'verify', '--since', '0'], { server });
    expect(zero).toMatchObject({ code: 2, err: expect.stringContaining('--since must be the position') as string });
  });

  it('says that a file was cut', async () => {
    const files = { cut: text(lines).slice(0, -40) };
    const ran = await runTink(['audit', 'verify', '--file', 'cut'], { files });
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(/ cut +the file ends in the middle of line 5, without its last line\n/);
  });

  it.each([
    [{}, ['--file', 'none'], 2, 'none: no such file'],
    [{ a: 'hello\n' }, ['--file', 'a'], 1, 'it is no export of a log'],
    [{ a: '' }, ['--file', 'a'], 1, 'it is empty'],
    [{ a: 'x', k: 'no key' }, ['--file', 'a', '--key', 'k'], 2, '--key k: there is no public key (PEM) in it'],
    [{ a: 'x' }, ['--file', 'a', '--key', 'k'], 2, 'k: no such file'],
  ])('%j %j', async (files, args, code, message) => {
    const ran = await runTink(['audit', 'verify', ...args], { files });
    expect(ran.code).toBe(code);
    expect(ran.err).toContain(message);
  });

  it('shows how far it is on a terminal', async () => {
    serve(lines);
    const ran = await runTink(['audit', 'verify'], { server, columns: 80 });
    expect(ran.out).toMatch(/^\rchecked: \d commits\u001b\[K\r\u001b\[K/);
  });
});

describe.each([
  ['audit export', 'GET /api/audit/export', ''],
  ['backup', 'GET /api/audit/export', '?bodies=1'],
  ['backup --with-secrets', 'GET /api/audit/export', '?bodies=1&secrets=1'],
])('tink %s', (command, route, query) => {
  const words = command.split(' ');

  it('writes what the server has, checked', async () => {
    serve(lines);
    const files: Record<string, string> = {};
    const ran = await runTink([...words, '--file', 'out'], { server, files });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(files['out']).toBe(text(lines));
    expect(fake.asked.map(({ url }) => url)).toEqual([`/api/audit/export${query}`]);
  });

  it('replaces a file only when told', async () => {
    serve(lines);
    const files: Record<string, string> = { out: 'old' };
    const refused = await runTink([...words, '--file', 'out'], { server, files });
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/out exists already\n.*--force/);
    expect(files['out']).toBe('old');
    expect((await runTink([...words, '--file', 'out', '--force'], { server, files })).code).toBe(0);
    expect(files['out']).toBe(text(lines));
  });

  it('keeps a log with findings and says so', async () => {
    serve(tampered());
    const files: Record<string, string> = {};
    const ran = await runTink([...words, '--file', 'out'], { server, files });
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('it cannot be restored');
    expect(files['out']).toBe(text(tampered()));
  });

  it('leaves no file when the server says no', async () => {
    fake.on(route, refusal(503, 'UNAVAILABLE', 'the log cannot be reached'));
    const files: Record<string, string> = {};
    expect((await runTink([...words, '--file', 'out'], { server, files })).code).toBe(3);
    expect(files).toEqual({});
  });
});

describe('tink restore', () => {
  it('hands on what it was given', async () => {
    const seen: (readonly string[])[] = [];
    const provisioner = (args: readonly string[]) => {
      seen.push(args);
      return Promise.resolve(7);
    };
    const given = ['restore', '--file', 'a', '--data', 'b'];
    expect((await runTink(given, { provisioner })).code).toBe(7);
    await runTink([...given, '--key', 'k', '-o', 'json'], { provisioner });
    expect(seen).toEqual([given, [...given, '--key', 'k', '--json']]);
    expect((await runTink(['restore', '--file', 'a'], { provisioner })).err).toContain('--data is required');
  });
});

describe('tink audit key', () => {
  it('prints the keys one after the other', async () => {
    const keys = [pem, otherPem].map((publicKey, i) => ({ keyId: String(i), publicKey, former: i > 0 }));
    fake.on('GET /api/audit/keys', { json: keys });
    expect((await runTink(['audit', 'key'], { server })).out).toBe(pem + otherPem);
    expect(JSON.parse((await runTink(['audit', 'key', '-o', 'json'], { server })).out)).toEqual(keys);
  });
});

describe('tink audit log', () => {
  const row: AuditItem = {
    position: 7,
    at: '2026-01-01T00:09:00.000Z',
    actor: 'user:ann',
    aggregate: 'lease',
    id: '08-00-27-00-00-01',
    types: ['LeaseBound', 'LeaseReleased'],
    commandId: 'c7',
    correlationId: null,
    causationId: null,
  };
  beforeEach(() => void fake.on('GET /api/audit/log', { lines: [row, { ...row, position: 8 }] }));
  const asked = () => new URL(fake.asked.at(-1)?.url ?? '', 'http://x').searchParams;

  it('shows rows of the last day', async () => {
    const ran = await runTink(['audit', 'log', '-o', 'wide'], { server });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toMatch(
      /\| 7 +\| 2026-01-01T00:09:00.000Z \| user:ann \| LeaseBound, LeaseReleased \| lease \| 08:00:27:00:00:01 \| c7 /,
    );
    expect(Object.fromEntries(asked())).toEqual({ since: '2025-12-31T00:10:00.000Z' });
  });

  it('asks for what is wanted only', async () => {
    const flags = ['--actor', 'user:', '--aggregate', 'lease', '--type', 'LeaseBound', '--limit', '5'];
    await runTink(['audit', 'log', ...flags, '--id', '08:00:27:00:00:01', '--until', '1h'], { server });
    expect(Object.fromEntries(asked())).toEqual({
      actor: 'user:',
      aggregate: 'lease',
      type: 'LeaseBound',
      limit: '5',
      id: '08-00-27-00-00-01',
      until: '2025-12-31T23:10:00.000Z',
    });
    await runTink(['audit', 'log', '--from', 'all', '--after', '6'], { server });
    expect(Object.fromEntries(asked())).toEqual({ after: '6' });
  });

  it('shows the newest, and rows as JSON', async () => {
    const ran = await runTink(['audit', 'log', '--last', '1', '-o', 'json'], { server });
    expect(JSON.parse(ran.out)).toEqual([{ ...row, position: 8 }]);
  });

  it('refuses a time that is none', async () =>
    expect((await runTink(['audit', 'log', '--until', 'noon'], { server })).err).toContain(
      '--until does not understand "noon"',
    ));
});
