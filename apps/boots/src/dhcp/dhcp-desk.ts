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
import { DomainError, type SingleLeaseCommand } from '@tinkerbell/domain';
import type { BootLog } from '../log/boot-log';
import type { LeasePool } from '../log/lease-pool';
import { StandbyError } from '../log/pool-terms';
import { TermOverError } from '../log/stream-writer';
import type { Machine, Machines } from '../machines';
import type { Metrics } from '../metrics';
import type { Logger } from '../logger';
import type { Overheard } from '../overheard';
import type { FailedRequests } from '../recorder/failed-requests';
import { bootClientOf } from './boot-client';
import type { Destination } from './destination';
import type { DhcpContext, DhcpDecision, DhcpReply, DhcpServerSettings } from './decision';
import { isProxy, isWithin, modeAt, wireOf } from './dhcp-mode';
import { type Place, placeOf, respond } from './dhcp.responder';
import type { OtherServers } from './other-servers';
import type { PoolDesk, Pooled } from './pool-desk';
import { RateLimit } from '../rate-limit';
import { Recent } from './recent';
import { ScriptTickets } from '../ipxe/script-tickets';

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

/** What a datagram says and how it came. */
interface Heard {
  readonly request: DhcpPacket;
  readonly mac: string;
  readonly type: string;
  /** What a repetition has in common with it. */
  readonly key: string;
  /** Of a REQUEST only. */
  readonly print: number | undefined;
  readonly bytes: Uint8Array;
  readonly from: Arrival;
  readonly place: Place;
}

/** With the bytes of a reply. */
interface Answer {
  readonly decision: DhcpDecision;
  readonly bytes: Uint8Array | undefined;
}

/** The same message within this time is the network's doing (a bridge that doubles, a relay beside a broadcast), not the client's. */
const duplicateMs = 250;

/** How long a client repeats a REQUEST that was not answered (RFC 2131 §4.1: four times, twice as long each time). */
const retransmissionMs = 64_000;
/** MACs without a record cost nothing to make up: the boots of so many are in the log, then of six a minute. */
const strangersTold = { burst: 500, perSecond: 0.1 };

/** From the bytes of a request to the bytes of its reply. What the reply says is in the log before this returns it. */
export class DhcpDesk {
  readonly #recent = new Recent<true>(duplicateMs);
  readonly #answering = new Set<string>();
  readonly #tickets = new ScriptTickets();
  readonly #strangers: RateLimit;
  #now = { ms: NaN, text: '' };
  /** MAC → fingerprint of the REQUEST that was acknowledged last. */
  readonly #granted = new Recent<{ readonly print: number | undefined; readonly ip: string }>(retransmissionMs);

  constructor(
    private readonly ports: DeskPorts,
    private readonly server: DhcpServerSettings,
    private readonly pools: PoolDesk,
  ) {
    this.#strangers = new RateLimit(() => ports.clock().getTime(), strangersTold);
  }

  /** undefined: nothing is to be sent. No promise where nothing is waited for. Never throws: a bad message costs itself only. */
  answer(bytes: Uint8Array, from: Arrival): OutgoingReply | undefined | Promise<OutgoingReply | undefined> {
    if (!this.ports.leases.isActive) return this.#standby();
    try {
      const heard = this.#hear(bytes, from);
      if (!heard) return undefined;
      const pooled = this.#pooled(heard);
      if (pooled instanceof Promise)
        return this.#stored(
          heard,
          pooled.then((found) => this.#decide(heard, found)),
        );
      const answer = this.#decide(heard, pooled);
      return hasFacts(answer.decision) ? this.#stored(heard, answer) : this.#told(heard, answer);
    } catch (error) {
      return this.#drop(error, bytes, from);
    }
  }

  /** undefined: it is not listened to. */
  #hear(bytes: Uint8Array, from: Arrival): Heard | undefined {
    const request = decodePacket(bytes);
    const mac = macOf(request);
    if (mac === undefined) return this.#ignored('not-ethernet', request, from);
    const type = readOption(request.options, messageType) ?? 'bootp';
    const key = `${mac} ${request.xid} ${type} ${request.ciaddr} ${from.arrival === 'pxe'}`;
    if (this.#isDuplicate(key)) return this.#ignored('duplicate', request, from);
    this.ports.metrics.count('dhcp_requests_total', { type });
    const place = placeOf(request, this.server, from.arrival);
    if (type === 'request') this.#watch(request, place);
    return { request, mac, type, key, print: type === 'request' ? fingerprint(bytes) : undefined, bytes, from, place };
  }

