import { IsString } from 'class-validator';

/** What hegel needs when it runs as a process of its own. */
export class StandaloneConfig {
  @IsString()
  readonly NATS_URL: string = 'tls://127.0.0.1:4222';

  /** PEM file of the authority that signed the server's certificate. */
  @IsString()
  readonly NATS_CA_FILE: string = '';

  /** Credentials file of a user that may read the log. */
  @IsString()
  readonly NATS_CREDS_FILE: string = '';

  /** Folder of the read model; deletable while hegel is down. */
  @IsString()
  readonly HEGEL_DATA_DIR: string = '.tinkerbell/hegel';
}
