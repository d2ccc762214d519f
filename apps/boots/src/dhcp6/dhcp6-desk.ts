import { isIPv6 } from 'node:net';
import {
  clientId,
  decodeMessage,
  type Dhcp6Message,
  encodeMessage,
  hexOf,
  iaNa,
  isRelayed,
  MalformedPacketError,
  noAddress,
  readOption,
  readOptions,
  type RelayMessage,
  relaySourcePort,
  unwrapRelays,
  userClass,
  wrapReply,
} from '@tinkerbell/dhcp6';
import { Decliners, DomainError, type Holder6, type Lease6Command, mostDeclined } from '@tinkerbell/domain';
import { openTo } from '../dhcp/client-class';
import { ScriptTickets } from '../ipxe/script-tickets';
import type { BootLog } from '../log/boot-log';
import type { Lease6Pool } from '../log/lease6-pool';
import { StandbyError } from '../log/pool-terms';
import { TermOverError } from '../log/stream-writer';
import type { Logger } from '../logger';
import type { Overheard } from '../overheard';
import type { FailedRequests } from '../recorder/failed-requests';
import type { Machines } from '../machines';
import type { Metrics } from '../metrics';
import { associationOf, classesOf6, macOfAddress, macsOf } from './client6';
import type { Dhcp6Context, Dhcp6Decision, Dhcp6Settings } from './decision6';
import { respond6 } from './dhcp6.responder';
import { isWithin6, linkAt } from './subnet6';

export interface Desk6Ports {
  readonly machines: Pick<Machines, 'byMac' | 'byReservedAddress' | 'netboot'>;
  readonly leases: Lease6Pool;
  readonly boots: Pick<BootLog, 'programOf' | 'record'>;
  readonly failed: Pick<FailedRequests, 'note'>;
  readonly overheard: Pick<Overheard, 'unleased'>;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: () => Date;
}

/** How a datagram came. */
export interface Arrival6 {
  /** With its zone, `fe80::1%eth0`. */
  readonly peer: string;
  /** Our own addresses on the interface that it came in by. */
  readonly link: readonly string[];
}

export interface OutgoingReply6 {
  readonly bytes: Uint8Array;
  /** Which port takes it; `source`: the one that the message came from. */
  readonly port: 'client' | 'relay' | 'source';
}

interface Heard {
  readonly request: Dhcp6Message;
  readonly relays: readonly RelayMessage[];
  readonly from: Arrival6;
}

/** How long a client that heard nothing repeats itself at first (RFC 8415 §15); its answer is kept for so long. */
const repeatMs = 10_000;
const maxKept = 10_000;
/** What relays add comes back in the answer: sixty kilobytes, if somebody means harm. */
const maxKeptBytes = 16 * 1024 * 1024;

interface Answer6 {
  readonly bytes: Uint8Array;
  /** Whose addresses it says are leased. */
  readonly promised: readonly Pick<Holder6, 'ip' | 'clientId'>[];
}

/** From the bytes of a message to the bytes of its reply. What the reply says is in the log before this returns it. */
export class Dhcp6Desk {
  /** Client and transaction → its answer, oldest first; undefined while it is being made. */
  readonly #answers = new Map<string, { readonly at: number; readonly answer: Answer6 | undefined }>();
  #keptBytes = 0;

  readonly #tickets = new ScriptTickets();
  readonly #decliners = new Decliners();

  constructor(
    private readonly ports: Desk6Ports,
    private server: Dhcp6Settings,
  ) {}

  get subnets(): Dhcp6Settings['subnets'] {
    return this.server.subnets;
  }

  /** For messages from now on. */
  change(rules: Pick<Dhcp6Settings, 'subnets' | 'classes'>): void {
    this.server = { ...this.server, ...rules };
  }

  /** undefined: nothing is to be sent. Never throws: a bad message costs itself only. */
  async answer(bytes: Uint8Array, from: Arrival6): Promise<OutgoingReply6 | undefined> {
    try {
      if (!this.ports.leases.isActive) return this.#ignored('standby', from.peer);
      const outer = decodeMessage(bytes);
      if (isRelayed(outer) && outer.type === 'relay-reply') return this.#ignored('message-type', from.peer);
      const { message: request, relays } = unwrapRelays(outer);
      const reply = await this.#once({ request, relays, from });
      // What needed no commit too: another instance may answer by now (ADR 0016).
      if (!this.ports.leases.isActive) return this.#ignored('standby', from.peer);
      return reply && { bytes: reply, port: portOf(relays) };
    } catch (error) {
      this.#drop(error, from.peer);
      return undefined;
    }
  }

