import { createServer, type RequestListener, type Server } from 'node:http';
import type { BootsConfig } from '../boots.config';
import type { ConnectionLimits } from './connection-limits';
import { type HttpsParts, openHttpsDoor } from './https-door';
import { type HttpsFiles, readHttpsFiles } from './https-files';

/** Of IPv6 and of TLS, to the same house. */
export async function openOtherDoors(
  config: BootsConfig,
  server: Server,
  port: number,
  parts: Omit<HttpsParts, 'reread'> & { readonly limits: ConnectionLimits; readonly clock: () => Date },
  files: HttpsFiles | undefined,
) {
  const [handler] = server.listeners('request') as [RequestListener];
  const at = { address: config.BOOTS_HTTP_ADDRESS, port: config.BOOTS_HTTPS_PORT };
  const reread = () => readHttpsFiles(config, parts.clock());
  const https = files && (await openHttpsDoor(server, files, at, { ...parts, reread }));
  try {
    const server6 =
      config.PUBLIC_IP6 === '' ? undefined : await listen6(handler, parts.limits, config.PUBLIC_IP6, port);
    return {
      https,
      close: () => {
        https?.close();
        server6?.closeAllConnections();
        server6?.close();
      },
    };
  } catch (error) {
    https?.close();
    throw error;
  }
}

async function listen6(
  handler: RequestListener,
  limits: ConnectionLimits,
  address: string,
  port: number,
): Promise<Server> {
  const server6 = createServer(handler);
  limits.watch(server6);
  await new Promise<void>((resolve, reject) => {
    server6.once('error', (cause) =>
      reject(new Error(`cannot listen for HTTP on [${address}]:${port}: ${cause.message}`, { cause })),
    );
    server6.listen({ host: address, port, ipv6Only: true }, resolve);
  });
  return server6;
}
