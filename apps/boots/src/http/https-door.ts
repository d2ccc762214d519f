import { X509Certificate } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { type Callers, plainAddress } from '../callers';
import type { Logger } from '../logger';
import type { FailedRequests } from '../recorder/failed-requests';
import type { HttpsFiles } from './https-files';

export interface HttpsParts {
  /** The files as they are now; throws for what cannot be used. */
  readonly reread: () => Promise<HttpsFiles>;
  readonly rereadMs?: number;
  readonly callers: Pick<Callers, 'who'>;
  readonly failed: Pick<FailedRequests, 'note'>;
  readonly log: Logger;
}

/** A second door to the same house: what comes through it counts, and is closed, as what comes by HTTP. Throws Error for a port in use. */
export async function openHttpsDoor(
  house: HttpServer,
  files: HttpsFiles,
  at: { readonly address: string; readonly port: number },
  { callers, failed, log, reread, rereadMs = 60_000 }: HttpsParts,
): Promise<{ readonly port: number; close(): void }> {
  const certificate = new Certificate(files, reread, log);
  const door = createServer((raw) => {
    // Now: a socket that failed has forgotten its peer.
    const source = plainAddress(raw.remoteAddress ?? '');
    const socket = new TLSSocket(raw, { isServer: true, secureContext: certificate.context });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (!error.code?.startsWith('ERR_SSL')) return;
      const mac = callers.who(source)?.mac;
      const detail = handshakeFault(error);
      log.info(`TLS with ${mac ?? source} failed: ${detail}`);
      failed.note({ protocol: 'http', reason: 'refused', detail: `TLS: ${detail}`, source, ...(mac && { mac }) });
    });
    house.emit('connection', socket);
  });
  door.maxConnections = house.maxConnections;
  await listen(door, at);
  const { port } = door.address() as AddressInfo;
  log.info(`HTTPS on port ${port}, ${certificate.text}`);
  const watch = setInterval(() => void certificate.renew(), rereadMs).unref();
  return {
    port,
    close: () => {
      clearInterval(watch);
      door.close();
    },
  };
}

/** What machines are shown; new files take its place as soon as they are whole and good. */
class Certificate {
  context: SecureContext;
  private refused = '';

  constructor(
    private files: HttpsFiles,
    private readonly reread: () => Promise<HttpsFiles>,
    private readonly log: Logger,
  ) {
    this.context = contextOf(files);
  }

  get text(): string {
    const { issuer, validTo } = new X509Certificate(this.files.cert);
    return `certificate of ${issuer.replaceAll('\n', ', ')} until ${validTo}`;
  }

  async renew(): Promise<void> {
    try {
      const files = await this.reread();
      this.refused = '';
      if (files.cert === this.files.cert && files.key === this.files.key) return;
      this.context = contextOf(files);
      this.files = files;
      this.log.info(`HTTPS has a new ${this.text}`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== this.refused) this.log.warn(`${message}; HTTPS keeps the certificate that it has`);
      this.refused = message;
    }
  }
}

function contextOf({ cert, key }: HttpsFiles): SecureContext {
  return createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
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
