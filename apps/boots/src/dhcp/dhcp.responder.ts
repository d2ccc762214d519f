import {
  broadcastFlag,
  clientIdentifier,
  type DhcpPacket,
  macOf,
  message,
  messageType,
  type MessageType,
  noAddress,
  type Options,
  readOption,
  relayAgent,
  requestedAddress,
  serverIdentifier,
  setOption,
} from '@tinkerbell/dhcp';
import { addSeconds, type BindLease, foreverSeconds, type SingleLeaseCommand } from '@tinkerbell/domain';
import type { LeaseHolder, LeaseRenewed } from '@tinkerbell/events';
import { bootFact, bootOf } from './boot-offer';
import { bootpReply } from './bootp';
import {
  destinationOf,
  type DhcpContext,
  type DhcpDecision,
  type DhcpReply,
  type DhcpServerSettings,
  ignore,
  type Known,
  type Party,
  sizeLimit,
  skeleton,
} from './decision';
import { type DhcpMode, isProxy, isSameNetwork, isWithin, modeAt, subnetOf, wireOf } from './dhcp-mode';
import { type Origin, originOf, pluggedIn } from './origin';
import { clientIdOf, clientName } from './client-id';
import { proxy } from './proxy';
import { echo, replyOptions } from './reply-options';
import { strangerOf } from './stranger';
import { inItsSubnet } from './subnet-options';

/** Where a request comes from, and what is to be done there. */
export interface Place {
  readonly origin: Origin;
  readonly mode: DhcpMode;
}

export function placeOf(request: DhcpPacket, server: DhcpServerSettings, arrival: DhcpContext['arrival']): Place {
  const origin = originOf(request, server.site.address, arrival);
  return { origin, mode: modeAt(origin.link, server.modes) };
}

const nothing: readonly SingleLeaseCommand[] = [];

/** What one request has to be answered with, RFC 2131 §4.3. Throws MalformedOptionError for an option that it needs and cannot read. */
export function respond(
  request: DhcpPacket,
  context: DhcpContext,
  { origin, mode }: Place = placeOf(request, context.server, context.arrival),
): DhcpDecision {
  if (request.op !== 'request') return ignore('not-a-request');
  const type = readOption(request.options, messageType);
  if (type === undefined && !context.server.bootp) return ignore('no-message-type');
  const { machine, pooled, arrival } = context;
  if (mode === 'off' || (!isProxy(mode) && arrival === 'pxe')) return ignore('mode');
  if (isProxy(mode)) {
    if (type === undefined) return ignore('not-for-proxy');
    const party = machine ?? (mode === 'auto-proxy' ? strangerOf(macOf(request) ?? '') : undefined);
    if (!party) return ignore('unknown-machine');
    return proxy({ request, context, machine: party, origin, address: addressOf(party) }, type);
  }
  if (pooled?.isHeldOff) return ignore('declined-too-often');
  if (pooled && type !== undefined) {
    const mac = macOf(request) ?? '';
    const party = { mac, hardwareId: machine?.hardwareId ?? null, interface: pooled.interface };
    return answer({ request, context, machine: party, origin, address: pooled.address, pooled }, type);
  }
  if (!machine) return ignore('unknown-machine');
  const address = addressOf(machine);
  if (address === '') return ignore('no-reserved-address');
  const party = inItsSubnet(machine, { request, address, link: origin.link, modes: context.server.modes });
  const known = { request, context, machine: party, origin, address };
  return type === undefined ? bootp(known) : answer(known, type);
}

