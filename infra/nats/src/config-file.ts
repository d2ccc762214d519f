import type { NatsIdentity } from '@tinkerbell/identity';

export interface ServerConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly storeDir: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly identity?: Pick<NatsIdentity, 'operatorJwt' | 'systemAccount' | 'account'>;
  /** Loopback only; none when absent. */
  readonly monitorPort?: number;
  readonly maxPayloadBytes: number;
  /** `always`: one fsync for each acknowledged message. Anything else is for laboratories. */
  readonly syncInterval: string;
  readonly serverName: string;
  readonly cluster?: ClusterConfig;
}

/** One server of a cluster. Routes between servers use the same certificate as clients do, and demand one of the peer. */
export interface ClusterConfig {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `host:port` of the cluster listeners, this one may be among them. */
  readonly routes: readonly string[];
  /** PEM file of the authority that signed the servers' certificates; needed with TLS. */
  readonly ca?: string;
}

/**
 * nats-server's configuration. `max_file` is no limit on purpose: what the streams may grow to is declared in streams.ts, and a limit
 * that the server derives from the free space of the day would refuse to start on a disk that filled up.
 */
export function renderConfig(config: ServerConfig): string {
  const { host, port, tls, identity, monitorPort } = config;
  const lines = [
    `server_name: ${quote(config.serverName)}`,
    `listen: ${quote(`${host.includes(':') ? `[${host}]` : host}:${port === 0 ? -1 : port}`)}`,
    `max_payload: ${config.maxPayloadBytes}`,
    'logtime: false',
    ...(monitorPort === undefined ? [] : [`http: ${quote(`127.0.0.1:${monitorPort === 0 ? -1 : monitorPort}`)}`]),
    'jetstream {',
    `  store_dir: ${quote(config.storeDir)}`,
    `  sync_interval: ${config.syncInterval}`,
    `  max_file: ${2 ** 50}`,
    `  max_mem: ${64 * 1024 * 1024}`,
    '}',
  ];
  // Two seconds, the default, are too few when a rack is powered on: who is refused tries again, and then all do so at once for ever.
  if (tls)
    lines.push('tls {', `  cert_file: ${quote(tls.cert)}`, `  key_file: ${quote(tls.key)}`, '  timeout: 10', '}');
  if (config.cluster) lines.push(...clusterLines(config.cluster, tls));
  if (identity) {
    const { operatorJwt, systemAccount, account } = identity;
    lines.push(
      `operator: ${operatorJwt}`,
      `system_account: ${systemAccount.publicKey}`,
      'resolver: MEMORY',
      'resolver_preload {',
      `  ${systemAccount.publicKey}: ${systemAccount.jwt}`,
      `  ${account.publicKey}: ${account.jwt}`,
      '}',
    );
  }
  return `${lines.join('\n')}\n`;
}

function clusterLines({ name, host, port, routes, ca }: ClusterConfig, tls: ServerConfig['tls']): readonly string[] {
  const lines = [
    'cluster {',
    `  name: ${quote(name)}`,
    `  listen: ${quote(`${host}:${port}`)}`,
    `  routes: [${routes.map((route) => quote(`nats://${route}`)).join(', ')}]`,
  ];
  if (tls && ca) {
    const files = [`cert_file: ${quote(tls.cert)}`, `key_file: ${quote(tls.key)}`, `ca_file: ${quote(ca)}`];
    lines.push('  tls {', ...files.map((file) => `    ${file}`), '    verify: true', '  }');
  }
  return [...lines, '}'];
}

/** The configuration's strings take the same escapes as JSON's. */
const quote = (text: string) => JSON.stringify(text);
