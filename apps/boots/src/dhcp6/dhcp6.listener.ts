import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import type { Dhcp6Desk, OutgoingReply6 } from './dhcp6-desk';

export interface Dhcp6Ports {
  /** 547; 0 = any free one. */
  readonly port: number;
  /** Where clients and relays listen: 546 and 547. */
  readonly clientPort: number;
  readonly relayPort: number;
  /** Those that clients are to be heard on, as of now. */
  readonly interfaces: () => readonly string[];
}

/** All_DHCP_Relay_Agents_and_Servers and All_DHCP_Servers (RFC 8415 §7.1). */
const groups = ['ff02::1:2', 'ff05::1:3'] as const;
const receiveBufferBytes = 4 * 1024 * 1024;
/** An interface may get its carrier or its address later, or be made anew. */
const followMs = 5000;

/** One socket for clients, relays and replies. */
export class Dhcp6Listener {
  #socket: Socket | undefined;
  #joined: readonly string[] = [];
  /** What was told last of interfaces that clients are not heard on. */
  #told = '';
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
    const [fault] = this.#joinAll(socket);
    if (fault) {
      await this.close();
      throw fault;
    }
    socket.on('error', (error) => this.log.error(`DHCPv6 socket: ${error.message}`));
    socket.on('message', (bytes, { address, port: from }) => void this.#onMessage(bytes, address, from));
    try {
      socket.setRecvBufferSize(receiveBufferBytes);
    } catch (error) {
      this.log.debug(`receive buffer stays small: ${String(error)}`);
    }
    this.#tell([]);
    this.#timer = setInterval(() => this.#follow(), followMs).unref();
    return socket.address().port;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  #follow(): void {
    if (this.#socket) this.#tell(this.#joinAll(this.#socket));
  }

  #tell(faults: readonly Error[]): void {
    const none = this.#joined.length === 0 ? ['DHCPv6: no interface that is up has PUBLIC_IP6; relays are heard'] : [];
    const text = (faults.length > 0 ? faults.map(({ message }) => message) : none).join('; ');
    if (text !== '' && text !== this.#told) this.log.warn(text);
    this.#told = text;
  }

  /** Returns why some could not be joined. */
  #joinAll(socket: Socket): readonly Error[] {
    const [joined, anew, faults]: [string[], string[], Error[]] = [[], [], []];
    for (const name of this.ports.interfaces()) {
      try {
        if (join(socket, name, !this.#joined.includes(name))) anew.push(name);
        joined.push(name);
      } catch (error) {
        faults.push(error instanceof Error ? error : new Error(String(error)));
      }
    }
    this.#joined = joined;
    if (anew.length > 0) this.log.info(`DHCPv6 on ${anew.join(', ')}, port ${socket.address().port}`);
    return faults;
  }

  async #onMessage(bytes: Uint8Array, peer: string, port: number): Promise<void> {
    const name = /%(.+)$/.exec(peer)?.[1];
    if (name !== undefined && !this.#isServed(name)) return this.#drop('other-interface', peer);
    const link = name === undefined ? [] : (networkInterfaces()[name] ?? []).map(({ address }) => address);
    const at = performance.now();
    const reply = await this.desk.answer(bytes, { peer, link });
    if (!reply) return;
    this.metrics.observe('dhcp6_answer_seconds', (performance.now() - at) / 1000);
    this.#send(reply.bytes, peer, this.#portOf(reply, port));
  }

  #isServed(name: string): boolean {
    if (!this.#joined.includes(name)) this.#follow();
    return this.#joined.includes(name);
  }

  #portOf({ port }: OutgoingReply6, source: number): number {
    if (port === 'source') return source;
    return port === 'relay' ? this.ports.relayPort : this.ports.clientPort;
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

/**
 * Whether it was not joined before. Each time that is asked: an interface that was made anew has the same name, and nobody has joined it.
 * `isBack`: what the socket still has of an interface that was gone says nothing, its index may be another's now.
 */
function join(socket: Socket, name: string, isBack: boolean): boolean {
  let isNew = false;
  for (const group of groups) {
    try {
      if (isBack) drop(socket, group, name);
      socket.addMembership(group, `::%${name}`);
      isNew = true;
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE') continue;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`cannot hear DHCPv6 clients on interface ${name} (${group}): ${reason}`, { cause });
    }
  }
  return isNew;
}

function drop(socket: Socket, group: string, name: string): void {
  try {
    socket.dropMembership(group, `::%${name}`);
  } catch {
    // It had none.
  }
}
