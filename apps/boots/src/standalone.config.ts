import { IsIn, IsString } from 'class-validator';
import { type LogLevel, logLevels } from './logger';

/** What boots needs beside its own settings when it runs as a process of its own. */
export class StandaloneConfig {
  @IsString()
  readonly NATS_URL: string = 'tls://127.0.0.1:4222';
  /** PEM of the CA of NATS and tink-server; machines are told its SHA-256. */
  @IsString()
  readonly TINK_CA_FILE: string = '';
  /** Credentials that may write the streams of lease and boot, and the key-value bucket `tink_lease`. */
  @IsString()
  readonly NATS_CREDS_FILE: string = '';
  /** Credentials of the system account: with them the server is asked whether it writes every commit through to the disk. */
  @IsString()
  readonly NATS_SYSTEM_CREDS_FILE: string = '';
  @IsIn(['on', 'off'])
  readonly TINK_ALLOW_LAZY_SYNC: 'on' | 'off' = 'off';
  /** Folder of the read models and of the lease pools' snapshots; may be deleted at any time. */
  @IsString()
  readonly BOOTS_DATA_DIR: string = '.tinkerbell/boots';
  /** `info` has a line for each reply; where thousands a second are sent, `warn` spares what that costs. */
  @IsIn(logLevels)
  readonly BOOTS_LOG_LEVEL: LogLevel = 'info';
}
