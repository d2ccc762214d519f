import { dhcpServiceCatalogue, type DhcpServiceEvent } from './dhcp-service.events';
import type { Catalogue, Event } from './event';
import { leaseDeclinedV1, leaseRefusedV1, leaseV1 } from './upcasters/lease.v1';

/** Who a lease is about. A lease pool is one aggregate with one writer, boots; leases that arrive together share a commit. */
export interface LeaseClient {
  /** `aa-bb-cc-dd-ee-ff`; null: a DHCPv6 client that neither its DUID nor its relay gives a MAC for. */
  readonly mac: string | null;
  /** null: a machine that is in no hardware record. */
  readonly hardwareId: string | null;
  /**
   * How the client names itself, lower-case hex: DHCPv4 option 61; DHCPv6 `<DUID>:<IAID>`. null: it did not, and is known by its MAC
   * (RFC 2131 §4.2).
   */
  readonly clientId: string | null;
}

/** One address and who has it. */
export interface LeaseHolder extends LeaseClient {
  /** IPv4 or IPv6 (RFC 5952) text. */
  readonly ip: string;
  /** Name of the subnet in the settings; '' = of none that is configured. */
  readonly subnet: string;
  /** Set down in a hardware record, or taken from a range. */
  readonly origin: 'reservation' | 'pool';
}

interface Term {
  readonly leaseSeconds: number;
  readonly expiresAt: string;
}

/**
 * First ACK to this client, or the first after a release, decline or expiry, or with another card, record or name. `giaddr`: the relay's
 * address, null without one.
 */
export type LeaseBound = Event<'LeaseBound', 2, LeaseHolder & Term & { hostname: string; giaddr: string | null }>;
/** RFC 2131 §4.3.2: the client state that the request was recognised by. DHCPv6: Renew is `renewing`, Rebind `rebinding`. */
export type LeaseRenewed = Event<
  'LeaseRenewed',
  2,
  LeaseHolder & Term & { clientState: 'selecting' | 'init-reboot' | 'renewing' | 'rebinding' }
>;
export type LeaseReleased = Event<'LeaseReleased', 2, LeaseHolder>;
/**
 * The client found the address in use by another machine (RFC 2131 §4.3.3). `quarantinedUntil`: nobody is given it before; null: it is
 * reserved, and stays so.
 */
export type LeaseDeclined = Event<
  'LeaseDeclined',
  2,
  LeaseHolder & { message: string; quarantinedUntil: string | null }
>;
/** A DHCPNAK: the client asked for an address that is not its own. `ip`: its own, null when it has none. */
export type LeaseRefused = Event<
  'LeaseRefused',
  2,
  LeaseClient & { ip: string | null; subnet: string; requested: string; reason: string }
>;
/** The lease is over without a word of the client. `moved`: it was given another address, or the address another record's machine. */
export type LeaseExpired = Event<'LeaseExpired', 1, LeaseHolder & { expiresAt: string; cause: 'time' | 'moved' }>;
/**
 * An operator gave the address free, who is the actor of the commit. `was`: leased, or in quarantine after a LeaseDeclined or a
 * LeaseConflictFound, of which the holder is who had it last, nobody where it was never leased. `expiresAt`: when that would have been over.
 */
export type LeaseEnded = Event<
  'LeaseEnded',
  1,
  LeaseHolder & { was: 'bound' | 'declined' | 'conflict'; expiresAt: string }
>;
/**
 * Behind its LeaseBound, or a LeaseRenewed of a client that begins anew: what the relay says about where the client is plugged in (option
 * 82, RFC 3046), lower-case hex. Only of clients whose relay says something.
 */
export type LeaseRelayed = Event<
  'LeaseRelayed',
  1,
  { ip: string; subnet: string; giaddr: string; circuitId: string | null; remoteId: string | null }
>;
/** Somebody answered on an address that was free by our books: nobody is given it before `quarantinedUntil`. */
export type LeaseConflictFound = Event<
  'LeaseConflictFound',
  1,
  { ip: string; subnet: string; method: 'icmp' | 'arp' | 'nd'; answeredBy: string | null; quarantinedUntil: string }
>;
/**
 * The quarantine of a LeaseDeclined is over before its time: the pools of a client had no other address left. `quarantinedUntil`: when it
 * would have been over. `probed`: whether the wire was asked before, and nobody answered.
 */
export type QuarantineEnded = Event<
  'QuarantineEnded',
  1,
  { ip: string; subnet: string; quarantinedUntil: string; probed: boolean }
>;
/** What a subnet may give out, as configured; recorded when it is new or was changed. `size`: addresses. */
export type PoolDefined = Event<
  'PoolDefined',
  1,
  { subnet: string; pool: string; ranges: readonly string[]; size: number }
>;
/** The settings do not name the pool any more. */
export type PoolDropped = Event<'PoolDropped', 1, { subnet: string; pool: string }>;
/**
 * More (or less) of a pool is in use than before: `level` is the highest of 80, 90 and 100 per cent that is reached, 0 below 80.
 * `used` includes addresses in quarantine.
 */
export type PoolUtilisationCrossed = Event<
  'PoolUtilisationCrossed',
  1,
  { subnet: string; pool: string; level: 0 | 80 | 90 | 100; before: 0 | 80 | 90 | 100; used: number; size: number }
>;

/** What the DHCPv6 servers of this pool call themselves, a DUID in hex (RFC 8415 §11): it must never change, or no client could renew. */
export type ServerNamed = Event<'ServerNamed', 1, { duid: string }>;

export type LeaseEvent =
  | LeaseBound
  | LeaseRenewed
  | LeaseReleased
  | LeaseDeclined
  | LeaseRefused
  | LeaseExpired
  | LeaseEnded
  | LeaseRelayed
  | LeaseConflictFound
  | QuarantineEnded
  | PoolDefined
  | PoolDropped
  | PoolUtilisationCrossed
  | ServerNamed;

export const leaseCatalogue = {
  LeaseBound: { version: 2, upcast: { 1: leaseV1 } },
  LeaseRenewed: { version: 2, upcast: { 1: leaseV1 } },
  LeaseReleased: { version: 2, upcast: { 1: leaseV1 } },
  LeaseDeclined: { version: 2, upcast: { 1: leaseDeclinedV1 } },
  LeaseRefused: { version: 2, upcast: { 1: leaseRefusedV1 } },
  LeaseExpired: { version: 1 },
  LeaseEnded: { version: 1 },
  LeaseRelayed: { version: 1 },
  LeaseConflictFound: { version: 1 },
  QuarantineEnded: { version: 1 },
  PoolDefined: { version: 1 },
  PoolDropped: { version: 1 },
  PoolUtilisationCrossed: { version: 1 },
  ServerNamed: { version: 1 },
  ...dhcpServiceCatalogue,
} satisfies Catalogue<LeaseEvent | DhcpServiceEvent>;
