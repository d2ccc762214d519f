import { X509Certificate } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { type Callers, plainAddress } from '../callers';
import type { Logger } from '../logger';
import type { FailedRequests } from '../recorder/failed-requests';
import type { HttpsFiles } from './https-files';

export interface HttpsParts {
  readonly callers: Pick<Callers, 'at'>;
  readonly failed: Pick<FailedRequests, 'note'>;
  readonly log: Logger;
}

/** A second door to the same house: what comes through it counts, and is closed, as what comes by HTTP. Throws Error for a port in use. */
export async function openHttpsDoor(
  house: HttpServer,
  { cert, key }: HttpsFiles,
  at: { readonly address: string; readonly port: number },
  { callers, failed, log }: HttpsParts,
): Promise<{ readonly port: number; close(): void }> {
  const secureContext = createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  const door = createServer((raw) => {
    // Now: a socket that failed has forgotten its peer.
    const source = plainAddress(raw.remoteAddress ?? '');
    const socket = new TLSSocket(raw, { isServer: true, secureContext });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (!error.code?.startsWith('ERR_SSL')) return;
      const mac = callers.at(source)?.mac;
      const detail = handshakeFault(error);
      log.info(`TLS with ${mac ?? source} failed: ${detail}`);
      failed.note({ protocol: 'http', reason: 'refused', detail: `TLS: ${detail}`, source, ...(mac && { mac }) });
    });
    house.emit('connection', socket);
  });
  door.maxConnections = house.maxConnections;
  await listen(door, at);
  const { issuer, validTo } = new X509Certificate(cert);
  const { port } = door.address() as AddressInfo;
  log.info(`HTTPS on port ${port}, certificate of ${issuer.replaceAll('\n', ', ')} until ${validTo}`);
  return { port, close: () => door.close() };
}

/** What people can do something about, in their words. */
function handshakeFault({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA':
      return 'the machine does not trust the authority of our certificate (unknown CA)';
    case 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE':
    case 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN':
      return 'the machine does not accept our certificate: its authority, its names or its time are not what it expects';
    case 'ERR_SSL_NO_SHARED_CIPHER':
      return 'no cipher in common: firmware without elliptic curves needs a certificate with an RSA key';
    default:
      return message;
  }
}

function listen(server: Server, { address, port }: { readonly address: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Error(`cannot listen for HTTPS on ${address}:${port}: ${cause.message}`, { cause })),
    );
    server.listen({ host: address, port }, resolve);
  });
}
