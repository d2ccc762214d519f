import type { NatsConnection } from 'nats';
import { PoolQuestions } from './nats-pool-questions';
import { subjects } from './subjects';

/** What somebody saw on an address: a lease, or the quarantine after one was declined or somebody else was found. */
export interface SeenOne {
  readonly was: 'bound' | 'declined' | 'conflict';
  /** `aa-bb-cc-dd-ee-ff`. */
  readonly mac: string | null;
  /** Lower-case hex: DHCPv4 option 61; DHCPv6 `<DUID>:<IAID>`. */
  readonly clientId: string | null;
}

export interface EndRequest {
  /** IPv4 or IPv6 (RFC 5952) text. */
  readonly ip: string;
  /** It is not ended when it is another by now; null: whatever it is. */
  readonly seen: SeenOne | null;
  /** Says what would be, and stores nothing. */
  readonly dryRun: boolean;
  /** What the caller calls its request: who did not hear the answer asks again by the same; null: it does not. */
  readonly key: string | null;
  /** In the log as who did it, e.g. `user:admin`. */
  readonly actor: string;
}

/** What is over. */
export interface EndedOne extends SeenOne {
  readonly ip: string;
  readonly hardwareId: string | null;
  readonly subnet: string;
  readonly origin: 'reservation' | 'pool';
  /** ISO 8601: when it would have been over. */
  readonly expiresAt: string;
}

/** `none`: nobody has it. `outside`: it is no address of this pool. `other`: it is not what was seen. */
export type EndAnswer =
  | { readonly result: 'ended'; readonly lease: EndedOne }
  | { readonly result: 'refused'; readonly reason: 'none' | 'outside' | 'other'; readonly message: string };

/** Has the one boots that may write a lease pool give an address free. */
export class LeaseEnds extends PoolQuestions<EndRequest, EndAnswer> {
  constructor(connection: NatsConnection) {
    super(connection, subjects.leaseEnd);
  }
}
