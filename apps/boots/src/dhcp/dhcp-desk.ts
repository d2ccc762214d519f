import { isIPv4 } from 'node:net';
import {
  decodePacket,
  type DhcpPacket,
  encodePacket,
  ipxeOptions,
  macOf,
  MalformedPacketError,
  messageType,
  noAddress,
  readOption,
  userClass,
} from '@tinkerbell/dhcp';
import { DomainError, isLeaseOf, numberOf, type SingleLeaseCommand, textOf } from '@tinkerbell/domain';
import type { BootLog } from '../log/boot-log';
import type { LeasePool } from '../log/lease-pool';
import type { NetbootOffered } from '@tinkerbell/events';
import { StandbyError } from '../log/pool-terms';
import { TermOverError } from '../log/stream-writer';
import type { Machine, Machines } from '../machines';
import type { Metrics } from '../metrics';
import type { Logger } from '../logger';
import type { Overheard } from '../overheard';
import type { FailedRequests } from '../recorder/failed-requests';
import { clientIdOf } from './client-id';
import type { Destination } from './destination';
import type { DhcpContext, DhcpDecision, DhcpReply, DhcpServerSettings } from './decision';
import { isGiver, isProxy, isWithin, modeAt, wireOf } from './dhcp-mode';
import { type Place, placeOf, respond } from './dhcp.responder';
import { fingerprint, keyOf, macAt } from './fingerprint';
import { described, lacksBootFile } from './described';
import type { OtherServers } from './other-servers';
import { LeftOut } from './left-out';
import type { PoolDesk, Pooled } from './pool-desk';
import { RateLimit } from '../rate-limit';
import { RecentNumbers } from './recent-numbers';
import { ScriptTickets, withoutTicket } from '../ipxe/script-tickets';

export interface DeskPorts {
  readonly machines: Machines;
  readonly leases: LeasePool;
  readonly boots: BootLog;
  readonly failed: Pick<FailedRequests, 'note'>;
  readonly others: OtherServers;
  readonly overheard: Pick<Overheard, 'request' | 'unleased'>;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: () => Date;
}

/** How a datagram came. */
export type Arrival = Pick<DhcpContext, 'arrival' | 'source'>;

export interface OutgoingReply {
  readonly bytes: Uint8Array;
  readonly destination: Destination;
}

type Outcome = Exclude<DhcpDecision, { readonly kind: 'ignore' }>;

/** Told once; undefined: nothing is to be sent. Throws nothing. */
export type Answered = (reply?: OutgoingReply) => void;

/** What a datagram says and how it came. */
interface Heard {
  readonly request: DhcpPacket;
  readonly mac: string;
  readonly type: string;
  /** What a repetition has in common with it. */
  readonly key: number;
  /** Of a REQUEST, and of a BOOTP client's message. */
  readonly print: number | undefined;
  readonly bytes: Uint8Array;
  readonly from: Arrival;
  readonly place: Place;
  /** When, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * What becomes of a message once its facts are stored, and nothing that this no longer needs: many wait at a time, and whoever collects
 * garbage meanwhile has to move all that they hold.
 */
interface Due {
  readonly mac: string;
  readonly type: string;
  readonly key: number;
  readonly print: number | undefined;
  readonly bytes: Uint8Array;
  readonly from: Arrival;
  readonly leases: readonly SingleLeaseCommand[];
  readonly boot: NetbootOffered['data'] | undefined;
  /** undefined: what the client says is remembered, not answered. */
  readonly reply: Uint8Array | undefined;
  readonly destination: Destination | undefined;
  readonly replyType: string;
  /** That it is told, or tells. */
  readonly address: string;
  readonly file: string;
  /** A client that wants to boot and is told no file: what it says of itself. */
  readonly unserved: string | undefined;
  readonly offersPi: boolean;
}

/** The same message within this time is the network's doing (a bridge that doubles, a relay beside a broadcast), not the client's. */
const duplicateMs = 250;

/** How long a client repeats what was not answered (RFC 2131 §4.1: four times, twice as long each time). */
const retransmissionMs = 64_000;
/** MACs without a record cost nothing to make up: the boots of so many are in the log, then of six a minute. */
const strangersTold = { burst: 500, perSecond: 0.1 };

/** From the bytes of a request to the bytes of its reply. What the reply says is in the log before this returns it. */
export class DhcpDesk {
  readonly #recent = new RecentNumbers(duplicateMs);
  readonly #answering = new Set<number>();
  readonly #tickets = new ScriptTickets();
  readonly #strangers: RateLimit;
  readonly #leftOut: LeftOut;
  #now = { ms: NaN, text: '' };
  /** Fingerprint of what was granted an address → the address. */
  readonly #granted = new RecentNumbers(retransmissionMs);

