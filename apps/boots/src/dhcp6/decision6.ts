import type { Lease6, Lease6Command } from '@tinkerbell/domain';
import type { Dhcp6Message } from '@tinkerbell/dhcp6';
import type { HardwareDhcp6Option, NetbootOffered } from '@tinkerbell/events';
import type { BootUrls } from '../dhcp/boot-file';
import type { ClientClass } from '../dhcp/client-class';
import type { Ticket } from '../ipxe/script-tickets';
import type { Machine } from '../machines';
import type { SubnetPool6, Subnet6 } from './subnet6';

export interface Dhcp6Settings {
  /** Ours, never given out. */
  readonly address: string;
  readonly nameServers: readonly string[];
  readonly urls: BootUrls;
  /** For machines that no record has, and records that say 0. */
  readonly leaseSeconds: number;
  /** RFC 8415 §21.8. */
  readonly preference: number;
  readonly quarantineSeconds: number;
  /** How long the ticket in a script's URL is good for; 0: scripts need none. */
  readonly ticketSeconds: number;
  readonly subnets: readonly Subnet6[];
  readonly classes: readonly ClientClass[];
}

/** What is leased, as of the last commit. */
export interface Leases6 {
  holderOf(address: string, now: string): Lease6 | undefined;
  isFree(address: string, now: string): boolean;
  addressesOf(clientId: string): readonly string[];
}

/** All that the answer to one message depends on. */
export interface Dhcp6Context {
  readonly server: Dhcp6Settings;
  /** Our DUID. */
  readonly duid: Uint8Array;
  readonly leases: Leases6;
  /** null: nothing gives it away. */
  readonly mac: string | null;
  /** undefined: no hardware record has that MAC. */
  readonly machine?: Machine;
  /** The networks of the client's link, as far as they are configured. */
  readonly wire: readonly Subnet6[];
  /** That of them which it is told the options of; undefined: none is configured. */
  readonly subnet?: Subnet6;
  /** What the client's record and its classes set by number; of each code the first counts. */
  readonly options: readonly HardwareDhcp6Option[];
  /** Those of the link that the client may have an address of. */
  readonly pools: readonly SubnetPool6[];
  /** It declined so many addresses that it is given none of a pool. */
  readonly isHeldOff: boolean;
  /** Whether a hardware record has that address, or the relay or this server on the client's link. */
  isReserved(address: string): boolean;
  /** Whether the record of this network card has that address. */
  hasReservation(mac: string, address: string): boolean;
  /** Address of the relay on the client's link, null without one. */
  readonly relay: string | null;
  /** Sent to our address instead of the group of all servers. */
  readonly isUnicast: boolean;
  readonly mayNetboot: boolean;
  /** Program that was served to this machine just before, '' for none. */
  readonly chained: string;
  /** For the URL of the script; undefined: none is needed. */
  readonly ticket?: Ticket & { readonly expiresAt: string };
  /** ISO 8601. */
  readonly now: string;
}

export type Ignore6Reason =
  | 'message-type'
  | 'no-client-id'
  | 'server-id'
  | 'other-server'
  | 'unicast'
  | 'association'
  /** More than any client has. */
  | 'associations'
  | 'unknown-machine'
  | 'no-address'
  | 'declined-too-often'
  /** Another client has its reserved one, and there is no other. */
  | 'address-in-use'
  | 'other-network';

export type Dhcp6Decision =
  | {
      readonly kind: 'reply';
      readonly message: Dhcp6Message;
      /** Facts that have to be stored before the reply leaves. */
      readonly leases: readonly Lease6Command[];
      readonly boot: NetbootOffered['data'] | undefined;
      /** Why it gets no address; undefined: it does, or that says nothing of us. */
      readonly refused: Ignore6Reason | undefined;
    }
  | { readonly kind: 'ignore'; readonly reason: Ignore6Reason };

export function ignore6(reason: Ignore6Reason): Dhcp6Decision {
  return { kind: 'ignore', reason };
}
