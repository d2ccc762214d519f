import { IsIn, IsString } from 'class-validator';
import { TinkServerConfig } from './tink-server.config';

/** Settings of tink-server as a process of its own: also where NATS, its keys and its certificates are. */
export class StandaloneConfig extends TinkServerConfig {
  /** Several servers of a cluster with commas between them. */
  @IsString()
  readonly NATS_URL: string = 'tls://127.0.0.1:4222';
  /** Copies of every stream: 1, or 3 or 5 in a cluster of as many servers or more. */
  @IsIn([1, 3, 5])
  readonly TINK_NATS_REPLICAS: number = 1;
  /** Folder of the NATS identity, with the engine's credentials, what signs the workers' and the key of the secrets. */
  @IsString()
  readonly TINK_IDENTITY_DIR: string = '.tinkerbell/identity';
  /** PEM files; certificate and key are read again once a minute. */
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
