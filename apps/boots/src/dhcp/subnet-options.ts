import type { DhcpPacket } from '@tinkerbell/dhcp';
import { textOf } from '@tinkerbell/domain';
import { type ClientClass, classesOf } from './client-class';
import type { Party } from './decision';
import { isWithin, type ModeRules, type Subnet, wireOf } from './dhcp-mode';
import { ipv4Only } from './ipv4-only';

/** A machine with a reservation: what its record leaves open it is told by its classes and by the subnet of its address. */
export function inItsSubnet(
  machine: Party,
  { request, address, link, modes }: { request: DhcpPacket; address: string; link: string; modes: ModeRules },
): Party {
  if (modes.subnets.length === 0) return machine;
  const subnet = wireOf(link, modes).find((one) => isWithin(address, one.address, one.prefix));
  const classes = classesOf(request, machine.mac, modes.classes ?? []);
  if (!subnet?.given && classes.length === 0) return machine;
  if (classes.length > 0) return told(machine, subnet, classes);
  const before = usual.get(machine);
  if (before && before.subnet === subnet) return before.told;
  const now = told(machine, subnet, classes);
  usual.set(machine, { subnet, told: now });
  return now;
}

/** Machines without a class, as long as their record and their subnet are the same. */
const usual = new WeakMap<Party, { readonly subnet: Subnet | undefined; readonly told: Party }>();

function told(machine: Party, subnet: Subnet | undefined, classes: readonly ClientClass[]): Party {
  const given = subnet?.given;
  const { dhcp } = machine.interface;
  const [nameServers, timeServers] = [ipv4Only(dhcp.name_servers), ipv4Only(dhcp.time_servers)];
  const own = [...dhcp.options, ...classes.flatMap(({ options }) => options), ...(given?.options ?? [])];
  const netmask = dhcp.ip?.netmask || (subnet ? maskOf(subnet.prefix) : '');
  return {
    ...machine,
    interface: {
      ...machine.interface,
      dhcp: {
        ...dhcp,
        lease_time: dhcp.lease_time || (given?.leaseSeconds ?? 0),
        name_servers: nameServers.length > 0 ? nameServers : (given?.nameServers ?? []),
        time_servers: timeServers.length > 0 ? timeServers : (given?.timeServers ?? []),
        domain_name: dhcp.domain_name || (given?.domain ?? ''),
        ip: dhcp.ip && { ...dhcp.ip, netmask, gateway: dhcp.ip.gateway || (given?.router ?? '') },
        options: own.filter(({ code }, i) => own.findIndex((other) => other.code === code) === i),
      },
    },
  };
}

function maskOf(prefix: number): string {
  return textOf(prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0);
}
