import { formatIpv6, parseIpv6 } from '@tinkerbell/bytes';
import type { Lease6Pool } from './log/lease6-pool';
import type { LeasePool } from './log/lease-pool';
import type { Machine, Machines } from './machines';
import { neighbourMac } from './neighbours';
import type { Overheard } from './overheard';

/** Who fetches something: `hardwareId` is null for a MAC without a record. */
export type Caller = Pick<Machine, 'mac'> & { readonly hardwareId: string | null };

/** Which machine is behind a source address: the one that holds the lease of it. */
export class Callers {
  /** `byReservation`: another server gives out such addresses, so the hardware records are all there is to go by. */
  constructor(
    private readonly machines: Pick<Machines, 'byMac' | 'byReservedAddress'>,
    private readonly leases: Pick<LeasePool, 'holderOf'>,
    private readonly leases6: Pick<Lease6Pool, 'holderOf'> | undefined,
    private readonly clock: () => Date,
    private readonly byReservation: (address: string) => boolean,
    private readonly overheard: Pick<Overheard, 'macOf' | 'isUnleased'>,
    private readonly neighbour: (address: string) => string | undefined = neighbourMac,
  ) {}

  at(address: string): Machine | undefined {
    const plain = plainAddress(address);
    const mac = this.lesseeOf(plain);
    if (mac !== undefined) return mac === null ? undefined : this.machines.byMac(mac);
    const isReserved = this.byReservation(plain) || this.overheard.isUnleased(plain);
    return isReserved ? this.machines.byReservedAddress(plain) : undefined;
  }

  /** With or without a record. Where another server gives out the addresses, the kernel knows who is on our own wire, and clients say it. */
  who(address: string): Caller | undefined {
    return this.#whoBy(address, (plain) => this.neighbour(plain) ?? this.overheard.macOf(plain));
  }

  /** The same by what clients say alone: the kernel is not asked for each of a thousand lines. */
  whoSays(address: string): Caller | undefined {
    return this.#whoBy(address, (plain) => this.overheard.macOf(plain));
  }

  #whoBy(address: string, seenAt: (plain: string) => string | undefined): Caller | undefined {
    const plain = plainAddress(address);
    const machine = this.at(plain);
    if (machine) return machine;
    const mac = this.lesseeOf(plain) ?? (this.byReservation(plain) ? seenAt(plain) : undefined);
    return mac === undefined ? undefined : { hardwareId: this.machines.byMac(mac)?.hardwareId ?? null, mac };
  }

  /** The MAC that an address is leased to, with a record or without; null: it is not known, undefined: to nobody. */
  lesseeOf(address: string): string | null | undefined {
    const plain = plainAddress(address);
    return (plain.includes(':') ? this.leases6 : this.leases)?.holderOf(plain, this.clock().toISOString())?.mac;
  }

  /**
   * As whom an address counts where one client may have only so much. An IPv6 host makes up addresses of its /64 as it likes (RFC 8981), so
   * all of a /64 are one client, but for those that a machine was given, by its lease or its record.
   */
  clientAt(address: string): string {
    const plain = plainAddress(address);
    const groups = parseIpv6(plain);
    if (!groups || this.lesseeOf(plain) !== undefined || this.machines.byReservedAddress(plain)) return plain;
    return `${formatIpv6([...groups.slice(0, 4), 0, 0, 0, 0])}/64`;
  }

  holds(address: string, mac: string): boolean {
    return this.at(address)?.mac === mac;
  }
}

/** `::ffff:10.0.0.5` → `10.0.0.5`: how a dual-stack socket shows an IPv4 peer. The zone of a link-local address goes too. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '').replace(/%.*$/, '');
}
