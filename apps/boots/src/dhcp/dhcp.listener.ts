import type { Socket } from 'node:dgram';
import { numberOf, textOf } from '@tinkerbell/domain';
import type { Logger } from '../logger';
import type { Metrics } from '../metrics';
import type { NativeBatch, TakeDatagram } from '../udp/native-batch';
import { Replies } from '../udp/replies';
import { bindUdp, type BoundSocket } from '../udp/udp-socket';
import { Broadcasts } from './broadcasts';
import { everybody } from './destination';
import type { Arrival, DhcpDesk, OutgoingReply } from './dhcp-desk';
import { RequestPump } from './request-pump';
import { rankOf } from './request-rank';

export interface DhcpPorts {
  readonly address: string;
  /** 67; 0 = any free one. */
  readonly serverPort: number;
  /** Where clients and relays listen: 68 and 67. */
  readonly clientPort: number;
  readonly relayPort: number;
  /** 4011, where PXE firmware asks a proxy. */
  readonly pxePort: number;
  /** No other listener of this process hears broadcasts. */
  readonly isAlone: boolean;
  /** undefined: Node takes one message a call. */
  readonly native: NativeBatch | undefined;
}

/** For the time of one turn of the event loop; what has to wait longer waits in the pump, which knows how long. */
const receiveBufferBytes = 1024 * 1024;
/** Longer ones are cut off, and malformed. */
const largestMessage = 4096;
/** Batches taken at one go. */
const batchesAtOnce = 16;
/** Of answering, between looks into the sockets: many requests share a commit. Without batches Node takes 32 a look. */
const turnMs = { batches: 2, single: 1 } as const;
const overloadToldMs = 60_000;

interface Request {
  readonly bytes: Uint8Array;
  readonly from: Arrival;
  /** Where its answer has to come from, if that matters. */
  readonly sender: Replies | undefined;
  /** When it was taken from its socket, by performance.now(). */
  readonly at: number;
}

/**
 * Two sockets, and a third while there is a proxy: one hears the broadcasts on the interface with our address, the other, bound to our address, hears
 * unicast and relayed requests, by whatever interface, and sends every reply, so that a broadcast leaves by the interface with that address
 * and carries it as its source.
 */
export class DhcpListener {
  readonly #sockets: Socket[] = [];
  readonly #pump: RequestPump<Request>;
  readonly #broadcasts: Broadcasts;
  #sender: Replies | undefined;
  #pxe: { readonly socket: Socket; readonly replies: Replies } | undefined;
  readonly #replies: Replies[] = [];
  /** Shed since the log was told. */
  #untold = 0;
  #toldAt = -Infinity;

