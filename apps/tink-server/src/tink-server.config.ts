import { IsIn, IsInt, IsNumber, IsString, Max, Min } from 'class-validator';

const port = 65_535;
const aYear = 31_536_000;

export class TinkServerConfig {
  /** Address to listen on. */
  @IsString()
  readonly TINK_HOST: string = '0.0.0.0';
  /** Address of the gRPC listener when it is another one, e.g. loopback: gRPC asks for no credentials. */
  @IsString()
  readonly TINK_GRPC_HOST: string = '';
  /** gRPC over TLS. A port of 0 is any free one. */
  @IsInt()
  @Min(0)
  @Max(port)
  readonly TINK_GRPC_PORT: number = 42_113;
  @IsInt()
  @Min(0)
  @Max(port)
  readonly TINK_HTTP_PORT: number = 42_114;
  @IsInt()
  @Min(0)
  @Max(port)
  readonly TINK_HTTPS_PORT: number = 42_124;

  /** `debug` adds a line for each request. */
  @IsIn(['error', 'warn', 'info', 'debug'])
  readonly TINK_LOG_LEVEL: 'error' | 'warn' | 'info' | 'debug' = 'info';

  /** Holds the read models (SQLite); may be deleted while the server is down. */
  @IsString()
  readonly TINK_DATA_DIR: string = '.tinkerbell/tink-server';

  /** HTTP Basic for /v1 and /api; both empty: no authentication. */
  @IsString()
  readonly TINK_AUTH_USERNAME: string = '';
  @IsString()
  readonly TINK_AUTH_PASSWORD: string = '';

  /** Who may use them over plain HTTP, where the password can be read on the way: this host only, or everybody. */
  @IsIn(['loopback', 'everywhere'])
  readonly TINK_HTTP_API: 'loopback' | 'everywhere' = 'loopback';

  /** Seconds that the server waits beyond an action's timeout for its worker's report: image pull and a slow network count. */
  @IsNumber()
  @Min(0)
  @Max(aYear)
  readonly TINK_ACTION_GRACE_SECONDS: number = 120;

  /** Seconds that a worker has to confirm that it stopped a cancelled action. */
  @IsNumber()
  @Min(0)
  @Max(aYear)
  readonly TINK_CANCEL_GRACE_SECONDS: number = 60;
  /** Seconds after which it is recorded that a machine with work has not asked for an address; 0: never. */
  @IsNumber()
  @Min(0)
  @Max(aYear)
  readonly TINK_BOOT_DELAY_SECONDS: number = 900;
  /** Seconds after which it is recorded that the worker of a machine that boots has not come up, or does not begin its work; 0: never. */
  @IsNumber()
  @Min(0)
  @Max(aYear)
  readonly TINK_WORKER_DELAY_SECONDS: number = 600;

  /** Lifetime of a worker's NATS credential, and of a token from POST /api/workers/:id/token. */
  @IsInt()
  @Min(60)
  @Max(aYear)
  readonly TINK_CREDENTIAL_SECONDS: number = 86_400;
  @IsInt()
  @Min(1)
  @Max(aYear)
  readonly TINK_TOKEN_SECONDS: number = 3_600;

  /** The log is signed after so many commits, and so many seconds after the first one that is not signed. */
  @IsInt()
  @Min(1)
  @Max(10_000)
  readonly TINK_AUDIT_COMMITS: number = 1_000;
  @IsInt()
  @Min(1)
  @Max(86_400)
  readonly TINK_AUDIT_SECONDS: number = 600;

  /** Address of the image registry that workers are told, e.g. `192.168.1.1:5000`; empty: none. */
  @IsString()
  readonly TINK_REGISTRY_ADDRESS: string = '';
  /** What workers that come by IPv6 are told, by name: images have no place for an IPv6 address. OSIE calls the provisioner `tinkerbell.internal`. */
  @IsString()
  readonly TINK_REGISTRY_ADDRESS6: string = '';
  @IsString()
  readonly TINK_REGISTRY_USERNAME: string = '';
  @IsString()
  readonly TINK_REGISTRY_PASSWORD: string = '';

  /** `off` (laboratories): images of templates 1.0 stay as they are named instead of being pinned to their digest when a workflow is made. */
  @IsIn(['on', 'off'])
  readonly TINK_PIN_IMAGES: 'on' | 'off' = 'on';

  /** NATS as workers reach it, e.g. `tls://192.168.1.1:4222`. */
  @IsString()
  readonly TINK_WORKER_NATS_URL: string = 'tls://127.0.0.1:4222';
  /** The same for those that come by IPv6; empty: no other. */
  @IsString()
  readonly TINK_WORKER_NATS_URL6: string = '';

  /** Networks that webhooks may reach beside public addresses, e.g. `10.0.0.0/8,::1/128`: addresses and CIDRs, comma-separated. */
  @IsString()
  readonly TINK_WEBHOOK_NETWORKS: string = '';

  /** `on`: serve the originals' worker calls over gRPC. They carry no proof of who calls. */
  @IsIn(['on', 'off'])
  readonly TINK_COMPAT_WORKER_GRPC: 'on' | 'off' = 'off';
  /** Who may use them: addresses and CIDRs, comma-separated. */
  @IsString()
  readonly TINK_COMPAT_WORKER_NETWORKS: string = '127.0.0.1/32,::1/128';
}
