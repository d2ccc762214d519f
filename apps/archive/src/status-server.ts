import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunningArchive } from './start-archive';

/** `/metrics` (Prometheus) and `/healthz` (503 when mirroring has stopped for good) of a process of its own. */
export async function serveStatus(
  { gauges, blocked }: Pick<RunningArchive, 'gauges' | 'blocked'>,
  address: string,
  port: number,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer(({ url }, response) => {
    if (url === '/metrics') {
      const lines = gauges.map(
        ({ name, help, read }) => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${read()}\n`,
      );
      response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8').end(lines.join(''));
    } else if (url === '/healthz') {
      const reason = blocked();
      response
        .writeHead(reason === undefined ? 200 : 503, { 'content-type': 'application/json' })
        .end(JSON.stringify({ healthy: reason === undefined, reason: reason ?? null }));
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
