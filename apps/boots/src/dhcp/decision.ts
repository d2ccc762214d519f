import { type DhcpPacket, maxMessageSize, noAddress } from '@tinkerbell/dhcp';
import type { SingleLeaseCommand } from '@tinkerbell/domain';
import type { HardwareInterface, NetbootOffered } from '@tinkerbell/events';
import type { Ticket } from '../ipxe/script-tickets';
import type { BootUrls } from './boot-file';
import { type Destination, replyDestination } from './destination';
import type { ModeRules } from './dhcp-mode';
import type { Origin } from './origin';
import type { Pooled } from './pool-desk';
import type { SiteOptions } from './reply-options';

export interface DhcpServerSettings {
  readonly site: SiteOptions;
  readonly urls: BootUrls;
  /** For records that say 0. */
  readonly leaseSeconds: number;
  readonly modes: ModeRules;
  /** How long the ticket in a script's URL is good for; 0: scripts need none. */
  readonly ticketSeconds: number;
  /** Whether BOOTP clients with a reservation are answered. */
  readonly bootp: boolean;
}

/** A network card that asks. `hardwareId`: null without a record. */
export interface Party {
  readonly mac: string;
  readonly hardwareId: string | null;
  readonly interface: HardwareInterface;
}

/** All that the answer to one request depends on. */
export interface DhcpContext {
  /** The record of this MAC; undefined: an unknown machine. */
  readonly machine?: Party | undefined;
  /** What it can have from the pools of its network; undefined: it has a reservation, or there are none. */
  readonly pooled?: Pooled | undefined;
  /** Another client that holds the reserved address, and whether it keeps that: from a pool, or because its record still says so. */
  readonly holder?:
    | {
        readonly mac: string | null;
        readonly hardwareId: string | null;
        readonly clientId: string | null;
        readonly isReserved: boolean;
      }
    | undefined;
  readonly mayNetboot: boolean;
  /** Program that was served to this machine just before, '' for none. */
  readonly chained: string;
  /** For the script's URL; undefined: the client is no iPXE, or the site does without. */
  readonly ticket?: (Ticket & { readonly expiresAt: string }) | undefined;
  readonly server: DhcpServerSettings;
  /** Where the request came in: on the broadcast address, sent to ours, or sent to port 4011 there. */
  readonly arrival: 'broadcast' | 'unicast' | 'pxe';
  /** Who sent it, by its datagram. */
  readonly source: { readonly address: string; readonly port: number };
  /** Bytes of the message. */
  readonly size: number;
  /** The lease that this very REQUEST was given a moment ago: the client repeats it because the ACK was lost. */
  readonly granted?: { readonly ip: string; readonly expiresAt: string } | undefined;
  /** ISO 8601. */
  readonly now: string;
}

export type IgnoreReason =
  | 'not-a-request'
  | 'no-message-type'
  | 'message-type'
  | 'not-ethernet'
  | 'unknown-machine'
  | 'no-reserved-address'
  | 'address-in-use'
  | 'no-free-address'
  /** It is offered no more, so that others are. */
  | 'declined-too-often'
  /** RFC 2131 §4.3.2: of a lease that we know nothing of, another server may. */
  | 'unknown-lease'
  | 'other-server'
  | 'other-network'
  | 'mode'
  /** What a client says to the other server. */
  | 'not-for-proxy'
  | 'no-boot-client'
  | 'no-boot-file'
  | 'no-requested-address'
  | 'other-address';

export interface DhcpReply {
  readonly kind: 'reply';
  readonly packet: DhcpPacket;
  readonly destination: Destination;
  /** Bytes of the IP datagram. */
  readonly maxSize: number;
  /** Facts that have to be stored before the reply leaves. */
  readonly leases: readonly SingleLeaseCommand[];
  readonly boot: NetbootOffered['data'] | undefined;
  /** A reserved address to a Raspberry Pi: old ones take it without a REQUEST. */
  readonly offersPi?: boolean;
}

export type DhcpDecision =
  | DhcpReply
  /** Nothing to send, something to remember: RELEASE and DECLINE. */
  | { readonly kind: 'record'; readonly leases: readonly SingleLeaseCommand[] }
  | { readonly kind: 'ignore'; readonly reason: IgnoreReason };

/** A request with what it is answered from. */
export interface Known {
  readonly request: DhcpPacket;
  readonly context: DhcpContext;
  readonly machine: Party;
  readonly origin: Origin;
  /** The reserved one, or that from a pool; '' where the address is another server's business, or there is none. */
  readonly address: string;
  readonly pooled?: Pooled | undefined;
}

/** Where the reply goes, RFC 2131 §4.1 and RFC 8357. */
export function destinationOf({ request, origin, context }: Known, reply: 'offer' | 'ack' | 'nak'): Destination {
  const usual = replyDestination(request, reply);
  return usual.port === 'server' && origin.hasOwnPort ? { address: usual.address, port: context.source.port } : usual;
}

/** With what every reply copies from its request (RFC 2131, table 3). */
export function skeleton(
  { htype, xid, flags, giaddr, chaddr }: DhcpPacket,
  { ciaddr = noAddress, yiaddr = noAddress, siaddr = noAddress, file = '', options }: ReplyFields,
): DhcpPacket {
  return {
    op: 'reply',
    htype,
    hops: 0,
    xid,
    secs: 0,
    flags,
    ciaddr,
    yiaddr,
    siaddr,
    giaddr,
    chaddr,
    sname: '',
    file,
    options,
  };
}

type ReplyFields = Pick<DhcpPacket, 'options'> & Partial<Pick<DhcpPacket, 'ciaddr' | 'yiaddr' | 'siaddr' | 'file'>>;

const smallest = 576;
const ethernet = 1500;

/**
 * A client without option 57 takes 576 bytes; one whose option 57 makes no sense too. OVMF says 65280 in its REQUEST (its 255 in the
 * wrong byte order): nothing larger than a frame is sent, firmware need not put fragments together.
 */
export function sizeLimit({ options }: DhcpPacket): number {
  const raw = options.get(maxMessageSize.code);
  const size = raw?.length === 2 ? ((raw[0] ?? 0) << 8) | (raw[1] ?? 0) : smallest;
  return Math.min(Math.max(size, smallest), ethernet);
}

export function ignore(reason: IgnoreReason): DhcpDecision {
  return { kind: 'ignore', reason };
}
