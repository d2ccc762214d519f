import { textOf } from '@tinkerbell/domain';
import type { HardwareDhcp, HardwareInterface } from '@tinkerbell/events';
import type { Machine } from '../machines';
import type { PooledSubnet, Subnet } from './dhcp-mode';
import { usualNetboot } from './stranger';

export type PooledOn = Subnet & { readonly pooled: PooledSubnet };

interface About {
  readonly address: string;
  /** Of the client's classes. */
  readonly own: PooledSubnet['options'];
  readonly machine: Machine | undefined;
}

interface Made {
  readonly subnet: PooledOn;
  readonly machine: Machine | undefined;
  readonly interface: HardwareInterface;
}

const mostKept = 8192;

/** What clients of pools are told: the settings of their subnet and classes, with what a hardware record adds. */
export class PooledInterfaces {
  /** By address: what was offered is asked for a moment later. */
  readonly #made = new Map<string, Made>();

  of(mac: string, subnet: PooledOn, about: About): HardwareInterface {
    const { address, own, machine } = about;
    if (own.length > 0) return interfaceOf(mac, subnet, about);
    const before = this.#made.get(address);
    const isSame = before?.subnet === subnet && before.machine === machine && before.interface.dhcp.mac === mac;
    if (isSame) return before.interface;
    const made = interfaceOf(mac, subnet, about);
    if (this.#made.size >= mostKept) this.#made.clear();
    this.#made.set(address, { subnet, machine, interface: made });
    return made;
  }
}

function interfaceOf(mac: string, { pooled, prefix }: PooledOn, { address, own, machine }: About): HardwareInterface {
  const record = machine?.interface.dhcp;
  const first = <T>(...lists: readonly (readonly T[] | undefined)[]) =>
    lists.find((list) => list && list.length > 0) ?? [];
  const options = [...(record?.options ?? []), ...own, ...pooled.options];
  const dhcp: HardwareDhcp = {
    mac,
    hostname: record?.hostname ?? '',
    lease_time: pooled.leaseSeconds,
    name_servers: first(record?.name_servers, pooled.nameServers),
    time_servers: first(record?.time_servers, pooled.timeServers),
    ...{ arch: record?.arch ?? '', uefi: record?.uefi ?? false, iface_name: record?.iface_name ?? '' },
    vlan_id: record?.vlan_id ?? 0,
    domain_name: record?.domain_name || pooled.domain,
    ip: {
      address,
      netmask: textOf(prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0),
      gateway: pooled.router,
      family: 4,
    },
    // Of each code the most particular one: the machine's, its classes', the subnet's.
    options6: record?.options6 ?? [],
    options: options.filter(({ code }, i) => options.findIndex((other) => other.code === code) === i),
  };
  return { dhcp, netboot: machine?.interface.netboot ?? usualNetboot };
}
