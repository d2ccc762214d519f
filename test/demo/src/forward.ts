// Carries connections from this side of a Unix socket to a TCP address, or the other way round. A path is visible in every network
// namespace, so two of these connect a port on the host's loopback with one inside the lab, without joining the two networks.
import { rmSync } from 'node:fs';
import { createConnection, createServer, type NetConnectOpts } from 'node:net';

function address(text: string): NetConnectOpts & { path?: string; host?: string; port?: number } {
  if (text.startsWith('/')) return { path: text };
  const [host = '', port = ''] = text.split(':');
  return { host, port: Number(port) };
}

const [from = '', to = ''] = process.argv.slice(2);
const server = createServer((incoming) => {
  const outgoing = createConnection(address(to));
  const close = () => {
    incoming.destroy();
    outgoing.destroy();
  };
  incoming.on('error', close).on('close', close);
  outgoing.on('error', close).on('close', close);
  incoming.pipe(outgoing).pipe(incoming);
});
// What a forwarder before us left behind when it was killed.
if (from.startsWith('/')) rmSync(from, { force: true });
server.listen(address(from), () => {
  const bound = server.address();
  console.log(typeof bound === 'string' || bound === null ? from : String(bound.port));
});
