import type { EventStore } from '@tinkerbell/event-store';
import type { AuditKey, Pki } from '@tinkerbell/identity';
import type { NatsBus } from '@tinkerbell/messaging';
import type { WorkerCredentials } from './enrolment/enrolment';
import type { TinkReadModels } from './projected-reads';
import type { CertificateFiles } from './tls/served-certificate';

/** What tink-server needs from the process that it runs in. It closes none of it. */
export interface TinkServerPorts {
  readonly store: EventStore;
  readonly bus: NatsBus;
  /** PEM: the authority that `/cert` gives out, and our own certificate. */
  readonly pki: Pick<Pki, 'ca' | 'cert' | 'key'>;
  /** Where `cert` and `key` may be renewed; without, they stay. */
  readonly certificateFiles?: CertificateFiles;
  /** A `NatsIdentity`. */
  readonly credentials: WorkerCredentials;
  /** 32 bytes that the values of secrets are sealed with; see ensureSecretsKey(). */
  readonly secretsKey: Uint8Array;
  /** Signs the log. */
  readonly auditKey: AuditKey;
  /** Shared read models; without them the server opens its own in `dataDir`. */
  readonly readModels?: TinkReadModels;
  /** Shown at /version. */
  readonly version: string;
}

/** `now`: milliseconds since 1970 by the clock of the log, which all servers and boots have in common. */
export type TimedPorts = TinkServerPorts & { readonly now: () => number };
