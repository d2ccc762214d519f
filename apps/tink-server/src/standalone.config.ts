import { IsIn, IsString } from 'class-validator';
import { TinkServerConfig } from './tink-server.config';

/** Settings of tink-server as a process of its own: also where NATS, its keys and its certificates are. */
export class StandaloneConfig extends TinkServerConfig {
  @IsString()
  readonly NATS_URL: string = 'tls://127.0.0.1:4222';
  /** Folder of the NATS identity, with the engine's credentials, what signs the workers' and the key of the secrets. */
  @IsString()
  readonly TINK_IDENTITY_DIR: string = '.tinkerbell/identity';
  /** PEM files. */
  @IsString()
  readonly TINK_CA_FILE: string = '.tinkerbell/pki/ca.crt';
  @IsString()
  readonly TINK_CERT_FILE: string = '.tinkerbell/pki/server.crt';
  @IsString()
  readonly TINK_KEY_FILE: string = '.tinkerbell/pki/server.key';
  /** Laboratories only: go on although a power loss may take acknowledged commits. */
  @IsIn(['on', 'off'])
  readonly TINK_ALLOW_LAZY_SYNC: 'on' | 'off' = 'off';
}
