import { createSocket, type Socket } from 'node:dgram';
import { numberOf, textOf } from '@tinkerbell/domain';
import type { NativeBatch, TakeDatagram } from './native-batch';
import type { Outbox } from './outbox';
import type { Piece } from './piece';

/** Batches taken at one go before others on the event loop have their turn. */
const batchesAtOnce = 4;
/**
 * For a rack that is powered on at once; the system gives what `net.core.rmem_max` allows. The send buffer stays as it is: a larger one
 * would overflow the interface's queue, which drops without a word, before it says that it is full.
 */
const receiveBufferBytes = 4 << 20;
/** TFTP requests are 512 bytes at most (RFC 2347 §3); what is longer is cut off, and as malformed as it was. */
const largestReceived = 1024;
const retryMs = 1;

/** What a service needs of a UDP socket, whatever its family. */
export type DatagramSocket = Pick<UdpSocket, 'port' | 'listen' | 'send' | 'put' | 'flush' | 'close'>;

type Listener = Readonly<{ take: TakeDatagram; rest: () => void }>;

/** One IPv4 UDP socket. Without `native` each datagram is a call of its own. */
export class UdpSocket {
  #retry: NodeJS.Timeout | undefined;
  #listener: Listener | undefined;
  readonly #outbox: Outbox | undefined;

  private constructor(
    private readonly socket: Socket,
    /** -1: known to Node only. */
    readonly fd: number,
    private readonly native: NativeBatch | undefined,
    /** There is room again after `put` or `flush` said that there was none. */
    private readonly onRoom: () => void,
  ) {
    this.#outbox = native?.outbox(fd);
  }

  static async open(
    address: string,
    port: number,
    native: NativeBatch | undefined,
    onRoom: () => void,
  ): Promise<UdpSocket> {
    const { socket, fd } = await bindUdp(address, port, native);
    socket.setRecvBufferSize(receiveBufferBytes);
    return new UdpSocket(socket, fd, native, onRoom);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** `take` gets every datagram, `rest` runs after those that came together, `last` before others on the event loop have their turn. */
  listen(take: TakeDatagram, rest: () => void, onError: (error: Error) => void, last?: () => void): void {
    this.#listener = { take, rest };
    this.socket.on('error', onError);
    this.socket.on('message', (bytes, { address, port }) => {
      take(bytes, numberOf(address), port);
      this.takeWaiting();
      last?.();
    });
  }

  /** What has come meanwhile. */
  takeWaiting(): void {
    const { native, fd } = this;
    if (!this.#listener) return;
    const { take, rest } = this.#listener;
    for (let i = 0; i < batchesAtOnce && native?.receive(fd, largestReceived, take); i++);
    rest();
  }

  /** Sent at once, or dropped. */
  send(ip: number, port: number, bytes: Uint8Array): void {
    this.socket.send(bytes, port, textOf(ip), () => undefined);
  }

  /** With others at the next `flush`. `head`: the first four bytes. False: no room, `onRoom` tells when there is. */
  put(ip: number, port: number, head: number, pieces: readonly Piece[]): boolean {
    if (this.#outbox) return this.#outbox.put(ip, port, head, pieces) || this.#wait();
    const first = Buffer.allocUnsafe(4);
    first.writeUInt32BE(head >>> 0);
    const parts = pieces.map(({ chunk, from, to }) => chunk.bytes.subarray(from, to));
    this.socket.send([first, ...parts], port, textOf(ip), () => undefined);
    return true;
  }

  flush(): boolean {
    return !this.#outbox || this.#outbox.flush() || this.#wait();
  }

  async close(): Promise<void> {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }

  #wait(): false {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      if (this.flush()) this.onRoom();
    }, retryMs);
    return false;
  }
}

export interface BoundSocket {
  readonly socket: Socket;
  /** -1: known to Node only. */
  readonly fd: number;
}

/** `reuse`: others may be bound to the same port; `tiedTo`: no other interface is heard, which takes `native`. */
export async function bindUdp(
  address: string,
  port: number,
  native: NativeBatch | undefined,
  reuse = false,
  tiedTo?: string,
): Promise<BoundSocket> {
  const fd = native && openNative(native, address, port, reuse, tiedTo);
  // Node looks up even what is an address already, which takes a turn of the event loop for each datagram.
  const lookup: LookupAddress = (host, _, done) => done(null, host, 4);
  const socket = createSocket({ type: 'udp4', lookup, reuseAddr: reuse });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(fd === undefined ? { address, port } : { fd }, resolve);
  });
  socket.removeAllListeners('error');
  return { socket, fd: fd ?? -1 };
}

/** Throws as Node does, with the place in its message. */
function openNative(native: NativeBatch, address: string, port: number, reuse: boolean, tiedTo?: string): number {
  try {
    return native.open(numberOf(address), port, reuse, tiedTo);
  } catch (cause) {
    const { message, code } = cause as NodeJS.ErrnoException;
    throw Object.assign(new Error(`${message} ${address}:${port}`, { cause }), { code });
  }
}

type LookupAddress = (
  host: string,
  options: unknown,
  done: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
) => void;