  constructor(
    private readonly ports: DeskPorts,
    private readonly server: DhcpServerSettings,
    private readonly pools: PoolDesk,
  ) {
    this.#strangers = new RateLimit(() => ports.clock().getTime(), strangersTold);
    this.#leftOut = new LeftOut(ports);
  }

  /** Calls back at once where nothing has to be stored or asked first. Never throws: a bad message costs itself only. */
  answer(bytes: Uint8Array, from: Arrival, answered: Answered): void {
    const reply = this.#begin(bytes, from, answered);
    if (reply !== later) answered(reply);
  }

  /** `later`: `answered` is told. */
  #begin(bytes: Uint8Array, from: Arrival, answered: Answered): OutgoingReply | undefined | typeof later {
    if (!this.ports.leases.isActive) return this.#standby();
    try {
      const heard = this.#hear(bytes, from);
      if (!heard) return undefined;
      const pooled = this.#pooled(heard);
      if (!(pooled instanceof Promise)) return this.#decide(heard, pooled, answered);
      this.#answering.add(heard.key);
      void this.#decideWhenAsked(heard, pooled, answered);
      return later;
    } catch (error) {
      return this.#drop(error, bytes, from);
    }
  }

  async #decideWhenAsked(heard: Heard, asking: Promise<Pooled | undefined>, answered: Answered): Promise<void> {
    let reply: OutgoingReply | undefined | typeof later;
    try {
      const pooled = await asking;
      reply = this.#decide({ ...heard, at: this.ports.clock().getTime() }, pooled, answered);
    } catch (error) {
      reply = this.#drop(error, heard.bytes, heard.from);
    }
    if (reply === later) return;
    this.#answering.delete(heard.key);
    answered(reply);
  }

  #decide(heard: Heard, pooled: Pooled | undefined, answered: Answered): OutgoingReply | undefined | typeof later {
    const decision = respond(heard.request, this.#context(heard, pooled), heard.place);
    if (decision.kind === 'ignore') return this.#ignored(decision.reason, heard.request, heard.from);
    const due = dueOf(heard, decision, this.#leftOut.tell);
    if (due.leases.length === 0 && !due.boot) return this.#told(due);
    this.#store(due, answered);
    return later;
  }

  #store(due: Due, answered: Answered): void {
    this.#answering.add(due.key);
    const finish = (error?: unknown) => {
      this.#answering.delete(due.key);
      answered(error === undefined ? this.#told(due) : this.#drop(error, due.bytes, due.from));
    };
    this.ports.leases.put(due.leases, (error) => {
      if (error === undefined) this.pools.stored(due.leases);
      if (error !== undefined || !due.boot) finish(error);
      else this.#recordOffer(due.boot).then(() => finish(), finish);
    });
  }

  /** undefined: it is not listened to. */
  #hear(bytes: Uint8Array, from: Arrival): Heard | undefined {
    const request = decodePacket(bytes);
    const mac = macOf(request);
    if (mac === undefined) return this.#ignored('not-ethernet', request, from);
    const type = readOption(request.options, messageType) ?? 'bootp';
    const key = keyOf(bytes, request, from);
    const at = this.ports.clock().getTime();
    if (this.#isDuplicate(key, at)) return this.#ignored('duplicate', request, from);
    this.ports.metrics.count('dhcp_requests_total', { type });
    const place = placeOf(request, this.server, from.arrival);
    if (type === 'request') this.#watch(request, place);
    return {
      request,
      mac,
      type,
      key,
      print: type === 'request' || type === 'bootp' ? fingerprint(bytes, 0, bytes.length) : undefined,
      bytes,
      from,
      place,
      at,
    };
  }

  /** What it says is in the log. */
  #told(due: Due): OutgoingReply | undefined {
    const { metrics, log, clock, leases } = this.ports;
    const { mac, type, print, reply, destination, replyType, address, file } = due;
    if (!reply || !destination) {
      log.info(`${type} of ${address === noAddress ? 'its address' : address} by ${mac}`);
      return undefined;
    }
    // Also what was granted before and needs no commit: by now it may be somebody else's to say.
    if (!leases.isActive) return this.#standby();
    if (print !== undefined && due.leases.some((command) => command.type === 'BindLease')) {
      this.#granted.set(print, numberOf(address), clock().getTime());
    }
    if (due.offersPi) this.ports.overheard.unleased(address);
    if (due.unserved !== undefined) this.#note('no-boot-file', mac, due.unserved, due.from);
    metrics.count('dhcp_replies_total', { type: replyType });
    if (!log.isQuiet) log.info(`${type} of ${mac}: ${replyType} ${address}${file ? ` ${withoutTicket(file)}` : ''}`);
    return { bytes: reply, destination };
  }

  async #recordOffer(offered: NonNullable<DhcpReply['boot']>): Promise<void> {
    if (offered.hardwareId !== null || this.#strangers.allows(''))
      await this.ports.boots.record({ type: 'OfferNetboot', ...offered });
    else this.ports.boots.noteArch(offered.mac, offered.arch);
  }

  /** undefined: it has a reservation in its network, or there are no pools. */
  #pooled({ request, mac, place, at }: Heard): ReturnType<PoolDesk['look']> {
    if (place.mode !== 'pool' || request.op !== 'request') return undefined;
    const type = readOption(request.options, messageType);
    if (type === undefined) return undefined;
    const { modes } = this.server;
    const { link, isUnicast } = place.origin;
    const machine = this.ports.machines.byMac(mac);
    const reserved = machine?.interface.dhcp.ip?.address;
    const isReachable = wireOf(link, modes).some(
      ({ address, prefix }) => reserved !== undefined && isIPv4(reserved) && isWithin(reserved, address, prefix),
    );
    // Who has it from a pool keeps it until that lease is over: no address is on two machines.
    const isTaken = machine && this.#otherHolder(machine, request, this.#textOf(at))?.isReserved;
    return isReachable && !isTaken ? undefined : this.pools.look(request, { mac, type, link, machine, isUnicast });
  }

  #context({ request, mac, print, bytes, from, at }: Heard, pooled: Pooled | undefined): DhcpContext {
    const { machines, boots } = this.ports;
    const now = this.#textOf(at);
    const machine = machines.byMac(mac);
    return {
      machine,
      pooled,
      holder: machine && !pooled ? this.#otherHolder(machine, request, now) : undefined,
      mayNetboot: machine === undefined || machines.netboot(machine).allowed,
      chained: boots.programOf(mac),
      ticket: this.#ticket(request, mac),
      server: this.server,
      arrival: from.arrival,
      source: from.source,
      size: bytes.length,
      granted: print === undefined ? undefined : this.#grantedBefore(mac, print, at, now),
      now,
    };
  }

  #grantedBefore(mac: string, print: number, ms: number, now: string): DhcpContext['granted'] {
    const granted = this.#granted.get(print, ms);
    const lease = granted === undefined ? undefined : this.ports.leases.holderOf(textOf(granted), now);
    return lease?.mac === mac ? { ip: lease.ip, expiresAt: lease.expiresAt } : undefined;
  }

  /** Many requests are of one millisecond. */
  #textOf(ms: number): string {
    if (ms !== this.#now.ms) this.#now = { ms, text: new Date(ms).toISOString() };
    return this.#now.text;
  }

  /** Only iPXE, which says so in option 77 or 175, runs scripts. */
  #ticket({ xid, options }: DhcpPacket, mac: string): DhcpContext['ticket'] {
    const { ticketSeconds } = this.server;
    if (ticketSeconds === 0 || !(options.has(userClass.code) || options.has(ipxeOptions.code))) return undefined;
    const expiresAt = new Date(this.ports.clock().getTime() + ticketSeconds * 1000).toISOString();
    return { ...this.#tickets.of(mac, xid), expiresAt };
  }

  /** Of a lease without a MAC nobody can say that its machine lost the address to this one. */
  #otherHolder(machine: Machine, request: DhcpPacket, now: string): DhcpContext['holder'] {
    const { leases, machines } = this.ports;
    const address = machine.interface.dhcp.ip?.address ?? '';
    if (leases.state.book.isOf(address, machine.mac)) return undefined;
    const lease = leases.holderOf(address, now);
    if (!lease || isLeaseOf(lease, { mac: machine.mac, clientId: clientIdOf(request) })) return undefined;
    const { mac, hardwareId, clientId, origin } = lease;
    const isReserved = origin === 'pool' || mac === null || machines.byMac(mac)?.interface.dhcp.ip?.address === address;
    return { mac, hardwareId, clientId, isReserved };
  }

  #isDuplicate(key: number, now: number): boolean {
    if (this.#recent.get(key, now) !== undefined || this.#answering.has(key)) return true;
    this.#recent.set(key, 1, now);
    return false;
  }

  #ignored(reason: string, request: DhcpPacket, from: Arrival): undefined {
    this.ports.metrics.count('dhcp_dropped_total', { reason });
    this.ports.log.debug(`DHCP message of ${macOf(request) ?? from.source.address} not answered: ${reason}`);
    if (!expected.includes(reason)) this.#note(reason, macOf(request), described(request), from);
    return undefined;
  }

  #note(reason: string, mac: string | undefined, detail: string, { source }: Arrival): void {
    this.ports.failed.note({ protocol: 'dhcp', reason, detail, source: source.address, ...(mac && { mac }) });
  }

  /** What was sent to every client on the wire: by us, or by another server. */
  overhear(bytes: Uint8Array): void {
    try {
      const reply = decodePacket(bytes);
      if (isGiver(modeAt(this.server.site.address, this.server.modes))) this.ports.others.onReply(reply);
    } catch (error) {
      this.ports.log.debug(`a reply on the wire was not understood: ${String(error)}`);
    }
  }

  /** Where addresses are not ours another server is as it should be. */
  #watch(request: DhcpPacket, { origin, mode }: Place): void {
    if (isProxy(mode)) this.ports.overheard.request(request);
    else if (isGiver(mode)) this.ports.others.onRequest(request, origin.serverId);
  }

  /** Another instance answers: nothing here failed. */
  #standby(): undefined {
    this.ports.metrics.count('dhcp_dropped_total', { reason: 'standby' });
    this.ports.log.debug('DHCP message not answered: standby');
    return undefined;
  }

  #drop(error: unknown, bytes: Uint8Array, { source }: Arrival): undefined {
    if (error instanceof StandbyError || error instanceof TermOverError) return this.#standby();
    const { metrics, log, failed } = this.ports;
    const reason =
      error instanceof MalformedPacketError ? 'malformed' : error instanceof DomainError ? 'refused' : 'error';
    const mac = macAt(bytes);
    const detail = error instanceof Error ? error.message : String(error);
    failed.note({ protocol: 'dhcp', reason, detail, source: source.address, ...(mac && { mac }) });
    metrics.count('dhcp_dropped_total', { reason });
    if (reason === 'malformed') log.debug(`malformed DHCP message: ${detail}`);
    else if (reason === 'refused') log.warn(`DHCP message not answered: ${detail}`);
    // The client asks again; by then the log may be back.
    else log.error(`DHCP message not answered: ${detail}`);
  }
}

/** What happens on every good network: no failure. */
const expected: readonly string[] = ['duplicate', 'no-boot-client', 'not-for-proxy'];

/** The reply is on its way. */
const later = Symbol();

/** One literal: what is spread together for each message is what costs most of it. */
function dueOf(
  { request, mac, type, key, print, bytes, from }: Heard,
  decision: Outcome,
  onLeftOut: LeftOut['tell'],
): Due {
  const isReply = decision.kind === 'reply';
  return {
    mac,
    type,
    key,
    print,
    bytes,
    from,
    leases: decision.leases,
    boot: isReply ? decision.boot : undefined,
    reply: isReply ? encodePacket(decision.packet, { maxSize: decision.maxSize, onLeftOut }) : undefined,
    destination: isReply ? decision.destination : undefined,
    address: isReply ? decision.packet.yiaddr : request.ciaddr,
    replyType: isReply ? (readOption(decision.packet.options, messageType) ?? 'bootp') : '',
    file: isReply ? decision.packet.file : '',
    unserved: isReply && lacksBootFile(request, type, decision) ? described(request) : undefined,
    offersPi: isReply && decision.offersPi === true,
  };
}