  constructor(
    private readonly desk: Pick<DhcpDesk, 'answer' | 'overhear'>,
    private readonly ports: DhcpPorts,
    private readonly metrics: Metrics,
    private readonly log: Logger,
  ) {
    this.#broadcasts = new Broadcasts(ports.address, ports.native, log, ports.isAlone);
    this.#pump = new RequestPump(
      (request, done) => this.#answer(request, done),
      (count) => this.#onShed(count),
      ports.native ? turnMs.batches : turnMs.single,
    );
  }

  /** Returns the port. Throws what the system says, with what it was about. */
  async open(): Promise<number> {
    const { address, serverPort } = this.ports;
    const bound = await this.#bind(address, serverPort, 'unicast');
    bound.socket.setBroadcast(true);
    this.#sender = this.#repliesOf(bound);
    const { port } = bound.socket.address();
    this.#takeFrom(bound, 'unicast', undefined);
    this.#takeFrom(await this.#bind(everybody, port, 'broadcast'), 'broadcast', undefined);
    // In a laboratory, where ports are any, clients have others too.
    if (serverPort !== 0) await this.#overhear();
    return port;
  }

  /** For a proxy; nothing when it is open. Throws what the system says, with what it was about. */
  async openPxe(): Promise<void> {
    if (this.#pxe) return;
    const bound = await this.#bind(this.ports.address, this.ports.pxePort, 'pxe');
    const replies = this.#repliesOf(bound);
    // Firmware that asked port 4011 takes an answer from there only.
    this.#takeFrom(bound, 'pxe', replies);
    this.#pxe = { socket: bound.socket, replies };
  }

  async closePxe(): Promise<void> {
    const pxe = this.#pxe;
    if (!pxe) return;
    this.#pxe = undefined;
    pxe.replies.close();
    this.#replies.splice(this.#replies.indexOf(pxe.replies), 1);
    this.#sockets.splice(this.#sockets.indexOf(pxe.socket), 1);
    await closed(pxe.socket);
  }

  /** What others send to all clients of the wire. A DHCP client on this host may have the port for itself: then only requests tell of them. */
  async #overhear(): Promise<void> {
    const bound = await this.#broadcasts.open(this.ports.clientPort).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.log.info(`replies of other DHCP servers are not heard: ${reason}`);
    });
    if (!bound) return;
    const { socket } = bound;
    socket.on('message', (bytes) => this.desk.overhear(bytes));
    socket.on('error', (error) => this.log.error(`DHCP socket: ${error.message}`));
    this.#sockets.push(socket);
  }

  async close(): Promise<void> {
    this.#pump.close();
    this.#broadcasts.close();
    for (const replies of this.#replies.splice(0)) replies.close();
    await Promise.all(this.#sockets.splice(0).map(closed));
  }

  async #bind(address: string, port: number, arrival: Arrival['arrival']): Promise<BoundSocket> {
    const opening =
      arrival === 'broadcast' ? this.#broadcasts.open(port) : bindUdp(address, port, this.ports.native, true);
    const bound = await opening.catch((cause: Error) => {
      throw new Error(`cannot listen for DHCP on ${address}:${port}: ${cause.message}`, { cause });
    });
    const { socket } = bound;
    socket.on('error', (error) => this.log.error(`DHCP socket: ${error.message}`));
    try {
      socket.setRecvBufferSize(receiveBufferBytes);
    } catch (error) {
      this.log.debug(`receive buffer stays small: ${String(error)}`);
    }
    this.#sockets.push(socket);
    return bound;
  }

  #repliesOf(bound: BoundSocket): Replies {
    const replies = new Replies(bound, this.ports.native, (address, reason) => this.#lost(address, reason));
    this.#replies.push(replies);
    return replies;
  }

  #takeFrom({ socket, fd }: BoundSocket, arrival: Arrival['arrival'], sender: Replies | undefined): void {
    const { native } = this.ports;
    const take: TakeDatagram = (bytes, ip, port) => {
      const request = {
        bytes,
        from: { arrival, source: { address: textOf(ip), port } },
        sender,
        at: performance.now(),
      };
      this.#pump.put(rankOf(bytes), request);
    };
    const takeCopy: TakeDatagram = (bytes, ip, port) => take(Buffer.from(bytes), ip, port);
    socket.on('message', (bytes, { address, port }) => {
      take(bytes, numberOf(address), port);
      for (let i = 0; i < batchesAtOnce && native?.receive(fd, largestMessage, takeCopy); i++);
    });
  }

  #answer({ bytes, from, sender = this.#sender, at }: Request, done: () => void): void {
    this.desk.answer(bytes, from, (reply) => {
      this.#send(reply, sender, at);
      done();
    });
  }

  #onShed(count: number): void {
    this.metrics.count('dhcp_dropped_total', { reason: 'overload' }, count);
    this.#untold += count;
    const now = performance.now();
    if (now - this.#toldAt < overloadToldMs) return;
    this.log.warn(`${this.#untold} DHCP messages not answered: more come than can be answered in time`);
    this.#untold = 0;
    this.#toldAt = now;
  }

  #send(reply: OutgoingReply | undefined, sender: Replies | undefined, at: number): void {
    if (!reply) return;
    this.metrics.observe('dhcp_answer_seconds', (performance.now() - at) / 1000);
    const { bytes, destination } = reply;
    const { address, port } = destination;
    const number = typeof port === 'number' ? port : port === 'server' ? this.ports.relayPort : this.ports.clientPort;
    sender?.send(bytes, number, address);
  }

  #lost(address: string, reason: string): void {
    this.metrics.count('dhcp_dropped_total', { reason: 'send' });
    this.log.warn(`DHCP reply to ${address} not sent: ${reason}`);
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
