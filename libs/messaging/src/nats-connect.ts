import type { ConnectionOptions, NatsConnection } from 'nats';
import { gatherWrites } from './nats-writes';

export interface BusOptions {
  /** `tls://host:port`, `nats://host:port` or `host:port`; several for a cluster, as a list or with commas between them. */
  readonly servers: string | readonly string[];
  /** PEM of the authority that signed the server's certificate; with it TLS is demanded. */
  readonly ca?: string;
  /** Text of a credentials file. */
  readonly creds?: string;
  /** A user JWT and the seed of its key; a function is asked again at every reconnection. */
  readonly jwt?: string | (() => string);
  readonly seed?: string;
  /** Of a cluster: stay with the servers named, also when these tell of others. */
  readonly onlyThese?: boolean;
  /** Shown in the server's list of connections. */
  readonly name: string;
  /** Needed where the credential allows replies below one prefix only: `subjects.inboxPrefix(workerId)`. */
  readonly inboxPrefix?: string;
  /** How long to try for the first connection; default for ever. A refused credential is told at once. */
  readonly firstConnectTimeoutMs?: number;
  /** Connected, disconnected and errors that the server reports, for the log. */
  readonly onStatus?: (status: { readonly type: string; readonly detail: string }) => void;
}

/** NATS cannot be reached, or nobody answered in time. The same may be tried again. */
export class BusUnavailableError extends Error {}
/** NATS refused our credential or a subject. */
export class BusForbiddenError extends Error {}

const retryMs = 250;

/** Connects, and reconnects for ever. Throws BusForbiddenError, or BusUnavailableError after `firstConnectTimeoutMs`. */
export async function connectNats(options: BusOptions): Promise<NatsConnection> {
  const nats = await import('nats');
  const connectionOptions = await toConnectionOptions(options);
  const deadline = Date.now() + (options.firstConnectTimeoutMs ?? Number.POSITIVE_INFINITY);
  for (;;) {
    try {
      const connection = await nats.connect(connectionOptions);
      gatherWrites(connection);
      void reportStatus(connection, options);
      return connection;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (isRefusal(error)) {
        throw new BusForbiddenError(`NATS at ${String(options.servers)}: ${message}`, { cause: error });
      }
      if (Date.now() + retryMs > deadline) {
        throw new BusUnavailableError(`NATS at ${String(options.servers)} cannot be reached: ${message}`, {
          cause: error,
        });
      }
      options.onStatus?.({ type: 'retry', detail: message });
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}

async function toConnectionOptions(options: BusOptions): Promise<ConnectionOptions> {
  const { credsAuthenticator, jwtAuthenticator } = await import('nats');
  const { servers, ca, creds, jwt, seed, name, inboxPrefix } = options;
  const bytes = (text: string) => new TextEncoder().encode(text);
  return {
    servers: (typeof servers === 'string' ? servers.split(',') : servers)
      .map((server) => server.trim())
      .filter(Boolean),
    name,
    ignoreClusterUpdates: options.onlyThese ?? false,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    reconnectJitterTLS: 250,
    // A credential that is refused once may be replaced, or the server may be starting with an old configuration.
    ignoreAuthErrorAbort: true,
    // A peer that vanished without a word is noticed after twice this long.
    pingInterval: 10_000,
    timeout: 5_000,
    // A stack for every request, in case it fails: a fifth of what a publish costs.
    noAsyncTraces: true,
    ...(inboxPrefix && { inboxPrefix }),
    ...(ca && { tls: { ca } }),
    ...(creds && { authenticator: credsAuthenticator(bytes(creds)) }),
    ...(jwt && seed && { authenticator: jwtAuthenticator(jwt, bytes(seed)) }),
  };
}

async function reportStatus(connection: NatsConnection, { onStatus }: BusOptions): Promise<void> {
  for await (const { type, data } of connection.status()) {
    onStatus?.({ type, detail: typeof data === 'object' ? JSON.stringify(data) : String(data) });
  }
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof Error &&
    /authorization violation|authentication expired|permissions violation/i.test(error.message)
  );
}
