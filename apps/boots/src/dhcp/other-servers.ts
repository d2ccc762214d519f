import { type DhcpPacket, macOf, messageType, noAddress, readOption, serverIdentifier } from '@tinkerbell/dhcp';
import type { DhcpServerFound } from '@tinkerbell/events';
import type { LeasePool } from '../log/lease-pool';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';

type Sign = DhcpServerFound['data']['sign'];

export interface OtherServersPorts {
  readonly leases: Pick<LeasePool, 'isActive' | 'own' | 'submit'>;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: () => Date;
}

const dayMs = 86_400_000;
/** Somebody may make servers up. */
const maxKnown = 64;

/** DHCP servers on the wire that are none of ours: told once a day each, in the log of this process and in that of the engine. */
export class OtherServers {
  /** → when it was told of last, oldest first. */
  readonly #known = new Map<string, number>();

  constructor(
    private readonly ports: OtherServersPorts,
    /** Our own server identifiers. */
    private readonly own: readonly string[],
  ) {}

  get count(): number {
    return this.#known.size;
  }

  /** What was told as a standby is in no log but that of this process: tell it again. */
  forget(): void {
    this.#known.clear();
  }

  /** A client asks another server for what that one offered. `serverId`: what we are for clients behind this relay. */
  onRequest(request: DhcpPacket, serverId: string): void {
    const server = readOption(request.options, serverIdentifier);
    if (server !== undefined && server !== serverId) this.#seen(server, 'request', request);
  }

  /** What was sent to every client on the wire. */
  onReply(reply: DhcpPacket): void {
    const type = readOption(reply.options, messageType);
    const server = readOption(reply.options, serverIdentifier);
    if (reply.op !== 'reply' || server === undefined) return;
    if (type === 'offer' || type === 'ack' || type === 'nak') this.#seen(server, type, reply);
  }

  #seen(server: string, sign: Sign, packet: DhcpPacket): void {
    const clientMac = macOf(packet);
    const { leases, metrics, log, clock } = this.ports;
    const isOurs = this.own.includes(server) || leases.own.has(server);
    if (isOurs || server === noAddress || clientMac === undefined) return;
    metrics.count('dhcp_other_server_messages_total', { sign });
    if (!this.#isNews(server, clock().getTime())) return;
    log.warn(`another DHCP server is on the wire: ${server} (${sign}, client ${clientMac})`);
    if (!leases.isActive) return;
    const offered = packet.yiaddr === noAddress ? null : packet.yiaddr;
    const seenAt = clock().toISOString();
    leases.submit([{ type: 'TellOfServer', server, sign, clientMac, offered, seenAt }]).catch((error: unknown) => {
      this.#known.delete(server);
      log.debug(`not stored: ${String(error)}`);
    });
  }

  #isNews(server: string, now: number): boolean {
    const told = this.#known.get(server);
    if (told !== undefined && now - told < dayMs) return false;
    const [oldest] = this.#known;
    if (told === undefined && oldest && this.#known.size >= maxKnown) {
      if (now - oldest[1] < dayMs) return false;
      this.#known.delete(oldest[0]);
    }
    this.#known.delete(server);
    this.#known.set(server, now);
    return true;
  }
}