function answer(known: Known, type: MessageType): DhcpDecision {
  switch (type) {
    case 'discover':
      return discover(known);
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

function addressOf({ interface: { dhcp } }: Party): string {
  return dhcp.ip?.family === 4 ? dhcp.ip.address : '';
}

/** RFC 1534 §2: its address is its own for good, so it gets the one that its record has, and none of a pool. */
function bootp(known: Known): DhcpDecision {
  const { request, context, address } = known;
  const { holder } = context;
  if (holder?.isReserved) return ignore('address-in-use');
  if (!isOnItsNetwork(known)) return ignore('other-network');
  if (request.ciaddr !== noAddress && request.ciaddr !== address) return ignore('other-address');
  if (context.granted?.ip === address) return { ...bootpReply(known), leases: nothing, boot: undefined };
  const bound = binding(known, foreverSeconds, 'bootp');
  return { ...bootpReply(known), leases: holder ? [parting(known, holder), bound] : [bound] };
}

function discover(known: Known): DhcpDecision {
  if (known.address === '') return ignore('no-free-address');
  if (known.context.holder?.isReserved) return ignore('address-in-use');
  if (!isOnItsNetwork(known)) return ignore('other-network');
  return reply(known, 'offer', leaseSecondsOf(known), nothing);
}

/**
 * §4.3.2, "the wrong network". What a client's network is, is known where a relay selects it (RFC 3527) or a subnet is configured; else
 * `giaddr` may be the relay's address in another network on the same wire, and says nothing.
 */
function isOnItsNetwork({ context, machine, origin, address, pooled }: Known): boolean {
  if (pooled) return true;
  const wire = wireOf(origin.link, context.server.modes);
  if (wire.length > 0) return wire.some((subnet) => isWithin(address, subnet.address, subnet.prefix));
  const netmask = machine.interface.dhcp.ip?.netmask ?? '';
  return !origin.isLinkSelected || netmask === '' || isSameNetwork(address, origin.link, netmask);
}

function isForUs({ context, origin }: Known, server: string | undefined): boolean {
  return server === undefined || server === origin.serverId || server === context.server.site.address;
}

/**
 * RFC 2131 §4.3.2. A request that names no address at all breaks the RFC (the npm package dhcp sends such), but with a reservation
 * there is only one that it can mean.
 */
function answerRequest(known: Known): DhcpDecision {
  const { request, address } = known;
  const server = readOption(request.options, serverIdentifier);
  const wanted = readOption(request.options, requestedAddress);
  if (!isForUs(known, server)) return ignore('other-server');
  const hasAddress = request.ciaddr !== noAddress;
  if (known.pooled && !isOurs(known, wanted ?? request.ciaddr, server !== undefined)) return ignore('unknown-lease');
  if (server !== undefined || (wanted === undefined && !hasAddress)) {
    return acknowledge(known, wanted ?? (hasAddress ? request.ciaddr : address), 'selecting');
  }
  if (wanted !== undefined && !hasAddress) return acknowledge(known, wanted, 'init-reboot');
  // A renewal is sent to us, a rebinding to everybody; a relay that does not say which makes it a rebinding.
  return acknowledge(known, request.ciaddr, known.origin.isUnicast ? 'renewing' : 'rebinding');
}

/**
 * §4.3.2: a client that comes back with an address from a pool that we have no record of is another server's, unless it cannot be right
 * or is sent to us alone.
 */
function isOurs({ pooled, address, origin }: Known, wanted: string, isSelecting: boolean): boolean {
  if (address !== '' || isSelecting || pooled?.isForeign === true) return true;
  return wanted !== noAddress && origin.isUnicast;
}

function acknowledge(known: Known, wanted: string, clientState: LeaseRenewed['data']['clientState']): DhcpReply {
  const { context, address } = known;
  if (wanted !== address || address === '') {
    return refuse(known, wanted, known.pooled?.refusal ?? `this machine has ${address}`);
  }
  if (context.holder?.isReserved) return refuse(known, wanted, `${address} is leased to another machine`);
  if (!isOnItsNetwork(known)) return refuse(known, wanted, `${address} is not of this network`);
  const left = secondsLeft(known);
  // The same request once more: its first answer was lost. The lease is what it was.
  if (left !== undefined) return { ...reply(known, 'ack', left, nothing), boot: undefined };
  const leaseSeconds = leaseSecondsOf(known);
  const bound = binding(known, leaseSeconds, clientState);
  return reply(known, 'ack', leaseSeconds, context.holder ? [parting(known, context.holder), bound] : [bound]);
}

function binding(known: Known, leaseSeconds: number, clientState: BindLease['clientState']): BindLease {
  const { request, context, machine, pooled } = known;
  const { mac, hardwareId, clientId, ip, subnet, origin } = holderOf(known);
  const hostname = machine.interface.dhcp.hostname || (pooled ? clientName(request) : '');
  const giaddr = request.giaddr === noAddress ? null : request.giaddr;
  const relayed = giaddr === null ? undefined : pluggedIn(request);
  const { now } = context;
  return {
    type: 'BindLease',
    mac,
    hardwareId,
    clientId,
    ip,
    subnet,
    origin,
    hostname,
    leaseSeconds,
    giaddr,
    clientState,
    now,
    relayed,
  };
}

/** The record was given to this machine while the old one's lease still ran. What is known of that one is what it was bound with. */
function parting(known: Known, { mac, hardwareId, clientId }: NonNullable<DhcpContext['holder']>): SingleLeaseCommand {
  return { type: 'MoveLease', ...holderOf(known), mac, hardwareId, clientId, now: known.context.now };
}

/**
 * Of the lease that this very request was given before; undefined: it is a new one. A client that renews waits a minute before it asks
 * again (§4.4.5), and some take the old xid for it: what it sends is never a repetition.
 */
function secondsLeft({ request, context, address }: Known): number | undefined {
  const { granted, now } = context;
  if (granted?.ip !== address || request.ciaddr !== noAddress) return undefined;
  const seconds = Math.floor((Date.parse(granted.expiresAt) - Date.parse(now)) / 1000);
  return seconds > 0 ? seconds : undefined;
}

function holderOf({ request, machine, origin, context, address, pooled }: Known): LeaseHolder & { mac: string } {
  const { mac, hardwareId } = machine;
  if (pooled)
    return { mac, hardwareId, clientId: pooled.clientId, ip: address, subnet: pooled.subnet.name, origin: 'pool' };
  const subnet = subnetOf(origin.link, context.server.modes)?.name ?? '';
  return { mac, hardwareId, clientId: clientIdOf(request), ip: address, subnet, origin: 'reservation' };
}

function refuse(known: Known, requested: string, reason: string): DhcpReply {
  const { request, origin } = known;
  const { origin: _, ...client } = holderOf(known);
  return {
    kind: 'reply',
    packet: {
      ...skeleton(request, { options: refusal(request, origin.serverId, reason) }),
      // The relay has to broadcast it: the client's address is the very thing that is wrong (§4.3.2).
      flags: request.giaddr === noAddress ? request.flags : request.flags | broadcastFlag,
    },
    destination: destinationOf(known, 'nak'),
    maxSize: sizeLimit(request),
    leases: [{ type: 'RefuseLease', ...client, ip: known.address || null, requested, reason }],
    boot: undefined,
  };
}

function refusal(request: DhcpPacket, serverId: string, reason: string): Options {
  const options = new Map<number, Uint8Array>();
  setOption(options, messageType, 'nak');
  setOption(options, serverIdentifier, serverId);
  setOption(options, message, reason);
  echo(request.options, [clientIdentifier.code, relayAgent.code], options);
  return options;
}

/** §4.4.6. It leaves from the address that it gives back, so who is elsewhere cannot end the lease of another. */
function release(known: Known): DhcpDecision {
  const { request, address, context } = known;
  if (!isForUs(known, readOption(request.options, serverIdentifier))) return ignore('other-server');
  const isRelayed = request.giaddr !== noAddress;
  const isFromIt = isRelayed || context.source.address === address;
  if (address === '' || request.ciaddr !== address || !isFromIt) return ignore('other-address');
  return { kind: 'record', leases: [{ type: 'ReleaseLease', ...holderOf(known) }] };
}

/**
 * §4.3.3. An address from a pool is given to nobody for a while. A reservation stays: what the operator wrote is not ours to change, but the
 * event says that it cannot work.
 */
function decline(known: Known): DhcpDecision {
  const { request, address, pooled, context } = known;
  if (!isForUs(known, readOption(request.options, serverIdentifier))) return ignore('other-server');
  if (address === '' || readOption(request.options, requestedAddress) !== address) return ignore('other-address');
  const text = request.options.has(message.code) ? (readOption(request.options, message) ?? '') : '';
  const quarantinedUntil = pooled ? addSeconds(context.now, pooled.subnet.pooled.quarantineSeconds) : null;
  return {
    kind: 'record',
    leases: [{ type: 'DeclineLease', ...holderOf(known), message: text.slice(0, 200), quarantinedUntil }],
  };
}

/**
 * §4.3.5: the client has an address already and asks for the rest. The answer goes straight to that address: a relay would send it to `yiaddr`,
 * and there is none.
 */
function inform(known: Known): DhcpDecision {
  const { ciaddr } = known.request;
  if (ciaddr === noAddress) return ignore('no-requested-address');
  const answer = reply(known, 'ack', null, nothing);
  const destination = { address: ciaddr, port: 'client' } as const;
  return { ...answer, destination, packet: { ...answer.packet, yiaddr: noAddress } };
}

function reply(
  known: Known,
  type: 'offer' | 'ack',
  leaseSeconds: number | null,
  leases: readonly SingleLeaseCommand[],
): DhcpReply {
  const { request, context, machine, origin, address } = known;
  const { site } = context.server;
  const boot = bootOf(known);
  const record = machine.interface.dhcp;
  const ours = boot.client && { client: boot.client, file: boot.file };
  const { serverId } = origin;
  const ciaddr = type === 'ack' ? request.ciaddr : noAddress;
  const options = replyOptions({ type, request: request.options, record, site, serverId, leaseSeconds, boot: ours });
  return {
    kind: 'reply',
    packet: skeleton(request, { ciaddr, yiaddr: address, siaddr: boot.server, file: boot.file, options }),
    destination: destinationOf(known, type),
    maxSize: sizeLimit(request),
    leases,
    boot: type === 'ack' && leaseSeconds !== null ? bootFact(known, boot) : undefined,
    offersPi: type === 'offer' && !known.pooled && (boot.client?.isRaspberryPi ?? false),
  };
}

function leaseSecondsOf({ machine, context }: Known): number {
  const { lease_time } = machine.interface.dhcp;
  return lease_time > 0 ? lease_time : context.server.leaseSeconds;
}
