import type { Logger } from '../logger';
import { interfaceWith } from '../udp/interface-with';
import type { NativeBatch } from '../udp/native-batch';
import { bindUdp, type BoundSocket } from '../udp/udp-socket';
import { everybody } from './destination';

/** The interface may be made anew, or another get the address. */
const followMs = 5000;

/**
 * Sockets for what is sent to everybody on the wire of our address. Linux gives such a socket the broadcasts of all interfaces unless it is
 * tied to one, which Node cannot do.
 */
export class Broadcasts {
  readonly #fds: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #interface: string | undefined;

  constructor(
    private readonly address: string,
    private readonly native: NativeBatch | undefined,
    private readonly log: Logger,
    /** Others of ours hear the other interfaces: what is heard on all would be answered by each. */
    private readonly isAlone = true,
  ) {}

  async open(port: number): Promise<BoundSocket> {
    const { native, address } = this;
    const name = interfaceWith(address);
    let reason = native ? `no interface that is up has ${address}` : 'it takes Linux and BOOTS_UDP_BATCHES';
    if (native && name !== undefined) {
      try {
        const tied = await bindUdp(everybody, port, native, true, name);
        this.#interface = name;
        return this.#follow(tied);
      } catch (error) {
        reason = reasonOf(error);
      }
    }
    if (!this.isAlone) throw new Error(`broadcasts to ${address} cannot be told from others: ${reason}`);
    const bound = await bindUdp(everybody, port, native, true);
    this.log.info(`DHCP broadcasts to port ${port} are heard on all interfaces: ${reason}`);
    return native ? this.#follow(bound) : bound;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#fds.length = 0;
  }

  #follow(bound: BoundSocket): BoundSocket {
    this.#fds.push(bound.fd);
    this.#timer ??= setInterval(() => this.#tie(), followMs).unref();
    return bound;
  }

  #tie(): void {
    const name = interfaceWith(this.address);
    if (name === undefined) return;
    const isOther = name !== this.#interface;
    this.#interface = name;
    try {
      // Again too: one that was made anew has the same name only.
      for (const fd of this.#fds) this.native?.tie(fd, name);
      if (isOther) this.log.info(`DHCP broadcasts are heard on ${name}`);
    } catch (error) {
      if (isOther) this.log.warn(`DHCP broadcasts are not heard on ${name}: ${reasonOf(error)}`);
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
