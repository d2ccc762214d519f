import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import type { Dhcp6Desk } from './dhcp6-desk';

export interface Dhcp6Ports {
  /** 547; 0 = any free one. */
  readonly port: number;
  /** Those that clients are to be heard on, as of now: one without a carrier may come later. */
  readonly interfaces: () => readonly string[];
}

/** All_DHCP_Relay_Agents_and_Servers and All_DHCP_Servers (RFC 8415 §7.1). */
const groups = ['ff02::1:2', 'ff05::1:3'] as const;
const receiveBufferBytes = 4 * 1024 * 1024;
/** An interface may get its carrier or its address later. */
const followMs = 5000;

/** One socket for clients, relays and replies: a reply goes to where the message came from. */
export class Dhcp6Listener {
  #socket: Socket | undefined;
  #joined: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly desk: Pick<Dhcp6Desk, 'answer'>,
    private readonly ports: Dhcp6Ports,
    private readonly metrics: Metrics,
    private readonly log: Logger,
  ) {}

  /** Returns the port. Throws what the system says, with what it was about. */
  async open(): Promise<number> {
    const { port } = this.ports;
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
    try {
      this.#joinAll(socket);
    } catch (error) {
      await this.close();
      throw error;
    }
    socket.on('error', (error) => this.log.error(`DHCPv6 socket: ${error.message}`));
    socket.on('message', (bytes, { address, port: from }) => void this.#onMessage(bytes, address, from));
    try {
      socket.setRecvBufferSize(receiveBufferBytes);
    } catch (error) {
      this.log.debug(`receive buffer stays small: ${String(error)}`);
    }
    if (this.#joined.length === 0) this.#wait(socket);
    return socket.address().port;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  #wait(socket: Socket): void {
    this.log.warn('DHCPv6: no interface that is up has PUBLIC_IP6 yet; relays are heard');
    this.#timer = setInterval(() => {
      try {
        this.#joinAll(socket);
        if (this.#joined.length > 0) clearInterval(this.#timer);
      } catch (error) {
        this.log.error(`${error instanceof Error ? error.message : String(error)}; tried again`);
      }
    }, followMs).unref();
  }

  #joinAll(socket: Socket): void {
    const names = this.ports.interfaces();
    for (const name of names) join(socket, name);
    this.#joined = names;
    if (names.length > 0) this.log.info(`DHCPv6 on ${names.join(', ')}, port ${socket.address().port}`);
  }

  async #onMessage(bytes: Uint8Array, peer: string, port: number): Promise<void> {
    const name = /%(.+)$/.exec(peer)?.[1];
    if (name !== undefined && !this.#joined.includes(name)) return this.#drop('other-interface', peer);
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

function join(socket: Socket, name: string): void {
  for (const group of groups) {
    try {
      socket.addMembership(group, `::%${name}`);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`cannot hear DHCPv6 clients on interface ${name} (${group}): ${reason}`, { cause });
    }
  }
}
