import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { startBench } from '../boots.testing';

let bench: Awaited<ReturnType<typeof startBench>>;
afterEach(() => bench.close());
const opened: Socket[] = [];
afterEach(() => opened.splice(0).forEach((socket) => socket.destroy()));

/** Asks, and reads no more than the first bytes of the answer. */
function askAndStall(port: number, path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`));
    opened.push(socket);
    socket.once('error', reject);
    socket.once('data', () => resolve(socket.pause()));
  });
}

it('600 clients that do not read cost little memory, and a fast one gets its file among them', async () => {
  bench = await startBench({});
  const image = Buffer.alloc(64 << 20, 'image');
  await writeFile(join(bench.folders.images, 'disk.raw'), image);
  const before = process.memoryUsage();
  for (let i = 0; i < 600; i += 50) {
    const path = '/images/disk.raw';
    await Promise.all(Array.from({ length: 50 }, () => askAndStall(bench.boots.http.port, path)));
  }
  const { body, status } = await bench.http('/images/disk.raw', { headers: { range: 'bytes=33554432-35651583' } });
  expect(status).toBe(206);
  expect(body.length).toBe(2 << 20);
  // Chunks are shared, whoever waits has one; 600 copies of what a socket holds back would be more.
  const held = process.memoryUsage().arrayBuffers - before.arrayBuffers;
  expect(held).toBeLessThan((64 << 20) + 600 * (64 << 10));
});

it('one that began slowly gets the rest when it reads on', async () => {
  bench = await startBench({});
  const image = Buffer.from(Array.from({ length: 12 << 20 }, (_, i) => (i >> 3) & 0xff));
  await writeFile(join(bench.folders.images, 'disk.raw'), image);
  const parts: Buffer[] = [];
  const socket = connect(bench.boots.http.port, '127.0.0.1');
  socket.write('GET /images/disk.raw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await new Promise<void>((resolve) => socket.once('data', (part: Buffer) => (parts.push(part), resolve())));
  socket.pause();
  const others = await Promise.all(Array.from({ length: 3 }, () => bench.http('/images/disk.raw')));
  expect(others.map(({ body }) => body.length)).toEqual([image.length, image.length, image.length]);
  socket.on('data', (part: Buffer) => parts.push(part));
  await new Promise((resolve) => socket.once('end', resolve).resume());
  const got = Buffer.concat(parts);
  expect(got.subarray(got.indexOf('\r\n\r\n') + 4).equals(image)).toBe(true);
});

it('further connections than the limit are closed', async () => {
  bench = await startBench({ settings: { BOOTS_HTTP_MAX_CONNECTIONS: 2 } });
  await writeFile(join(bench.folders.images, 'disk.raw'), Buffer.alloc(16 << 20));
  const { port } = bench.boots.http;
  await askAndStall(port, '/images/disk.raw');
  await askAndStall(port, '/images/disk.raw');
  const third = connect(port, '127.0.0.1');
  third.on('error', () => undefined);
  await new Promise((resolve) => third.once('close', resolve));
  opened.pop()?.destroy();
  for (;;) {
    const answer = await bench.http('/images/disk.raw', { method: 'HEAD' }).catch(() => undefined);
    if (answer?.status === 200) break;
  }
});

it.each([
  ['a date as old as the file', (modified: string) => modified, 304],
  ['an older date', () => 'Thu, 01 Jan 1970 00:00:00 GMT', 200],
  ['no date at all', () => 'yesterday', 200],
])('If-Modified-Since with %s', async (_, since, status) => {
  bench = await startBench({});
  await writeFile(join(bench.folders.images, 'disk.raw'), 'image');
  const { headers } = await bench.http('/images/disk.raw', { method: 'HEAD' });
  const modified = String(headers['last-modified']);
  const answer = await bench.http('/images/disk.raw', { headers: { 'if-modified-since': since(modified) } });
  expect(answer.status).toBe(status);
  const part = { range: 'bytes=1-2', 'if-range': modified };
  expect((await bench.http('/images/disk.raw', { headers: part })).status).toBe(206);
});
