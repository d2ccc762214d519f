import { IsInt, IsIP, IsString, Max, Min } from 'class-validator';

/** What the archive needs when it runs as a process of its own. */
export class StandaloneConfig {
  @IsString()
  readonly NATS_URL: string = 'tls://127.0.0.1:4222';

  /** PEM file of the authority that signed the server's certificate. */
  @IsString()
  readonly NATS_CA_FILE: string = '';

  /** Credentials file of a user that may read the log. */
  @IsString()
  readonly NATS_CREDS_FILE: string = '';

  /** Where `/metrics` and `/healthz` are served. */
  @IsIP()
  readonly ARCHIVE_HTTP_ADDRESS: string = '127.0.0.1';

  @IsInt()
  @Min(0)
  @Max(65535)
  readonly ARCHIVE_HTTP_PORT: number = 42190;
}
