import { textOf } from '@tinkerbell/domain';
import type { HardwareDhcp, HardwareInterface } from '@tinkerbell/events';
import type { Machine } from '../machines';
import type { ClientClass } from './client-class';
import type { PooledSubnet, Subnet } from './dhcp-mode';
import { ipv4Only } from './ipv4-only';
import { usualNetboot } from './stranger';

export type PooledOn = Subnet & { readonly pooled: PooledSubnet };

interface Made {
  readonly subnet: PooledOn;
  readonly interface: HardwareInterface;
}

/**
 * What clients of pools are told beside their address: the settings of their subnet and classes, with what a hardware record adds. Made once
 * for all that are alike. The address in it is the subnet's.
 */
export class PooledInterfaces {
  /** Of a machine with a record, or for all without one in a subnet; then by classes. */
  readonly #made = new WeakMap<Machine | PooledOn, Map<string, Made>>();

  of(subnet: PooledOn, classes: readonly ClientClass[], machine: Machine | undefined): HardwareInterface {
    const names = classes.length === 0 ? '' : classes.map(({ name }) => name).join('\n');
    const alike = this.#made.get(machine ?? subnet);
    const before = alike?.get(names);
    if (before?.subnet === subnet) return before.interface;
    const made = { subnet, interface: interfaceOf(subnet, classes, machine) };
    if (alike) alike.set(names, made);
    else this.#made.set(machine ?? subnet, new Map([[names, made]]));
    return made.interface;
  }
}

function interfaceOf(
  { pooled, address, prefix }: PooledOn,
  classes: readonly ClientClass[],
  machine: Machine | undefined,
): HardwareInterface {
  const record = machine?.interface.dhcp;
  const first = (own: readonly string[] | undefined, usual: readonly string[]) => {
    const named = ipv4Only(own ?? []);
    return named.length > 0 ? named : usual;
  };
  const own = classes.flatMap((one) => one.options);
  const options = [...(record?.options ?? []), ...own, ...pooled.options];
  const dhcp: HardwareDhcp = {
    mac: machine?.mac ?? '',
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
