import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startForwarding } from './forwarding';

const answer = Buffer.alloc(8 << 20, 'tinkerbell ');
let dir: string;
const servers: Server[] = [];
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'tink-forward-'))));
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(dir, { recursive: true, force: true });
});

const listening = async (server: Server) => {
  servers.push(server);
  if (!server.listening) await once(server, 'listening');
  return server;
};
const portOf = (server: Server) => (server.address() as AddressInfo).port;

/** Through two forwarders, as from the host into the lab. */
async function connected(onConnection: (socket: Socket) => void): Promise<Socket> {
  const far = await listening(createServer(onConnection).listen(0, '127.0.0.1'));
  const path = join(dir, 'far.sock');
  await listening(startForwarding(path, `127.0.0.1:${portOf(far)}`));
  const near = await listening(startForwarding('127.0.0.1:0', path));
  return connect(portOf(near), '127.0.0.1');
}

it('carries a long answer whole to a reader that is slower than its server, and closes both ends', async () => {
  let closed: Promise<unknown> | undefined;
  const client = await connected((socket) => {
    socket.resume().end(answer);
    closed = once(socket, 'close');
  });
  const chunks: Buffer[] = [];
  for await (const chunk of client as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(Buffer.concat(chunks).equals(answer)).toBe(true);
  await closed;
});

it('tells the server when the client is gone', async () => {
  const server = await new Promise<Socket>(
    (resolve) => void connected(resolve).then((socket) => socket.resetAndDestroy()),
  );
  server.on('error', () => undefined);
  if (!server.closed) await once(server.resume(), 'close');
});
