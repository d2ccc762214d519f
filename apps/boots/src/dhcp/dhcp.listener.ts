import { createSocket, type Socket } from 'node:dgram';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import type { Destination } from './destination';
import { everybody } from './destination';
import type { Arrival, DhcpDesk } from './dhcp-desk';

export interface DhcpPorts {
  readonly address: string;
  /** 67; 0 = any free one. */
  readonly serverPort: number;
  /** Where clients and relays listen: 68 and 67. */
  readonly clientPort: number;
  readonly relayPort: number;
  /** 4011, where PXE firmware asks a proxy; undefined: there is none here. */
  readonly pxePort: number | undefined;
}

/** Enough for a rack that powers on at once. */
const receiveBufferBytes = 4 * 1024 * 1024;

/**
 * Two sockets, and a third for a proxy: one hears the broadcasts, the other, bound to our address, hears unicast and relayed requests and sends every reply, so
 * that a broadcast leaves by the interface with that address and carries it as its source.
 */
export class DhcpListener {
  readonly #sockets: Socket[] = [];
  #sender: Socket | undefined;

  constructor(
    private readonly desk: Pick<DhcpDesk, 'answer' | 'overhear'>,
    private readonly ports: DhcpPorts,
    private readonly metrics: Metrics,
    private readonly log: Logger,
  ) {}

  /** Returns the port. Throws what the system says, with what it was about. */
  async open(): Promise<number> {
    const { address, serverPort, pxePort } = this.ports;
    const sender = await this.#bind(address, serverPort, 'unicast');
    sender.setBroadcast(true);
    this.#sender = sender;
    const { port } = sender.address();
    await this.#bind(everybody, port, 'broadcast');
    if (pxePort !== undefined) await this.#bind(address, pxePort, 'pxe');
    // In a laboratory, where ports are any, clients have others too.
    if (serverPort !== 0) await this.#overhear();
    return port;
  }

  /** What others send to all clients of the wire. A DHCP client on this host may have the port for itself: then only requests tell of them. */
  async #overhear(): Promise<void> {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    socket.on('message', (bytes) => this.desk.overhear(bytes));
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind({ address: everybody, port: this.ports.clientPort }, resolve);
      });
    } catch (error) {
      socket.close();
      this.log.info(
        `replies of other DHCP servers are not heard: ${error instanceof Error ? error.message : String(error)}`,
      );
      return;
    }
    socket.removeAllListeners('error');
    socket.on('error', (error) => this.log.error(`DHCP socket: ${error.message}`));
    this.#sockets.push(socket);
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#sockets.splice(0).map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))),
    );
  }

  async #bind(address: string, port: number, arrival: Arrival['arrival']): Promise<Socket> {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    socket.on('message', (bytes, { address: host, port: from }) => {
      void this.#onMessage(bytes, { arrival, source: { address: host, port: from } }, socket);
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (cause) => {
        socket.close();
        reject(new Error(`cannot listen for DHCP on ${address}:${port}: ${cause.message}`, { cause }));
      });
      socket.bind({ address, port }, resolve);
    });
    socket.removeAllListeners('error');
    socket.on('error', (error) => this.log.error(`DHCP socket: ${error.message}`));
    try {
      socket.setRecvBufferSize(receiveBufferBytes);
    } catch (error) {
      this.log.debug(`receive buffer stays small: ${String(error)}`);
    }
    this.#sockets.push(socket);
    return socket;
  }

  async #onMessage(bytes: Uint8Array, from: Arrival, socket: Socket): Promise<void> {
    const reply = await this.desk.answer(bytes, from);
    // Firmware that asked port 4011 takes an answer from there only.
    if (reply) this.#send(reply.bytes, reply.destination, from.arrival === 'pxe' ? socket : this.#sender);
  }

  #send(bytes: Uint8Array, { address, port }: Destination, socket: Socket | undefined): void {
    const number = typeof port === 'number' ? port : port === 'server' ? this.ports.relayPort : this.ports.clientPort;
    try {
      socket?.send(bytes, number, address, (error) => {
        if (error) this.#failed(address, error);
      });
    } catch (error) {
      // Closed in the meantime.
      this.#failed(address, error);
    }
  }

  #failed(address: string, error: unknown): void {
    this.metrics.count('dhcp_dropped_total', { reason: 'send' });
    this.log.warn(`DHCP reply to ${address} not sent: ${error instanceof Error ? error.message : String(error)}`);
  }
}
