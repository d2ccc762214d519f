import type { NatsConnection } from 'nats';
import { PoolQuestions } from './nats-pool-questions';
import { subjects } from './subjects';

/** A lease as the file of another DHCP server has it. */
export interface ForeignLease {
  readonly ip: string;
  /** `aa-bb-cc-dd-ee-ff`; null: it names none, or the hardware is not Ethernet. */
  readonly mac: string | null;
  /** Lower-case hex: DHCPv4 option 61; DHCPv6 `<DUID>:<IAID>`. */
  readonly clientId: string | null;
  readonly hostname: string;
  /** `declined`: by its client, `abandoned`: by the server, since somebody else uses the address. */
  readonly state: 'bound' | 'declined' | 'abandoned';
  /** ISO 8601; null: never. */
  readonly expiresAt: string | null;
}

export interface ImportRequest {
  readonly leases: readonly ForeignLease[];
  /** Says what would be, and stores nothing. */
  readonly dryRun: boolean;
  /** In the log as who did it, e.g. `user:admin`. */
  readonly actor: string;
}

export type PassedOverReason = 'expired' | 'outside' | 'reserved' | 'held' | 'elsewhere' | 'no-client' | 'declined';

/** `extended`: it was its client's already, for a shorter time. */
export type ImportedOne =
  | { readonly ip: string; readonly result: 'bound' | 'extended' | 'quarantined' | 'already' }
  | {
      readonly ip: string;
      readonly result: 'passed-over';
      readonly reason: PassedOverReason;
      readonly message: string;
    };

export interface ImportAnswer {
  /** In the order of the request. */
  readonly leases: readonly ImportedOne[];
}

/** In one request: a commit has to stay below 1 MiB, and other clients wait for it. */
export const maxImported = 250;

/** Hands leases to the one boots that may write them: asked again after a BusUnavailableError, it tells of the same leases. */
export class LeaseImports extends PoolQuestions<ImportRequest, ImportAnswer> {
  constructor(connection: NatsConnection) {
    super(connection, subjects.leaseImport);
  }
}
