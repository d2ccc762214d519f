import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { plainAddress } from '../callers';
import type { Logger } from '../logger';
import type { SyslogDesk } from './syslog-desk';

const receiveBufferBytes = 4 * 1024 * 1024;

/** Syslog over UDP, RFC 5426: one message a datagram, nothing is answered. */
export class SyslogListener {
  #socket: Socket | undefined;

  constructor(
    private readonly desk: Pick<SyslogDesk, 'take'>,
    private readonly log: Logger,
  ) {}

  /** Returns the port. Throws what the system says, with what it was about. */
  async open(address: string, port: number): Promise<number> {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', ipv6Only: isIPv6(address) });
    socket.on('message', (bytes, peer) => void this.desk.take(bytes, plainAddress(peer.address)));
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (cause) => {
        socket.close();
        reject(new Error(`cannot listen for syslog on ${address}, port ${port}: ${cause.message}`, { cause }));
      });
      socket.bind({ address, port }, resolve);
    });
    socket.removeAllListeners('error');
    socket.on('error', (error) => this.log.error(`syslog socket: ${error.message}`));
    try {
      socket.setRecvBufferSize(receiveBufferBytes);
    } catch (error) {
      this.log.debug(`receive buffer stays small: ${String(error)}`);
    }
    this.#socket = socket;
    return socket.address().port;
  }

  close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    return new Promise((resolve) => (socket ? socket.close(() => resolve()) : resolve()));
  }
}
