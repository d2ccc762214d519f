import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { truncate, utimes, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startBench } from '../boots.testing';

let bench: Awaited<ReturnType<typeof startBench>>;
afterEach(() => bench.close());

const image = randomBytes(12 << 20);

/** Sends what it is given, and reads until the other end closes. */
async function conversation(port: number, text: string, onStart?: (socket: Socket) => unknown): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  const parts: Buffer[] = [];
  socket.on('error', () => undefined).on('data', (part: Buffer) => parts.push(part));
  socket.write(text);
  if (onStart) {
    await once(socket, 'data');
    socket.pause();
    await onStart(socket);
    socket.resume();
  }
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(parts);
}

const get = (headers = '') => `GET /images/disk.raw HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
const last = 'Connection: close\r\n';
/** A body, of the bytes that begin with the head of its answer. */
const bodyIn = (bytes: Buffer) => bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);

describe.each([true, false])('a long file, BOOTS_HTTP_SENDFILE %s', (how) => {
  async function started() {
    bench = await startBench({ settings: { BOOTS_HTTP_SENDFILE: how } });
    await writeFile(join(bench.folders.images, 'disk.raw'), image);
    return bench.boots.http.port;
  }

  it('goes out whole and in part, twice on one connection, in the order of the requests', async () => {
    const port = await started();
    const [from, to] = [1_000_001, 9_000_000];
    const got = await conversation(port, get() + get(`Range: bytes=${from}-${to}\r\n`) + get(last));
    const first = bodyIn(got);
    expect(first.subarray(0, image.length).equals(image)).toBe(true);
    const second = bodyIn(first.subarray(image.length));
    expect(first.subarray(image.length).toString('latin1', 0, 12)).toBe('HTTP/1.1 206');
    expect(second.subarray(0, to + 1 - from).equals(image.subarray(from, to + 1))).toBe(true);
    expect(bodyIn(second.subarray(to + 1 - from)).equals(image)).toBe(true);
  });

  it('reaches those who stay while others go away in the middle of it', async () => {
    const port = await started();
    const leaving = Array.from({ length: 40 }, () => conversation(port, get(), (socket) => socket.destroy()));
    const staying = Array.from({ length: 8 }, () => conversation(port, get(last)));
    for (const got of await Promise.all(staying)) expect(bodyIn(got).equals(image)).toBe(true);
    await Promise.all(leaving);
    const { metrics } = bench.boots;
    await expect.poll(() => metrics.total('http_requests_total', { route: 'images' })).toBe(48);
    expect(metrics.total('boot_files_total', { protocol: 'http' })).toBe(8);
  });

  it('that becomes shorter meanwhile breaks the connection off', async () => {
    const port = await started();
    const path = join(bench.folders.images, 'disk.raw');
    const got = await conversation(port, get(last), () => truncate(path, 11 << 20));
    expect(bodyIn(got).length).toBeLessThan(image.length);
    const { metrics } = bench.boots;
    await expect.poll(() => metrics.total('http_requests_total', { route: 'images' })).toBe(1);
    expect(metrics.total('boot_files_total', { protocol: 'http' })).toBe(0);
  });

  it.each([
    ['whole', ''],
    ['in part', 'Range: bytes=1-\r\n'],
  ])(
    'that is written over meanwhile breaks the connection off, %s: half of each would be neither',
    async (_, range) => {
      const port = await started();
      const path = join(bench.folders.images, 'disk.raw');
      // Another time than now: a clock of files may stand still for some milliseconds.
      await utimes(path, 1, 1);
      const over = () => writeFile(path, Buffer.alloc(image.length), { flag: 'r+' });
      const got = await conversation(port, get(range + last), over);
      expect(bodyIn(got).length).toBeLessThan(image.length - 1);
    },
  );
});
