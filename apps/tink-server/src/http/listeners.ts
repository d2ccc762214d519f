import { createServer as createHttp, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { contextOf, type ServedCertificate } from '../tls/served-certificate';

export interface Listener {
  readonly host: string;
  /** The port really bound. */
  readonly port: number;
  /** Stops accepting, ends idle and streaming connections, and resolves when all are gone. */
  close(): Promise<void>;
}

export function listenHttp(app: RequestListener, host: string, port: number): Promise<Listener> {
  return listen(createHttp(limits, app), host, port);
}

export function listenHttps(
  app: RequestListener,
  host: string,
  port: number,
  certificate: ServedCertificate,
): Promise<Listener> {
  const server = createHttps({ ...limits, ...contextOf(certificate.current) }, app);
  certificate.onRenewed((pair) => server.setSecureContext(contextOf(pair)));
  return listen(server, host, port);
}

// A client that sends its headers slower than this has gone astray.
const limits = { headersTimeout: 15_000, requestTimeout: 120_000 };

async function listen(server: Server, host: string, port: number): Promise<Listener> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  return {
    host,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
