import { Type } from '@sinclair/typebox';
import type { HardwareEvent, HardwareRecord } from '@tinkerbell/events';
import { type Entries, mac, nothing, nullable, published } from '../entry';

const Ip = Type.Object({
  address: Type.String(),
  netmask: Type.String(),
  gateway: Type.String(),
  family: Type.Integer({ description: '4 or 6.' }),
});

const Interface = Type.Object({
  mac,
  hostname: Type.String(),
  interfaceName: Type.String(),
  domainName: Type.String(),
  arch: Type.String(),
  uefi: Type.Boolean(),
  leaseSeconds: Type.Integer(),
  nameServers: Type.Array(Type.String()),
  timeServers: Type.Array(Type.String()),
  ip: nullable(Ip),
  allowPxe: Type.Boolean(),
  allowWorkflow: Type.Boolean(),
});

const Hardware = Type.Object(
  { id: Type.String(), recordVersion: Type.Integer(), interfaces: Type.Array(Interface) },
  { description: 'Without metadata (passwords, user data, SSH keys) and without custom boot scripts and their URLs.' },
);

export const hardware = {
  HardwareRegistered: published({
    name: 'registered',
    summary: 'A machine became known.',
    schema: Hardware,
    map: (data: { readonly hardware: HardwareRecord }) => publicHardware(data.hardware),
  }),
  HardwareUpdated: published({
    name: 'updated',
    summary: 'The record of a machine changed; the data is all of it.',
    schema: Hardware,
    map: (data: { readonly hardware: HardwareRecord }) => publicHardware(data.hardware),
  }),
  HardwareDeleted: published({
    name: 'deleted',
    summary: 'The record of a machine was deleted.',
    schema: nothing,
    map: () => ({}),
  }),
} satisfies Entries<HardwareEvent>;

function publicHardware({ id, version, network }: HardwareRecord) {
  return {
    id,
    recordVersion: version,
    interfaces: network.interfaces.map(({ dhcp, netboot }) => ({
      mac: dhcp.mac,
      hostname: dhcp.hostname,
      interfaceName: dhcp.iface_name,
      domainName: dhcp.domain_name,
      arch: dhcp.arch,
      uefi: dhcp.uefi,
      leaseSeconds: dhcp.lease_time,
      nameServers: dhcp.name_servers,
      timeServers: dhcp.time_servers,
      ip: dhcp.ip,
      allowPxe: netboot.allow_pxe,
      allowWorkflow: netboot.allow_workflow,
    })),
  };
}
