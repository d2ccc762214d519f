import { createSocket, type Socket } from 'node:dgram';
import type { TakeDatagram } from './native-batch';
import type { Piece } from './piece';
import type { DatagramSocket } from './udp-socket';

/** More peers at once than transfers can be: those that were heard of longest ago are forgotten. */
const maxPeers = 131_072;

/** IPv6 addresses by numbers of our own, which stand for them as IPv4 addresses' own numbers do; shared by all sockets of one service. */
export class PeerNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #texts = new Map<number, string>();
  #next = 0;

  constructor(private readonly limit = maxPeers) {}

  numberOf(address: string): number {
    const known = this.#numbers.get(address);
    if (known !== undefined) {
      this.#numbers.delete(address);
      this.#numbers.set(address, known);
      return known;
    }
    if (this.#numbers.size >= this.limit) this.#forgetOldest();
    const number = this.#next++;
    this.#numbers.set(address, number);
    this.#texts.set(number, address);
    return number;
  }

  /** '' for one that was forgotten. */
  textOf(number: number): string {
    return this.#texts.get(number) ?? '';
  }

  #forgetOldest(): void {
    for (const [address, number] of this.#numbers) {
      this.#numbers.delete(address);
      this.#texts.delete(number);
      return;
    }
  }
}

const receiveBufferBytes = 4 << 20;

/** One IPv6 UDP socket; each datagram is a system call of its own. */
export class Udp6Socket implements DatagramSocket {
  private constructor(
    private readonly socket: Socket,
    private readonly peers: PeerNumbers,
  ) {}

  static async open(address: string, port: number, peers: PeerNumbers): Promise<Udp6Socket> {
    // Node looks up even what is an address already, which takes a turn of the event loop for each datagram.
    const lookup = (host: string, _: unknown, done: (error: null, address: string, family: number) => void) =>
      done(null, host, 6);
    const socket = createSocket({ type: 'udp6', ipv6Only: true, lookup });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind({ address, port }, resolve);
    });
    socket.removeAllListeners('error');
    socket.setRecvBufferSize(receiveBufferBytes);
    return new Udp6Socket(socket, peers);
  }

  get port(): number {
    return this.socket.address().port;
  }

  listen(take: TakeDatagram, rest: () => void, onError: (error: Error) => void): void {
    this.socket.on('error', onError);
    this.socket.on('message', (bytes, { address, port }) => {
      take(bytes, this.peers.numberOf(address), port);
      rest();
    });
  }

  send(ip: number, port: number, bytes: Uint8Array): void {
    const address = this.peers.textOf(ip);
    if (address !== '') this.socket.send(bytes, port, address, () => undefined);
  }

  put(ip: number, port: number, head: number, pieces: readonly Piece[]): boolean {
    const address = this.peers.textOf(ip);
    const first = Buffer.allocUnsafe(4);
    first.writeUInt32BE(head >>> 0);
    const parts = pieces.map(({ chunk, from, to }) => chunk.bytes.subarray(from, to));
    if (address !== '') this.socket.send([first, ...parts], port, address, () => undefined);
    return true;
  }

  flush(): boolean {
    return true;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.socket.close(() => resolve()));
  }
}