  #decide(heard: Heard, pooled: Pooled | undefined): Answer {
    const decision = respond(heard.request, this.#context(heard, pooled), heard.place);
    if (decision.kind !== 'reply') return { decision, bytes: undefined };
    return { decision, bytes: encodePacket(decision.packet, { maxSize: decision.maxSize }) };
  }

  async #stored(heard: Heard, deciding: Answer | Promise<Answer>): Promise<OutgoingReply | undefined> {
    this.#answering.add(heard.key);
    try {
      const answer = deciding instanceof Promise ? await deciding : deciding;
      const { decision } = answer;
      if (decision.kind !== 'ignore' && decision.leases.length > 0) await this.#submit(decision.leases);
      if (decision.kind === 'reply' && decision.boot) await this.#recordOffer(decision.boot);
      return this.#told(heard, answer);
    } catch (error) {
      return this.#drop(error, heard.bytes, heard.from);
    } finally {
      this.#answering.delete(heard.key);
    }
  }

  /** What it says is in the log. */
  #told({ request, mac, type, print, from }: Heard, { decision, bytes }: Answer): OutgoingReply | undefined {
    const { metrics, log, leases, clock } = this.ports;
    if (decision.kind === 'ignore') return this.#ignored(decision.reason, request, from);
    if (decision.kind === 'record' || !bytes) {
      log.info(`${type} of ${request.ciaddr === noAddress ? 'its address' : request.ciaddr} by ${mac}`);
      return undefined;
    }
    // Also what was granted before and needs no commit: by now it may be somebody else's to say.
    if (!leases.isActive) return this.#standby();
    const { packet, destination } = decision;
    if (decision.leases.some((command) => command.type === 'BindLease')) {
      this.#granted.set(mac, { print, ip: packet.yiaddr }, clock().getTime());
    }
    if (decision.offersPi) this.ports.overheard.unleased(packet.yiaddr);
    if (lacksBootFile(request, type, decision)) this.#note('no-boot-file', request, from);
    const answered = readOption(packet.options, messageType) ?? 'bootp';
    metrics.count('dhcp_replies_total', { type: answered });
    log.info(`${type} of ${mac}: ${answered} ${packet.yiaddr}${packet.file ? ` ${packet.file}` : ''}`);
    return { bytes, destination };
  }

  async #recordOffer(offered: NonNullable<DhcpReply['boot']>): Promise<void> {
    if (offered.hardwareId !== null || this.#strangers.allows(''))
      await this.ports.boots.record({ type: 'OfferNetboot', ...offered });
    else this.ports.boots.noteArch(offered.mac, offered.arch);
  }

  async #submit(leases: readonly SingleLeaseCommand[]): Promise<void> {
    await this.ports.leases.submit(leases);
    this.pools.stored(leases);
  }

  /** undefined: it has a reservation in its network, or there are no pools. */
  #pooled({ request, mac, place }: Heard): ReturnType<PoolDesk['look']> {
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
    const isTaken = machine && this.#otherHolder(machine, this.ports.clock().toISOString())?.isReserved;
    return isReachable && !isTaken ? undefined : this.pools.look(request, { mac, type, link, machine, isUnicast });
  }

  #context({ request, mac, print, bytes, from }: Heard, pooled: Pooled | undefined): DhcpContext {
    const { machines, boots, clock } = this.ports;
    const date = clock();
    const now = this.#textOf(date);
    const machine = machines.byMac(mac);
    return {
      machine,
      pooled,
      holder: machine && this.#otherHolder(machine, now),
      mayNetboot: machine === undefined || machines.netboot(machine).allowed,
      chained: boots.programOf(mac),
      ticket: this.#ticket(request, mac),
      server: this.server,
      arrival: from.arrival,
      source: from.source,
      size: bytes.length,
      granted: print === undefined ? undefined : this.#grantedBefore(mac, print, date.getTime(), now),
      now,
    };
  }

  #grantedBefore(mac: string, print: number, ms: number, now: string): DhcpContext['granted'] {
    const granted = this.#granted.get(mac, ms);
    const lease = granted?.print === print ? this.ports.leases.holderOf(granted.ip, now) : undefined;
    return lease?.mac === mac ? { ip: lease.ip, expiresAt: lease.expiresAt } : undefined;
  }

  /** Many requests are of one millisecond, and writing it costs more than much else of an answer. */
  #textOf(date: Date): string {
    const ms = date.getTime();
    if (ms !== this.#now.ms) this.#now = { ms, text: date.toISOString() };
    return this.#now.text;
  }

  /** Only iPXE, which says so in option 77 or 175, runs scripts. */
  #ticket({ xid, options }: DhcpPacket, mac: string): DhcpContext['ticket'] {
    const { ticketSeconds } = this.server;
    if (ticketSeconds === 0 || !(options.has(userClass.code) || options.has(ipxeOptions.code))) return undefined;
    const expiresAt = new Date(this.ports.clock().getTime() + ticketSeconds * 1000).toISOString();
    return { ...this.#tickets.of(mac, xid), expiresAt };
  }

  #otherHolder(machine: Machine, now: string): DhcpContext['holder'] {
    const { leases, machines } = this.ports;
    const address = machine.interface.dhcp.ip?.address ?? '';
    const lease = leases.holderOf(address, now);
    if (!lease || lease.mac === machine.mac) return undefined;
    const { mac, hardwareId, clientId, origin } = lease;
    if (mac === null) return undefined;
    const isReserved = origin === 'pool' || machines.byMac(mac)?.interface.dhcp.ip?.address === address;
    return { mac, hardwareId, clientId, isReserved };
  }

  #isDuplicate(key: string): boolean {
    const now = this.ports.clock().getTime();
    if (this.#recent.get(key, now) || this.#answering.has(key)) return true;
    this.#recent.set(key, true, now);
    return false;
  }

  #ignored(reason: string, request: DhcpPacket, from: Arrival): undefined {
    this.ports.metrics.count('dhcp_dropped_total', { reason });
    this.ports.log.debug(`DHCP message of ${macOf(request) ?? from.source.address} not answered: ${reason}`);
    if (!expected.includes(reason)) this.#note(reason, request, from);
    return undefined;
  }

  #note(reason: string, request: DhcpPacket, { source }: Arrival): void {
    const mac = macOf(request);
    const detail = described(request);
    this.ports.failed.note({ protocol: 'dhcp', reason, detail, source: source.address, ...(mac && { mac }) });
  }

  /** What was sent to every client on the wire: by us, or by another server. */
  overhear(bytes: Uint8Array): void {
    try {
      const reply = decodePacket(bytes);
      if (!isProxy(modeAt(this.server.site.address, this.server.modes))) this.ports.others.onReply(reply);
    } catch (error) {
      this.ports.log.debug(`a reply on the wire was not understood: ${String(error)}`);
    }
  }

  /** Beside a proxy another server is as it should be. */
  #watch(request: DhcpPacket, { origin, mode }: Place): void {
    if (isProxy(mode)) this.ports.overheard.request(request);
    else this.ports.others.onRequest(request, origin.serverId);
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

