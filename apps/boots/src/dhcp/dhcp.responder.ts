import {
  broadcastFlag,
  type DhcpPacket,
  maxMessageSize,
  message,
  messageType,
  noAddress,
  option,
  readOption,
  requestedAddress,
  serverIdentifier,
} from '@tinkerbell/dhcp';
import type { SingleLeaseCommand } from '@tinkerbell/domain';
import type { HardwareInterface, LeaseRenewed, NetbootOffered } from '@tinkerbell/events';
import { type BootClient, bootClientOf } from './boot-client';
import { bootFile, type BootUrls } from './boot-file';
import { type Destination, replyDestination } from './destination';
import { echoed, replyOptions, type SiteOptions } from './reply-options';

export interface DhcpServerSettings {
  readonly site: SiteOptions;
  readonly urls: BootUrls;
  /** For records that say 0. */
  readonly leaseSeconds: number;
}

/** All that the answer to one request depends on. */
export interface DhcpContext {
  /** The reservation of this MAC; undefined: an unknown machine. */
  readonly machine?: { readonly mac: string; readonly hardwareId: string; readonly interface: HardwareInterface };
  /** Another machine that holds the reserved address, and whether its record still says so. */
  readonly holder?: { readonly mac: string; readonly hardwareId: string; readonly isReserved: boolean };
  readonly mayNetboot: boolean;
  /** Program that was served to this machine just before, '' for none. */
  readonly chained: string;
  readonly server: DhcpServerSettings;
  /** Where the request came in: on the broadcast address, or sent to ours. */
  readonly arrival: 'broadcast' | 'unicast';
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
  | 'other-server'
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
  readonly boot?: NetbootOffered['data'];
}

export type DhcpDecision =
  | DhcpReply
  /** Nothing to send, something to remember: RELEASE and DECLINE. */
  | { readonly kind: 'record'; readonly leases: readonly SingleLeaseCommand[] }
  | { readonly kind: 'ignore'; readonly reason: IgnoreReason };

/** What one request has to be answered with, RFC 2131 §4.3. Throws MalformedOptionError for an option that it needs and cannot read. */
export function respond(request: DhcpPacket, context: DhcpContext): DhcpDecision {
  if (request.op !== 'request') return ignore('not-a-request');
  const type = readOption(request.options, messageType);
  if (type === undefined) return ignore('no-message-type');
  const { machine } = context;
  if (!machine) return ignore('unknown-machine');
  const address = machine.interface.dhcp.ip?.family === 4 ? machine.interface.dhcp.ip.address : '';
  if (address === '') return ignore('no-reserved-address');
  const known: Known = { request, context, machine, address };
  switch (type) {
    case 'discover':
      return context.holder?.isReserved ? ignore('address-in-use') : offer(known);
    case 'request':
      return answerRequest(known);
    case 'release':
      return release(known);
    case 'decline':
      return decline(known);
    case 'inform':
      return inform(known);
    default:
      return ignore('message-type');
  }
}

interface Known {
  readonly request: DhcpPacket;
  readonly context: DhcpContext;
  readonly machine: NonNullable<DhcpContext['machine']>;
  readonly address: string;
}

function offer(known: Known): DhcpReply {
  return { ...reply(known, 'offer', leaseSecondsOf(known)), leases: [] };
}

/**
 * RFC 2131 §4.3.2. A request that names no address at all breaks the RFC (the npm package dhcp sends such), but with a reservation
 * there is only one that it can mean.
 */
function answerRequest(known: Known): DhcpDecision {
  const { request, context, address } = known;
  const server = readOption(request.options, serverIdentifier);
  const wanted = readOption(request.options, requestedAddress);
  if (server !== undefined && server !== context.server.site.address) return ignore('other-server');
  const hasAddress = request.ciaddr !== noAddress;
  if (server !== undefined || (wanted === undefined && !hasAddress)) {
    return acknowledge(known, wanted ?? (hasAddress ? request.ciaddr : address), 'selecting');
  }
  if (wanted !== undefined && !hasAddress) return acknowledge(known, wanted, 'init-reboot');
  // A renewal is sent to us, a rebinding to everybody; through a relay both arrive alike, as a rebinding.
  const isRenewal = context.arrival === 'unicast' && request.giaddr === noAddress;
  return acknowledge(known, request.ciaddr, isRenewal ? 'renewing' : 'rebinding');
}

function acknowledge(known: Known, wanted: string, clientState: LeaseRenewed['data']['clientState']): DhcpReply {
  const { request, context, machine, address } = known;
  if (wanted !== address) return refuse(known, wanted, `this machine has ${address}`);
  if (context.holder?.isReserved) return refuse(known, wanted, `${address} is leased to another machine`);
  const { mac, hardwareId } = machine;
  const { hostname } = machine.interface.dhcp;
  const leaseSeconds = leaseSecondsOf(known);
  const giaddr = request.giaddr === noAddress ? null : request.giaddr;
  const answer = reply(known, 'ack', leaseSeconds);
  return {
    ...answer,
    leases: [
      // The record was given to this machine while the old one's lease still ran.
      ...(context.holder ? [{ type: 'ReleaseLease' as const, ...holderOf(context.holder), ip: address }] : []),
      {
        type: 'BindLease',
        ...{ mac, hardwareId, ip: address, hostname, leaseSeconds, giaddr, clientState, now: context.now },
      },
    ],
  };
}

