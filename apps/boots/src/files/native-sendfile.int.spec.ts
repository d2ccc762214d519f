import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NativeSendfile } from './native-sendfile';

const content = randomBytes(32 << 20);
let folder: string;
let handle: FileHandle;
let server: Server;
let ends: readonly [Socket, Socket];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sendfile-'));
  await writeFile(join(folder, 'file'), content);
  handle = await open(join(folder, 'file'));
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  ends = [(await accepted)[0], client];
});
afterEach(async () => {
  for (const end of ends) end.destroy();
  server.close();
  await handle.close();
  await rm(folder, { recursive: true, force: true });
});

const descriptors = async () => (await readdir('/proc/self/fd')).length;

it('sends as much as there is room for, from where it was told to', async () => {
  const sendfile = await NativeSendfile.load();
  const [from, to] = ends;
  const before = await descriptors();
  const start = 12_345;
  const sent = await sendfile.send(from, handle.fd, start, content.length - start);
  expect(sent).toBeGreaterThan(0);
  expect(sent).toBeLessThan(content.length - start);
  const parts: Buffer[] = [];
  let length = 0;
  to.on('data', (part: Buffer) => (parts.push(part), (length += part.length))).resume();
  await expect.poll(() => length).toBe(sent);
  expect(Buffer.concat(parts).equals(content.subarray(start, start + sent))).toBe(true);
  expect(await descriptors()).toBe(before);
});

it('sends nothing past the end of the file, nor to a connection that is closed or has something to send before', async () => {
  const sendfile = await NativeSendfile.load();
  const [from] = ends;
  expect(await sendfile.send(from, handle.fd, content.length, 100)).toBe(0);
  expect(await sendfile.send(null, handle.fd, 0, 100)).toBe(0);
  expect(await sendfile.send(from, -1, 0, 100)).toBe(0);
  from.write(content);
  expect(await sendfile.send(from, handle.fd, 0, 100)).toBe(0);
  from.destroy();
  expect(await sendfile.send(from, handle.fd, 0, 100)).toBe(0);
});

it('serves everybody in turn, and is not disturbed by connections that end meanwhile', async () => {
  const sendfile = await NativeSendfile.load();
  const [from, to] = ends;
  to.resume();
  const before = await descriptors();
  const calls = Array.from({ length: 50 }, (_, i) => sendfile.send(from, handle.fd, i, 1 << 20));
  from.destroy();
  const sent = await Promise.all(calls);
  expect(sent.slice(3).every((count) => count === 0)).toBe(true);
  await expect.poll(descriptors).toBeLessThan(before);
});

it('reads what is in memory, and says so when nothing is', async () => {
  const sendfile = await NativeSendfile.load();
  await handle.read(Buffer.alloc(4096), 0, 4096, 0);
  const into = Buffer.allocUnsafeSlow(100);
  expect(sendfile.readCached(handle.fd, into, 7)).toBe(100);
  expect(into.equals(content.subarray(7, 107))).toBe(true);
  expect(sendfile.readCached(handle.fd, into, content.length)).toBe(0);
  expect(sendfile.readCached(-1, into, 0)).toBe(-1);
});
