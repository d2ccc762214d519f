import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import { startBench } from '../boots.testing';

let bench: Awaited<ReturnType<typeof startBench>>;
afterEach(() => bench.close());
const opened: Socket[] = [];
afterEach(() => opened.splice(0).forEach((socket) => socket.destroy()));

let crowd: ChildProcess | undefined;
afterEach(async () => {
  if (crowd?.kill('SIGKILL')) await once(crowd, 'exit');
  crowd = undefined;
});

/** Connects from twenty addresses, reads the first bytes of each answer and then nothing more. */
const crowdProgram = `
const { connect } = require('node:net');
const [port, count] = process.argv.slice(1).map(Number);
let next = 0, stalled = 0;
function open() {
  if (next === count) return;
  const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.1.' + (1 + (next++ % 20)) });
  socket.on('error', (error) => { console.error(error); process.exit(1); });
  socket.once('data', (part) => {
    socket.pause();
    if (!part.toString('latin1').startsWith('HTTP/1.1 200')) { console.error(part.toString('latin1')); process.exit(1); }
    if (++stalled === count) console.log(count + ' stalled');
    open();
  });
  socket.write('GET /images/disk.raw HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
}
for (let i = 0; i < 100; i++) open();
`;

/** Of this process, as far as it may. */
async function raiseFileLimit(): Promise<void> {
  const [, hard = '0'] = /Max open files +\d+ +(\d+)/.exec(await readFile('/proc/self/limits', 'latin1')) ?? [];
  if (Number(hard) < slow + 500)
    throw new Error(`${hard} open files are allowed, this test needs ${slow + 500}: ulimit -n`);
  await promisify(execFile)('prlimit', ['--pid', String(process.pid), `--nofile=${hard}:${hard}`]);
}

/** Asks, and reads no more than the first bytes of the answer. */
function askAndStall(port: number, path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`));
    opened.push(socket);
    socket.once('error', reject);
    socket.once('data', () => resolve(socket.pause()));
  });
}

const slow = 10_000;

it(
  '10,000 clients that do not read cost little memory, and a fast one gets its file among them',
  { timeout: 240_000 },
  async () => {
    await raiseFileLimit();
    bench = await startBench({});
    const image = Buffer.alloc(16 << 20, 'image');
    await writeFile(join(bench.folders.images, 'disk.raw'), image);
    const before = process.memoryUsage();
    crowd = spawn(
      'sh',
      [
        '-c',
        'ulimit -n $(ulimit -Hn); exec "$0" "$@"',
        process.execPath,
        '-e',
        crowdProgram,
        String(bench.boots.http.port),
        String(slow),
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    expect(await once(createInterface({ input: crowd.stdout ?? process.stdin }), 'line')).toEqual([`${slow} stalled`]);
    const { body, status } = await bench.http('/images/disk.raw', { from: '127.0.0.77' });
    expect(status).toBe(200);
    expect(body.length).toBe(image.length);
    // Chunks are shared, whoever waits has one small copy: 10,000 times what a socket holds back would be gigabytes.
    const held = process.memoryUsage();
    expect(held.arrayBuffers - before.arrayBuffers).toBeLessThan((64 << 20) + slow * (24 << 10));
    expect(held.rss - before.rss).toBeLessThan(1 << 30);
  },
);

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

it.each([
  ['all clients', { BOOTS_HTTP_MAX_CONNECTIONS: 2 }, 'BOOTS_HTTP_MAX_CONNECTIONS', '127.0.0.8'],
  ['one client', { BOOTS_HTTP_MAX_PER_CLIENT: 2 }, 'BOOTS_HTTP_MAX_PER_CLIENT', '127.0.0.1'],
])('further connections than the limit of %s are answered 503', async (_, settings, name, from) => {
  bench = await startBench({ settings });
  await writeFile(join(bench.folders.images, 'disk.raw'), Buffer.alloc(16 << 20));
  const { port } = bench.boots.http;
  await askAndStall(port, '/images/disk.raw');
  await askAndStall(port, '/images/disk.raw');
  const refused = await bench.http('/images/disk.raw', { from });
  expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '10', connection: 'close' } });
  expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'BUSY', message: expect.stringContaining(name) } });
  if (name.endsWith('PER_CLIENT')) {
    expect((await bench.http('/images/disk.raw', { method: 'HEAD', from: '127.0.0.8' })).status).toBe(200);
  }
  opened.pop()?.destroy();
  for (;;) {
    const answer = await bench.http('/images/disk.raw', { method: 'HEAD', from }).catch(() => undefined);
    if (answer?.status === 200) break;
  }
});

it('a connection that stands still is closed', async () => {
  bench = await startBench({ settings: { BOOTS_HTTP_IDLE_SECONDS: 1 } });
  await writeFile(join(bench.folders.images, 'disk.raw'), Buffer.alloc(16 << 20));
  const stalled = await askAndStall(bench.boots.http.port, '/images/disk.raw');
  await expect.poll(() => bench?.boots.metrics.total('http_requests_total', { route: 'images' })).toBe(1);
  let bytes = 0;
  await new Promise<void>((resolve) =>
    stalled
      .on('data', (part: Buffer) => (bytes += part.length))
      .once('close', () => resolve())
      .resume(),
  );
  expect(bytes).toBeLessThan(16 << 20);
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