  /** The same message once more gets the same answer, and makes no second fact, as long as what that says is so. */
  async #once(heard: Heard): Promise<Uint8Array | undefined> {
    const { request, relays, from } = heard;
    const id = readOption(request.options, clientId) ?? new Uint8Array();
    const key = `${hexOf(id)} ${request.transactionId} ${request.type} ${from.peer} ${relays.length}`;
    const now = this.ports.clock().getTime();
    for (const [known, { at }] of this.#answers) {
      if (now - at < repeatMs && this.#answers.size < maxKept && this.#keptBytes < maxKeptBytes) break;
      this.#forget(known);
    }
    const before = this.#answers.get(key);
    if (before && !before.answer) return this.#ignored('duplicate', from.peer);
    if (before?.answer && this.#stillHolds(before.answer)) return before.answer.bytes;
    this.#forget(key);
    this.ports.metrics.count('dhcp6_requests_total', { type: request.type });
    this.#answers.set(key, { at: now, answer: undefined });
    try {
      const answer = await this.#decided(heard);
      this.#forget(key);
      if (answer) this.#keep(key, now, answer);
      return answer?.bytes;
    } catch (error) {
      this.#forget(key);
      throw error;
    }
  }

  /** A lease may have been given back, ended or run out since. */
  #stillHolds({ promised }: Answer6): boolean {
    const { leases, clock } = this.ports;
    const now = clock().toISOString();
    return promised.every(({ ip, clientId: client }) => leases.holderOf(ip, now)?.clientId === client);
  }

