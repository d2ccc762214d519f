import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bench, startBench } from '../boots.testing';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const image = randomBytes(3 << 20);
const digest = sha256(image);

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('SKIPPED: the image cache on a full disk: needs root');

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

let bench: Bench | undefined;
let folder: string;
let origin: string;
let asked: IncomingMessage[];
let serve: Serve;
let server: ReturnType<typeof createServer>;

/** As a file server does: whole, or from where it is asked for. */
const whole: Serve = ({ headers }, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  if (from > 0) response.setHeader('Content-Range', `bytes ${from}-${image.length - 1}/${image.length}`);
  response.writeHead(from > 0 ? 206 : 200, { 'Content-Length': image.length - from }).end(image.subarray(from));
};

beforeEach(async () => {
  asked = [];
  serve = whole;
  folder = await mkdtemp(join(tmpdir(), 'boots-cache-'));
  server = createServer((request, response) => {
    asked.push(request);
    serve(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(async () => {
  await bench?.close();
  bench = undefined;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

const start = async (settings: Readonly<Record<string, unknown>> = {}) =>
  (bench = await startBench({
    settings: { BOOTS_CACHE_ORIGINS: origin, BOOTS_CACHE_DIR: folder, ...settings },
  }));
const path = (name = 'vmlinuz', of = digest) => `/cache/${of}/${origin}${name}`;
const isImage = (body: string | undefined) => Buffer.from(body ?? '', 'latin1').equals(image);
const code = (body: string) => (JSON.parse(body) as { error: { code: string } }).error.code;

describe('the cache of remote files', () => {
  it('asks once, however many ask at once, and not at all when it has the file', async () => {
    const { http } = await start();
    const answers = await Promise.all(Array.from({ length: 10 }, () => http(path())));
    expect(answers.every(({ status, body }) => status === 200 && isImage(body))).toBe(true);
    expect(asked).toHaveLength(1);
    await new Promise((resolve) => server.close(resolve));
    expect(isImage((await http(path())).body)).toBe(true);
    const part = await http(path(), { headers: { range: 'bytes=1000-1999' } });
    expect(part.status).toBe(206);
    expect(Buffer.from(part.body, 'latin1').equals(image.subarray(1000, 2000))).toBe(true);
    const head = await http(path(), { method: 'HEAD' });
    expect(head.headers).toMatchObject({ 'content-length': String(image.length), 'accept-ranges': 'bytes' });
    const etag = String(head.headers['etag']);
    expect((await http(path(), { headers: { 'if-none-match': etag } })).status).toBe(304);
  });

  it('has it after a start anew, too', async () => {
    await (await start()).http(path());
    await bench?.close();
    const { http } = await start();
    expect(isImage((await http(path())).body)).toBe(true);
    expect(asked).toHaveLength(1);
  });

  it('goes on where an origin broke off', async () => {
    serve = (_, response) => {
      serve = whole;
      response.writeHead(200, { 'Content-Length': image.length });
      response.write(image.subarray(0, 1 << 20), () => setTimeout(() => response.destroy(), 50));
    };
    const { http } = await start();
    expect(isImage((await http(path())).body)).toBe(true);
    expect(asked[1]?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('goes on after a start anew, and begins anew where the origin knows no ranges', async () => {
    await writeFile(join(folder, `${digest}.part`), image.subarray(0, 1 << 20));
    const other = sha256(Buffer.from('other'));
    await writeFile(join(folder, `${other}.part`), 'xx');
    const { http } = await start();
    expect(isImage((await http(path())).body)).toBe(true);
    expect(asked[0]?.headers.range).toBe(`bytes=${1 << 20}-`);
    serve = (_, response) => response.end('other');
    expect((await http(path('other', other))).body).toBe('other');
  });

  it('hands out nothing of a file whose digest is another one', async () => {
    const wrong = sha256(Buffer.from('what it should be'));
    const { http } = await start();
    const { status, body } = await http(path('vmlinuz', wrong));
    expect([status, code(body)]).toEqual([502, 'ORIGIN']);
    expect(body).toContain(`has the SHA-256 ${digest}, not ${wrong}`);
    expect(asked).toHaveLength(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it('begins anew when a part of before was that of another version', async () => {
    await writeFile(join(folder, `${digest}.part`), randomBytes(1 << 20));
    const { http } = await start();
    expect(isImage((await http(path())).body)).toBe(true);
    expect(asked.map(({ headers }) => headers.range)).toEqual([`bytes=${1 << 20}-`, undefined]);
  });

  it('begins anew when more lies here of before than the origin has', async () => {
    await writeFile(join(folder, `${digest}.part`), randomBytes(image.length + 1));
    serve = (request, response) => {
      if (request.headers.range === undefined) return whole(request, response);
      response.writeHead(416, { 'Content-Range': `bytes */${image.length}` }).end();
    };
    const { http } = await start();
    expect(isImage((await http(path())).body)).toBe(true);
    expect(asked).toHaveLength(2);
  });

  it.each(['gzip', 'x-gzip'])('takes a compressed file as it lies at an origin that calls it %s', async (encoding) => {
    const packed = gzipSync(image);
    serve = (_, response) =>
      response.writeHead(200, { 'Content-Encoding': encoding, 'Content-Length': packed.length }).end(packed);
    const { http } = await start();
    const { status, body } = await http(path('initrd.gz', sha256(packed)));
    expect([status, Buffer.from(body, 'latin1').equals(packed)]).toEqual([200, true]);
    expect(asked).toHaveLength(1);
  });

  it('fetches anew what a machine that lost its power has lost of a file', async () => {
    await writeFile(join(folder, digest), Buffer.alloc(image.length));
    const { http } = await start();
    const answers = await Promise.all([http(path()), http(path())]);
    expect(answers.map(({ body }) => isImage(body))).toEqual([true, true]);
    expect(isImage((await http(path())).body)).toBe(true);
    expect(asked).toHaveLength(1);
  });

  it('is told of an origin that leads nowhere', async () => {
    serve = (_, response) => response.writeHead(302, { Location: 'http://[' }).end();
    const { http } = await start();
    const { status, body } = await http(path());
    expect([status, code(body)]).toEqual([502, 'ORIGIN']);
  }, 30_000);

  it('keeps to its size: what was not used for the longest time goes', async () => {
    const files = Array.from({ length: 3 }, () => randomBytes(600_000));
    serve = ({ url }, response) => response.end(files[Number(url?.slice(1))]);
    const { http } = await start({ BOOTS_CACHE_BYTES: 1_300_000 });
    const [a, b, c] = files.map((bytes, i) => path(String(i), sha256(bytes)));
    for (const one of [a, b, a, c]) expect((await http(one ?? '')).status).toBe(200);
    expect((await readdir(folder)).sort()).toEqual([files[0], files[2]].map((bytes) => sha256(bytes ?? image)).sort());
    serve = whole;
    const large = await http(path());
    expect([large.status, code(large.body)]).toEqual([507, 'CACHE_TOO_SMALL']);
    expect(await readdir(folder)).not.toContain(`${digest}.part`);
  });

  it('asks no server that it may not, not even when sent there', async () => {
    const { http } = await start();
    const elsewhere = await http(`/cache/${digest}/http://127.0.0.1:1/vmlinuz`);
    expect([elsewhere.status, code(elsewhere.body)]).toEqual([502, 'ORIGIN']);
    expect(asked).toEqual([]);
    serve = (_, response) => response.writeHead(302, { Location: 'http://127.0.0.1:1/vmlinuz' }).end();
    const sent = await http(path());
    expect(sent.body).toContain('http://127.0.0.1:1/vmlinuz is at none of BOOTS_CACHE_ORIGINS');
  }, 30_000);

  it('takes an URL with a query, encoded or with one slash for two', async () => {
    const { http } = await start();
    const encoded = `/cache/${digest}/${encodeURIComponent(`${origin}a?b=c`)}`;
    expect(isImage((await http(encoded)).body)).toBe(true);
    expect(asked[0]?.url).toBe('/a?b=c');
    expect(isImage((await http(path().replace('://', ':/'))).body)).toBe(true);
  });

  describe.skipIf(!isRoot)('on a disk that is smaller than it may be', () => {
    const mount = promisify(execFile);
    const disk = image.length + (1 << 20);
    beforeEach(() => mount('mount', ['-t', 'tmpfs', '-o', `size=${disk}`, 'tmpfs', folder]));
    afterEach(async () => {
      await bench?.close();
      bench = undefined;
      await mount('umount', [folder]);
    });

    it('has room when what was not used for the longest time goes', async () => {
      const other = randomBytes(image.length);
      serve = ({ url }, response) => response.end(url === '/other' ? other : image);
      const { http } = await start();
      expect((await http(path('other', sha256(other)))).status).toBe(200);
      expect(isImage((await http(path())).body)).toBe(true);
      expect(await readdir(folder)).toEqual([digest]);
    });

    it.each([disk + 100, 2 * disk])('hands out nothing of %d bytes, and says why', async (size) => {
      const large = randomBytes(size);
      serve = (_, response) => response.end(large);
      const { http } = await start();
      const { status, body } = await http(path('large', sha256(large)));
      expect([status, code(body)]).toEqual([507, 'CACHE_TOO_SMALL']);
      expect(body).toContain('the disk of the image cache is full');
      expect(await readdir(folder)).toEqual([]);
    });
  });

  it('is not there without a setting, and for what is no digest', async () => {
    const { http } = await start({ BOOTS_CACHE_ORIGINS: '' });
    expect((await http(path())).status).toBe(404);
    await bench?.close();
    expect((await (await start()).http('/cache/abc/http://x/')).status).toBe(404);
    expect(asked).toEqual([]);
    await expect(start({ BOOTS_CACHE_ORIGINS: 'ftp://x/' })).rejects.toThrow(/BOOTS_CACHE_ORIGINS must be URLs/);
  });
});
