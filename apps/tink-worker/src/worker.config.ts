import { IsIn, IsInt, IsNotEmpty, IsOptional, IsString, IsUrl, Matches, Max, Min, ValidateIf } from 'class-validator';

const url = { protocols: ['http', 'https'], require_protocol: true, require_tld: false };
const whenSet = ValidateIf((_, value) => value !== '');

/** The environment of the worker; README.md has the table. Empty means: not given. */
export class TinkWorkerConfig {
  /** The hardware id. */
  @Matches(/^[A-Za-z0-9_-]{1,64}$/, { message: 'give the hardware id: 1 to 64 of A-Z a-z 0-9 _ -' })
  readonly WORKER_ID!: string;
  @whenSet
  @Matches(/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i, { message: 'not a MAC address' })
  readonly HW_ADDR: string = '';
  @whenSet
  @IsUrl(url)
  readonly TINK_SERVER_URL: string = '';
  @whenSet
  @IsUrl(url)
  readonly TINK_CERT_URL: string = '';
  @whenSet
  @Matches(/^[0-9a-f]{64}$/i, { message: 'not the hex of a SHA-256' })
  readonly TINK_CA_SHA256: string = '';
  @IsString()
  readonly TINK_TOKEN: string = '';
  /** Default: `credentials.json` in TINK_STATE_DIR. */
  @IsString()
  readonly TINK_WORKER_CREDENTIALS: string = '';
  @IsNotEmpty()
  readonly TINK_STATE_DIR: string = '/var/lib/tink-worker';
  @Matches(/^\//, { message: 'must be an absolute path' })
  readonly TINK_WORKFLOW_DIR: string = '/worker';
  @IsNotEmpty()
  readonly DOCKER_SOCKET: string = '/var/run/docker.sock';
  @IsNotEmpty()
  readonly DOCKER_CERTS_DIR: string = '/etc/docker/certs.d';
  @whenSet
  @Matches(/^[A-Za-z0-9.[\]_-]+(:\d+)?$/, { message: 'must be host or host:port' })
  readonly DOCKER_REGISTRY: string = '';
  @IsString()
  readonly REGISTRY_USERNAME: string = '';
  @IsString()
  readonly REGISTRY_PASSWORD: string = '';
  @IsString()
  readonly TINK_REBOOT_COMMAND: string = '';
  /** Of ephemeral data, bytes. */
  @IsInt()
  @Min(2)
  @Max(10 * 1024 * 1024)
  readonly MAX_FILE_SIZE: number = 10 * 1024 * 1024;
  /** Longest pause between two tries, seconds. */
  @IsInt()
  @Min(1)
  @Max(300)
  readonly RETRY_INTERVAL: number = 5;
  /** Actions that may run at the same time. */
  @IsInt()
  @Min(1)
  @Max(64)
  readonly TINK_WORKER_PARALLEL: number = 4;
  @IsIn(['true', 'false'])
  readonly CAPTURE_ACTION_LOGS: string = 'true';
  @IsOptional()
  @IsIn(['0', '1'])
  readonly OSIE_CONSOLE: string = '0';
}
