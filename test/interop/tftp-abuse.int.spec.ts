// What comes to a TFTP server's port that no decent client sends; after each, a decent client is served.
import { truncate, symlink, writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, afterAll, describe, expect, it } from 'vitest';
import { startBootsOnLoopback } from './net/boots-on-loopback';
import { readFileFrom, request, talk } from './net/tftp-talk';

const small = Uint8Array.from({ length: 40_000 }, (_, i) => (i * 31 + (i >> 9)) & 0xff);
const large = Uint8Array.from({ length: 3 << 20 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
const files = { 'small.efi': small, 'large.efi': large };
type Boots = Awaited<ReturnType<typeof startBootsOnLoopback>>;
let boots: Boots;
const start = async (settings: Readonly<Record<string, unknown>> = {}) =>
  (boots = await startBootsOnLoopback(files, settings));
afterEach(() => boots.close());

async function servesOthers(options: Readonly<Record<string, string>> = {}): Promise<void> {
  const got = await readFileFrom(boots.tftp.port, request('small.efi', options));
  expect(got.equals(small)).toBe(true);
}

/** A request whose strings are bytes as given, latin1. */
const raw = (text: string) => Buffer.from(`\0\x01${text}`, 'latin1');

describe('names', () => {
  let outside: string;
  beforeAll(async () => {
    outside = await mkdtemp(join(tmpdir(), 'outside-'));
    await writeFile(join(outside, 'secret.efi'), 'not for machines');
  });
  afterAll(() => rm(outside, { recursive: true, force: true }));

  it.each([
    '../secret.efi',
    '..\\secret.efi',
    '/etc/passwd',
    'C:\\secret.efi',
    '%2e%2e/secret.efi',
    '..%2fsecret.efi',
    '%252e%252e%252fsecret.efi',
    './../secret.efi',
    'small.efi/../../secret.efi',
    '....//secret.efi',
    '\xc0\xae\xc0\xae/secret.efi',
    '\xc0\xae\xc0\xae\xc0\xafsecret.efi',
    '02:00:00:00:00:01/../secret.efi',
    '02:00:00:00:00:01/..\\..\\secret.efi',
    'link.efi',
    '.',
    '/',
    '~root/secret.efi',
    'x'.repeat(400),
  ])('%j is refused', async (name) => {
    await start();
    await symlink(join(outside, 'secret.efi'), join(boots.folder, 'link.efi'));
    const client = await talk();
    await client.send(raw(`${name}\0octet\0`), boots.tftp.port);
    const { packet } = await client.next();
    expect(packet).toMatchObject({ op: 'error' });
    expect([1, 2]).toContain(packet.op === 'error' ? packet.code : undefined);
    await client.close();
    await servesOthers();
  });

  it.each([
    ['without a mode', 'small.efi\0'],
    ['without its NUL', 'small.efi'],
    ['of 64 KB', `${'a'.repeat(65_000)}\0octet\0`],
    ['that is empty', '\0octet\0'],
  ])('a name %s gets no answer', async (_, text) => {
    await start();
    const client = await talk();
    await client.send(raw(text), boots.tftp.port);
    await servesOthers();
    expect(client.heard).toEqual([]);
    expect(boots.metrics.total('tftp_dropped_total', { reason: 'malformed' })).toBe(1);
    await client.close();
  });

  it('with a NUL inside: what follows is the mode', async () => {
    await start();
    const client = await talk();
    await client.send(raw('small.efi\0.txt\0octet\0\0'), boots.tftp.port);
    expect((await client.next()).packet).toMatchObject({ op: 'error', code: 4, message: 'mode .txt is not supported' });
    await client.close();
  });
});

describe('writing', () => {
  it.each(['small.efi', 'new.efi', '../new.efi'])('%s is refused, whatever it is', async (file) => {
    await start();
    const client = await talk();
    await client.send({ op: 'wrq', file, mode: 'octet', options: new Map([['tsize', '9']]) }, boots.tftp.port);
    expect((await client.next()).packet).toEqual({ op: 'error', code: 2, message: 'this server is read-only' });
    await client.close();
    await servesOthers();
  });
});

describe('options', () => {
  it.each([
    { blksize: '0' },
    { blksize: '1' },
    { blksize: '7' },
    { blksize: '65465' },
    { blksize: '-1' },
    { blksize: 'many' },
    { windowsize: '0' },
    { windowsize: '65535' },
    { windowsize: '65536' },
    { timeout: '0' },
    { timeout: '99999' },
    { tsize: 'big' },
  ])('%j ends in a file or an error, and others are served', async (options) => {
    await start();
    const client = await talk();
    await client.send(request('large.efi', options as unknown as Readonly<Record<string, string>>), boots.tftp.port);
    const { packet, port } = await client.next();
    expect(['data', 'oack']).toContain(packet.op);
    await client.send({ op: 'error', code: 8, message: 'no' }, port);
    await client.close();
    await servesOthers({ blksize: '1468', windowsize: '16' });
  });
});

describe.each([{ BOOTS_UDP_BATCHES: 'true' }, { BOOTS_UDP_BATCHES: 'false' }])('strangers, %j', (batches) => {
  it.each([false, true])('are told that they are, and disturb nobody: single port %j', async (isSingle) => {
    await start({ ...batches, BOOTS_TFTP_SINGLE_PORT: String(isSingle) });
    const [client, stranger] = [await talk(), await talk()];
    await client.send(request('small.efi'), boots.tftp.port);
    const first = await client.next();
    expect(first.port === boots.tftp.port).toBe(isSingle);
    await stranger.send({ op: 'ack', block: 1 }, first.port);
    expect((await stranger.next()).packet).toMatchObject({ op: 'error', code: 5 });
    // An error is never answered, or two servers would go on for ever.
    await stranger.send({ op: 'error', code: 0, message: '' }, first.port);
    await client.send({ op: 'ack', block: 1 }, first.port);
    expect((await client.next()).packet).toMatchObject({ op: 'data', block: 2 });
    expect(stranger.heard).toEqual([]);
    await Promise.all([client.close(), stranger.close()]);
  });

  it('a late ACK of a transfer that is over is no stranger’s', async () => {
    await start({ ...batches, BOOTS_TFTP_SINGLE_PORT: 'true' });
    const client = await talk();
    await client.send(request('small.efi', { blksize: '1468', windowsize: '64' }), boots.tftp.port);
    await client.next();
    await client.send({ op: 'ack', block: 0 }, boots.tftp.port);
    for (let i = 0; i < 28; i++) await client.next();
    for (let i = 0; i < 3; i++) await client.send({ op: 'ack', block: 28 }, boots.tftp.port);
    await client.send(request('large.efi'), boots.tftp.port);
    expect((await client.next()).packet).toMatchObject({ op: 'data', block: 1 });
    expect(client.heard).toEqual([]);
    await client.close();
  });

  it('a machine that was reset and asks for another file from the same port gets it', async () => {
    await start(batches);
    const client = await talk();
    await client.send(request('large.efi'), boots.tftp.port);
    const { port } = await client.next();
    await client.send({ op: 'ack', block: 1 }, port);
    await client.next();
    await client.send(request('small.efi', { tsize: '0' }), boots.tftp.port);
    const options = new Map([['tsize', String(small.length)]]);
    expect((await client.next()).packet).toEqual({ op: 'oack', options });
    await client.close();
  });

  it('a file that becomes shorter ends its transfers with an error', async () => {
    await start(batches);
    const client = await talk();
    await client.send(request('large.efi', { blksize: '1468', windowsize: '64' }), boots.tftp.port);
    const { port } = await client.next();
    await truncate(join(boots.folder, 'large.efi'), 1000);
    await client.send({ op: 'ack', block: 0 }, port);
    expect((await client.next()).packet).toEqual({ op: 'error', code: 0, message: 'large.efi cannot be read' });
    await client.close();
    await servesOthers();
  });
});

describe('10,000 half-open transfers', () => {
  it('take the place of each other, and a real client is served among them', async () => {
    const limit = 200;
    await start({ BOOTS_TFTP_MAX_TRANSFERS: limit });
    const slow = await talk();
    await slow.send(request('small.efi'), boots.tftp.port);
    const begun = await slow.next();
    await slow.send({ op: 'ack', block: 1 }, begun.port);
    await slow.next();
    const before = process.memoryUsage.rss();
    const asked = request('large.efi', { blksize: '1468', windowsize: '64' });
    const count = 10_000;
    for (let sent = 0; sent < count; sent += 100) {
      // Each from an address of its own.
      const flood = await Promise.all(
        Array.from({ length: 100 }, (_, i) => talk(`127.1.${(sent + i) >> 8}.${(sent + i) & 0xff}`)),
      );
      await Promise.all(flood.map((client) => client.send(asked, boots.tftp.port)));
      await Promise.all(flood.map((client) => client.next()));
      await Promise.all(flood.map((client) => client.close()));
      if (sent % 1000 === 0) await servesOthers({ blksize: '1468', windowsize: '8' });
    }
    expect(boots.metrics.total('tftp_dropped_total', { reason: 'displaced' })).toBeGreaterThanOrEqual(count - limit);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 << 20);
    // Who answered once stays.
    await slow.send({ op: 'ack', block: 2 }, begun.port);
    for (;;) {
      const { packet } = await slow.next();
      if (packet.op === 'data' && packet.block === 3) break;
      expect(packet).toMatchObject({ op: 'data', block: 2 });
    }
    await slow.close();
  });
});

describe('one address', () => {
  const options = { blksize: '512', timeout: '255' };
  /** A transfer that goes on as long as its client wants it to. */
  async function held(file = 'large.efi') {
    const client = await talk();
    await client.send(request(file, options), boots.tftp.port);
    const { packet, port } = await client.next();
    expect(packet.op).toBe('oack');
    await client.send({ op: 'ack', block: 0 }, port);
    expect((await client.next()).packet).toMatchObject({ op: 'data', block: 1 });
    return { ...client, end: () => client.send({ op: 'error', code: 0, message: 'enough' }, port) };
  }
  const others = () => readFileFrom(boots.tftp.port, request('small.efi'), '127.0.0.9');
  const dropped = (reason: string) => boots.metrics.total('tftp_dropped_total', { reason });

  it.each([
    [{ BOOTS_TFTP_MAX_TRANSFERS: 50 }, 25],
    [{ BOOTS_TFTP_MAX_TRANSFERS: 50, BOOTS_TFTP_MAX_PER_CLIENT: 10 }, 10],
  ])('does not get all transfers: %j', async (settings, share) => {
    await start(settings);
    const clients = [];
    for (let i = 0; i < share; i++) clients.push(await held());
    const beyond = await talk();
    await beyond.send(request('small.efi', options), boots.tftp.port);
    await expect.poll(() => dropped('too-many-of-client')).toBe(1);
    for (let i = 0; i < 3; i++) expect((await others()).equals(small)).toBe(true);
    // No error, at which firmware would give up: it asks again, and is served once there is room.
    expect(beyond.heard).toEqual([]);
    await clients[0]?.end();
    await expect.poll(() => boots.metrics.total('tftp_transfers_total', { result: 'aborted' })).toBe(1);
    await beyond.send(request('small.efi', options), boots.tftp.port);
    expect((await beyond.next()).packet).toMatchObject({ op: 'oack' });
    await expect.poll(boots.events).toContainEqual(
      expect.objectContaining({
        type: 'BootRequestFailed',
        data: expect.objectContaining({ protocol: 'tftp', reason: 'too-many-of-client', detail: 'small.efi' }),
      }),
    );
    for (const client of [...clients, beyond]) await client.close();
  });

  it('whose requests others forged gets its files: those that are never answered give way', async () => {
    await start({ BOOTS_TFTP_MAX_TRANSFERS: 50 });
    const forged = [];
    for (let i = 0; i < 40; i++) {
      const client = await talk();
      await client.send(request('large.efi', options), boots.tftp.port);
      await client.next();
      forged.push(client);
    }
    await servesOthers();
    expect(dropped('too-many-of-client')).toBe(0);
    for (const client of forged) await client.close();
  });

  it('does not keep a transfer that it takes hardly anything of, whatever `timeout` it named', async () => {
    await start({ BOOTS_TFTP_PROGRESS_SECONDS: 3 });
    const client = await held();
    // The next one that comes is no block.
    expect((await client.next()).packet).toEqual({ op: 'error', code: 0, message: 'too slow' });
    expect(boots.metrics.total('tftp_transfers_total', { result: 'too-slow' })).toBe(1);
    await expect.poll(boots.events).toContainEqual(
      expect.objectContaining({
        type: 'BootRequestFailed',
        data: expect.objectContaining({ reason: 'too-slow', detail: 'large.efi, after 0 bytes' }),
      }),
    );
    await client.close();
  });
});

describe('many at once', () => {
  it('all get what they asked for, though some fetch much in the largest windows without a pause', async () => {
    await start();
    let isOver = false;
    let fetched = 0;
    const greedy = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const got = await readFileFrom(boots.tftp.port, request('large.efi', { blksize: '1468', windowsize: '64' }));
        expect(got.equals(large)).toBe(true);
        fetched++;
      }
    });
    await expect.poll(() => fetched).toBeGreaterThanOrEqual(greedy.length);
    const before = fetched;
    const all = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        readFileFrom(boots.tftp.port, request('small.efi', { blksize: '1468', windowsize: String(1 + (i % 16)) })),
      ),
    );
    // Each was in the midst of a file, and gets it to the end.
    isOver = true;
    await Promise.all(greedy);
    expect(all.filter((got) => got.equals(small))).toHaveLength(200);
    expect(fetched).toBeGreaterThanOrEqual(before + greedy.length);
  });

  it('netascii of a file that is too large for it is refused with the way out', async () => {
    await start();
    await writeFile(join(boots.folder, 'huge.efi'), Buffer.alloc((4 << 20) + 1));
    const client = await talk();
    await client.send(request('huge.efi', {}, 'netascii'), boots.tftp.port);
    expect((await client.next()).packet).toMatchObject({ op: 'error', code: 0 });
    await client.close();
    await expect(readFileFrom(boots.tftp.port, request('huge.efi', {}, 'netascii'))).rejects.toThrow(
      'too large for netascii, ask for octet',
    );
  });
});
