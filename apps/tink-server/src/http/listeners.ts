import { createServer as createHttp, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';

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

/** `tls`: PEM. */
export function listenHttps(
  app: RequestListener,
  host: string,
  port: number,
  tls: { readonly cert: string; readonly key: string },
): Promise<Listener> {
  return listen(createHttps({ ...limits, cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' }, app), host, port);
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
