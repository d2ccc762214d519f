import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import type { Dhcp6Desk } from './dhcp6-desk';

export interface Dhcp6Ports {
  /** 547; 0 = any free one. */
  readonly port: number;
  /** Interfaces that clients are heard on. */
  readonly interfaces: readonly string[];
}

/** All_DHCP_Relay_Agents_and_Servers and All_DHCP_Servers (RFC 8415 §7.1). */
const groups = ['ff02::1:2', 'ff05::1:3'] as const;
const receiveBufferBytes = 4 * 1024 * 1024;

/** One socket for clients, relays and replies: a reply goes to where the message came from. */
export class Dhcp6Listener {
  #socket: Socket | undefined;

  constructor(
    private readonly desk: Pick<Dhcp6Desk, 'answer'>,
    private readonly ports: Dhcp6Ports,
    private readonly metrics: Metrics,
    private readonly log: Logger,
  ) {}

  /** Returns the port. Throws what the system says, with what it was about. */
  async open(): Promise<number> {
    const { port, interfaces } = this.ports;
    const socket = createSocket({ type: 'udp6', ipv6Only: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (cause) => {
        socket.close();
        reject(new Error(`cannot listen for DHCPv6 on [::]:${port}: ${cause.message}`, { cause }));
      });
      socket.bind({ address: '::', port }, resolve);
    });
    socket.removeAllListeners('error');
    this.#socket = socket;
    for (const name of interfaces) this.#join(socket, name);
    socket.on('error', (error) => this.log.error(`DHCPv6 socket: ${error.message}`));
    socket.on('message', (bytes, { address, port: from }) => void this.#onMessage(bytes, address, from));
    try {
      socket.setRecvBufferSize(receiveBufferBytes);
    } catch (error) {
      this.log.debug(`receive buffer stays small: ${String(error)}`);
    }
    return socket.address().port;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  #join(socket: Socket, name: string): void {
    for (const group of groups) {
      try {
        socket.addMembership(group, `::%${name}`);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        socket.close();
        this.#socket = undefined;
        throw new Error(`cannot hear DHCPv6 clients on interface ${name} (${group}): ${reason}`, { cause });
      }
    }
  }

  async #onMessage(bytes: Uint8Array, peer: string, port: number): Promise<void> {
    const name = /%(.+)$/.exec(peer)?.[1];
    if (name !== undefined && !this.ports.interfaces.includes(name)) return this.#drop('other-interface', peer);
    const link = name === undefined ? [] : (networkInterfaces()[name] ?? []).map(({ address }) => address);
    const reply = await this.desk.answer(bytes, { peer, link });
    if (reply) this.#send(reply, peer, port);
  }

  #send(bytes: Uint8Array, peer: string, port: number): void {
    try {
      this.#socket?.send(bytes, port, peer, (error) => {
        if (error) this.#failed(peer, error);
      });
    } catch (error) {
      // Closed in the meantime.
      this.#failed(peer, error);
    }
  }

  #drop(reason: string, peer: string): void {
    this.metrics.count('dhcp6_dropped_total', { reason });
    this.log.debug(`DHCPv6 message of ${peer} not answered: ${reason}`);
  }

  #failed(peer: string, error: unknown): void {
    this.metrics.count('dhcp6_dropped_total', { reason: 'send' });
    this.log.warn(`DHCPv6 reply to ${peer} not sent: ${error instanceof Error ? error.message : String(error)}`);
  }
}
