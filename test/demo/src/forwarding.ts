import { rmSync } from 'node:fs';
import { createConnection, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream';

/** Carries connections from a Unix socket (a path) or `host:port` to another one; each direction ends by itself, after its last byte. */
export function startForwarding(from: string, to: string): Server {
  const server = createServer({ allowHalfOpen: true }, (incoming) => {
    const outgoing = createConnection({ ...address(to), allowHalfOpen: true });
    carry(incoming, outgoing);
    carry(outgoing, incoming);
  });
  // What a forwarder before us left behind when it was killed.
  if (from.startsWith('/')) rmSync(from, { force: true });
  return server.listen(address(from));
}

function carry(from: Socket, to: Socket): void {
  pipeline(from, to, (error) => {
    if (!error) return;
    from.destroy();
    to.destroy();
  });
}

function address(text: string): NetConnectOpts {
  if (text.startsWith('/')) return { path: text };
  const [host = '', port = ''] = text.split(':');
  return { host, port: Number(port) };
}