function holderOf({ mac, hardwareId }: NonNullable<DhcpContext['holder']>) {
  return { mac, hardwareId };
}

function refuse({ request, context, machine, address }: Known, requested: string, reason: string): DhcpReply {
  const { mac, hardwareId } = machine;
  const { site } = context.server;
  return {
    kind: 'reply',
    packet: {
      ...skeleton(request),
      // The relay has to broadcast it: the client's address is the very thing that is wrong (§4.3.2).
      flags: request.giaddr === noAddress ? request.flags : request.flags | broadcastFlag,
      options: new Map([
        option(messageType, 'nak'),
        option(serverIdentifier, site.address),
        option(message, reason),
        ...echoed(request.options, [61, 82]),
      ]),
    },
    destination: replyDestination(request, 'nak'),
    maxSize: sizeLimit(request),
    leases: [{ type: 'RefuseLease', mac, hardwareId, ip: address, requested, reason }],
  };
}

function release({ request, context, machine, address }: Known): DhcpDecision {
  const server = readOption(request.options, serverIdentifier);
  if (server !== undefined && server !== context.server.site.address) return ignore('other-server');
  if (request.ciaddr !== address) return ignore('other-address');
  const { mac, hardwareId } = machine;
  return { kind: 'record', leases: [{ type: 'ReleaseLease', mac, hardwareId, ip: address }] };
}

/** §4.3.3. The reservation stays: what the operator wrote is not ours to change, but the event says that it cannot work. */
function decline({ request, context, machine, address }: Known): DhcpDecision {
  const server = readOption(request.options, serverIdentifier);
  if (server !== undefined && server !== context.server.site.address) return ignore('other-server');
  if (readOption(request.options, requestedAddress) !== address) return ignore('other-address');
  const { mac, hardwareId } = machine;
  const text = request.options.has(message.code) ? (readOption(request.options, message) ?? '') : '';
  return {
    kind: 'record',
    leases: [{ type: 'DeclineLease', mac, hardwareId, ip: address, message: text.slice(0, 200) }],
  };
}

/** §4.3.5: the client has an address already and asks for the rest. */
function inform(known: Known): DhcpDecision {
  if (known.request.ciaddr === noAddress) return ignore('no-requested-address');
  const answer = reply(known, 'ack', null);
  return { ...answer, packet: { ...answer.packet, yiaddr: noAddress }, leases: [] };
}

function reply(known: Known, type: 'offer' | 'ack', leaseSeconds: number | null): Omit<DhcpReply, 'leases'> {
  const { request, context, machine, address } = known;
  const { site } = context.server;
  const boot = bootOf(known);
  const { mac, hardwareId } = machine;
  const record = machine.interface.dhcp;
  return {
    kind: 'reply',
    packet: {
      ...skeleton(request),
      ciaddr: type === 'ack' ? request.ciaddr : noAddress,
      yiaddr: address,
      siaddr: site.address,
      file: boot?.file ?? '',
      options: replyOptions({ type, request: request.options, record, site, leaseSeconds, ...(boot ? { boot } : {}) }),
    },
    destination: replyDestination(request, type),
    maxSize: sizeLimit(request),
    ...(type === 'ack' && leaseSeconds !== null && boot && boot.file !== ''
      ? {
          boot: {
            ...{ hardwareId, mac, ip: address, arch: boot.client.arch, client: boot.client.kind },
            ...{ userClass: boot.client.userClass, bootFile: boot.file },
          },
        }
      : {}),
  };
}

function bootOf({ request, context, machine }: Known): { client: BootClient; file: string } | undefined {
  const client = bootClientOf(request);
  if (!client) return undefined;
  const { mayNetboot, chained, server } = context;
  const { binary } = machine.interface.netboot.ipxe;
  return { client, file: bootFile({ client, mac: machine.mac, binary, chained, mayNetboot }, server.urls) };
}

/** What every reply copies from its request (RFC 2131, table 3). */
function skeleton({ htype, xid, flags, giaddr, chaddr }: DhcpPacket): DhcpPacket {
  const none = { ciaddr: noAddress, yiaddr: noAddress, siaddr: noAddress, sname: '', file: '', options: new Map() };
  return { ...none, op: 'reply', htype, hops: 0, xid, secs: 0, flags, giaddr, chaddr };
}

function leaseSecondsOf({ machine, context }: Known): number {
  const { lease_time } = machine.interface.dhcp;
  return lease_time > 0 ? lease_time : context.server.leaseSeconds;
}

const smallest = 576;
const ethernet = 1500;

/**
 * A client without option 57 takes 576 bytes; one whose option 57 makes no sense too. OVMF says 65280 in its REQUEST (its 255 in the
 * wrong byte order): nothing larger than a frame is sent, firmware need not put fragments together.
 */
function sizeLimit({ options }: DhcpPacket): number {
  const raw = options.get(maxMessageSize.code);
  const size = raw?.length === 2 ? ((raw[0] ?? 0) << 8) | (raw[1] ?? 0) : smallest;
  return Math.min(Math.max(size, smallest), ethernet);
}

function ignore(reason: IgnoreReason): DhcpDecision {
  return { kind: 'ignore', reason };
}