/** Whether there is something to be stored. */
function hasFacts(decision: DhcpDecision): boolean {
  if (decision.kind === 'ignore') return false;
  return decision.leases.length > 0 || (decision.kind === 'reply' && decision.boot !== undefined);
}

/** A client that wants to boot gets an address, and nothing to boot. */
function lacksBootFile(request: DhcpPacket, type: string, { packet, boot }: DhcpReply): boolean {
  return type === 'request' && packet.file === '' && boot === undefined && bootClientOf(request) !== undefined;
}

function described(request: DhcpPacket): string {
  try {
    const client = bootClientOf(request);
    const type = readOption(request.options, messageType) ?? 'BOOTP request';
    const relay = request.giaddr === noAddress ? '' : `, through relay ${request.giaddr}`;
    const wanted = client ? ` of ${client.kind}, architecture ${client.arch ?? 'unknown'}` : '';
    return `${type}${wanted}${relay}`;
  } catch {
    return '';
  }
}

const hlenAt = 2;
const chaddrAt = 28;

/** From a packet that cannot be decoded; undefined: it has no Ethernet address either. */
function macAt(bytes: Uint8Array): string | undefined {
  const chaddr = bytes.subarray(chaddrAt, chaddrAt + 6);
  if (bytes[hlenAt] !== 6 || chaddr.length < 6 || chaddr.every((byte) => byte === 0)) return undefined;
  return Array.from(chaddr, (byte) => byte.toString(16).padStart(2, '0')).join('-');
}

const secsAt = 8;

/** FNV-1a of all bytes but `secs`, the only ones that differ when a client repeats itself. */
function fingerprint(bytes: Uint8Array): number {
  let print = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) {
    if (i !== secsAt && i !== secsAt + 1) print = Math.imul(print ^ (bytes[i] ?? 0), 0x01000193);
  }
  return print;
}