  #keep(key: string, at: number, answer: Answer6): void {
    this.#answers.set(key, { at, answer });
    this.#keptBytes += answer.bytes.length;
  }

  #forget(key: string): void {
    this.#keptBytes -= this.#answers.get(key)?.answer?.bytes.length ?? 0;
    this.#answers.delete(key);
  }

  async #decided(heard: Heard): Promise<Answer6 | undefined> {
    const { overheard, metrics, log } = this.ports;
    const { request, relays, from } = heard;
    const context = this.#context(heard);
    const decision = await this.#stored(request, context);
    if (decision.kind === 'ignore') {
      this.#note(decision.reason, request.type, from.peer, context.mac);
      return this.#ignored(decision.reason, context.mac ?? from.peer);
    }
    const { message, leases, refused } = decision;
    metrics.count('dhcp6_replies_total', { type: message.type });
    if (refused) this.#note(refused, request.type, from.peer, context.mac);
    const addresses = leases.flatMap((command) => ('holder' in command ? [command.holder.ip] : []));
    this.#declined(leases, clientOf(request, context.mac));
    if (request.type === 'release') for (const address of addresses) overheard.unleased(address);
    log.info(`DHCPv6 ${request.type} of ${context.mac ?? from.peer}: ${[message.type, ...addresses].join(' ')}`);
    const promised = leases.flatMap((command) => (command.type === 'BindAddress' ? [command.holder] : []));
    return { bytes: encodeMessage(wrapReply(message, relays)), promised };
  }

  /** Another client may have taken the address while we looked: then there is a second choice. */
  async #stored(request: Dhcp6Message, context: Dhcp6Context): Promise<Dhcp6Decision> {
    for (let attempt = 1; ; attempt++) {
      const decision = respond6(request, context);
      if (decision.kind === 'ignore') return decision;
      try {
        await this.ports.leases.submit(decision.leases);
        if (decision.boot) await this.ports.boots.record({ type: 'OfferNetboot', ...decision.boot });
        return decision;
      } catch (error) {
        if (!(error instanceof DomainError) || attempt === 3) throw error;
      }
    }
  }

  #declined(commands: readonly Lease6Command[], client: string): void {
    for (const command of commands) {
      if (command.type !== 'DeclineAddress' || command.holder.origin !== 'pool') continue;
      if (!this.#decliners.note(client, this.ports.clock().getTime())) continue;
      const { count, withinMs } = mostDeclined;
      const minutes = withinMs / 60_000;
      this.ports.log.warn(
        `DHCPv6: ${client} declined ${count} addresses within ${minutes} minutes: until those are over it is given none of a pool`,
      );
    }
  }

  #context({ request, relays, from }: Heard): Dhcp6Context {
    const { machines, boots, leases, clock } = this.ports;
    const macs = macsOf(request, relays, from.peer);
    const machine = macs.map((mac) => machines.byMac(mac)).find((found) => found !== undefined);
    const mac = machine?.mac ?? macs[0] ?? null;
    // The relay next to the client that says where it is; a layer-2 relay does not (RFC 6221).
    const relay = relays.findLast(({ link }) => link !== noAddress)?.link ?? null;
    const onLink = relay === null ? from.link : [relay];
    const wire = linkAt(onLink, this.server.subnets);
    const ticket = mac === null ? undefined : this.#ticket(request, mac);
    const classes = classesOf6(request, mac, this.server.classes);
    const open = wire.filter(({ pools }) => openTo(pools, classes).length > 0);
    const reserved = machine?.interface.dhcp.ip?.address;
    const last = lastAddresses(request, leases);
    const subnet =
      wire.find((one) => reserved !== undefined && isIPv6(reserved) && isWithin6(one, reserved)) ??
      open.find((one) => last.some((address) => isWithin6(one, address))) ??
      open[0] ??
      wire[0];
    const own = machine?.interface.dhcp.options6 ?? [];
    return {
      ...(ticket ? { ticket } : {}),
      ...{ server: this.server, duid: Buffer.from(leases.serverDuid, 'hex'), leases, mac, relay, wire },
      ...(machine ? { machine } : {}),
      ...(subnet ? { subnet } : {}),
      options: [...own, ...classes.flatMap(({ options6 }) => options6)],
      pools: open.flatMap(({ pools }) => openTo(pools, classes)),
      isReserved: (address) => onLink.includes(address) || machines.byReservedAddress(address) !== undefined,
      hasReservation: (card, address) => machines.byMac(card)?.interface.dhcp.ip?.address === address,
      isHeldOff: this.#decliners.isHeldOff(clientOf(request, mac), clock().getTime()),
      isUnicast: relays.length === 0 && !from.peer.startsWith('fe80:'),
      mayNetboot: machine !== undefined && machines.netboot(machine).allowed,
      chained: mac === null ? '' : boots.programOf(mac),
      now: clock().toISOString(),
    };
  }

  #ticket({ transactionId, options }: Dhcp6Message, mac: string): Dhcp6Context['ticket'] {
    const { ticketSeconds } = this.server;
    if (ticketSeconds === 0 || !options.some(({ code }) => code === userClass.code)) return undefined;
    const expiresAt = new Date(this.ports.clock().getTime() + ticketSeconds * 1000).toISOString();
    return { ...this.#tickets.of(mac, transactionId), expiresAt };
  }

  #ignored(reason: string, who: string): undefined {
    this.ports.metrics.count('dhcp6_dropped_total', { reason });
    this.ports.log.debug(`DHCPv6 message of ${who} not answered: ${reason}`);
    return undefined;
  }

  #note(reason: string, detail: string, peer: string, mac: string | null = null): void {
    const source = peer.replace(/%.*$/, '');
    this.ports.failed.note({ protocol: 'dhcp', reason, detail: `DHCPv6 ${detail}`, source, ...(mac && { mac }) });
  }

  #drop(error: unknown, peer: string): void {
    const { metrics, log } = this.ports;
    const text = error instanceof Error ? error.message : String(error);
    if (error instanceof MalformedPacketError) {
      this.#note('malformed', text, peer, macOfAddress(peer));
      metrics.count('dhcp6_dropped_total', { reason: 'malformed' });
      log.debug(`malformed DHCPv6 message of ${peer}: ${text}`);
    } else if (error instanceof DomainError) {
      this.#note('refused', text, peer, macOfAddress(peer));
      metrics.count('dhcp6_dropped_total', { reason: 'refused' });
      log.warn(`DHCPv6 message of ${peer} not answered: ${text}`);
    } else if (error instanceof StandbyError || error instanceof TermOverError) {
      this.#ignored('standby', peer);
    } else {
      // The client asks again; by then the log may be back.
      this.#note('error', text, peer, macOfAddress(peer));
      metrics.count('dhcp6_dropped_total', { reason: 'error' });
      log.error(`DHCPv6 message of ${peer} not answered: ${text}`);
    }
  }
}

/** Its MAC, or its DUID in hex. */
function clientOf({ options }: Dhcp6Message, mac: string | null): string {
  return mac ?? hexOf(readOption(options, clientId) ?? new Uint8Array());
}

function lastAddresses({ options }: Dhcp6Message, leases: Lease6Pool): readonly string[] {
  const id = readOption(options, clientId) ?? new Uint8Array();
  return readOptions(options, iaNa).flatMap(({ iaid }) => leases.addressesOf(associationOf(id, iaid)));
}

/** RFC 8415 §7.2, RFC 8357 §5.4. */
function portOf([nearest]: readonly RelayMessage[]): OutgoingReply6['port'] {
  if (!nearest) return 'client';
  return nearest.options.some(({ code }) => code === relaySourcePort.code) ? 'source' : 'relay';
}
