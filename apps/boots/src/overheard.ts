import { type DhcpPacket, macOf, noAddress, readOption, requestedAddress } from '@tinkerbell/dhcp';
import { Recent } from './recent';

/** A boot is over by then, and who stays has asked for its address again. */
const lifeMs = 3_600_000;
/** A boot loader has fetched all by then. */
const unleasedMs = 300_000;

/**
 * Whose an address is that another server gives out: by the REQUEST that its client sends to that server, which a relay and everybody's
 * wire bring here as well, else by the script that was fetched from there. Good enough to tell what a machine fetched, and for nothing
 * else: a client may say what it likes.
 */
export class Overheard {
  readonly #macs = new Recent<string>(lifeMs);

  readonly #unleased = new Recent<true>(unleasedMs);

  constructor(private readonly clock: () => Date) {}

  /** A REQUEST to another server: of its offer, or to keep the address. */
  request(packet: DhcpPacket): void {
    const mac = macOf(packet);
    const { ciaddr } = packet;
    const address = ciaddr === noAddress ? readOption(packet.options, requestedAddress) : ciaddr;
    if (mac !== undefined && address !== undefined && address !== noAddress) this.#set(address, mac);
  }

  /** The script of this MAC went there. A REQUEST says more. */
  script(address: string, mac: string): void {
    if (this.macOf(address) === undefined) this.#set(address, mac);
  }

  /**
   * Its machine goes on with a reserved address that it has no lease of: a Raspberry Pi takes an offer for one, and OVMF gives the lease
   * back by DHCPv6 as it starts a program that keeps the address.
   */
  unleased(address: string): void {
    this.#unleased.set(address, true, this.clock().getTime());
  }

  isUnleased(address: string): boolean {
    return this.#unleased.get(address, this.clock().getTime()) ?? false;
  }

  macOf(address: string): string | undefined {
    return this.#macs.get(address, this.clock().getTime());
  }

  #set(address: string, mac: string): void {
    this.#macs.set(address, mac, this.clock().getTime());
  }
}
