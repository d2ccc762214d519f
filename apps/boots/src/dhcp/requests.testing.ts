import {
  clientArch,
  clientInterface,
  clientMachineId,
  type DhcpPacket,
  messageType,
  type MessageType,
  noAddress,
  option,
  parameterRequestList,
  requestedAddress,
  serverIdentifier,
  userClass,
  vendorClass,
} from '@tinkerbell/dhcp';
import type { HardwareInterface } from '@tinkerbell/events';
import type { DhcpContext } from './decision';

/** For specs: a machine with a reservation, and what it sends. */
export const mac = '01-02-03-04-05-06';
export const hardwareId = '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a95';
export const reserved = '192.168.1.100';
export const serverAddress = '127.0.0.1';

/** In a REQUEST: the server whose offer is taken, and the address. */
export const chosen = option(serverIdentifier, serverAddress);
export const wants = (address: string) => option(requestedAddress, address);

export function reservation(over: Partial<HardwareInterface['dhcp']> = {}, binary = ''): HardwareInterface {
  return {
    dhcp: {
      mac,
      hostname: 'test-host',
      lease_time: 60,
      name_servers: ['1.1.1.1'],
      time_servers: ['132.163.96.2'],
      arch: 'x86_64',
      uefi: false,
      iface_name: '',
      domain_name: 'mydomain.com',
      ip: { address: reserved, netmask: '255.255.255.0', gateway: '192.168.1.1', family: 4 },
      options: [],
      options6: [],
      vlan_id: 0,
      ...over,
    },
    netboot: {
      allow_pxe: true,
      allow_workflow: true,
      ipxe: { url: '', contents: '', binary },
      osie: { base_url: '', kernel: '', initrd: '', kernel_params: [], console: '' },
      rescue: false,
    },
  };
}

export function contextOf(over: Partial<DhcpContext> = {}): DhcpContext {
  return {
    machine: { mac, hardwareId, interface: reservation() },
    mayNetboot: true,
    chained: '',
    server: {
      site: { address: serverAddress, nameServers: [], logServers: [] },
      urls: { tftp: '127.0.0.1:69', http: 'http://127.0.0.1', macFormat: 'colon', binaries: {} },
      leaseSeconds: 172_800,
      modes: { mode: 'reservation', subnets: [] },
      ticketSeconds: 600,
      bootp: true,
    },
    arrival: 'broadcast',
    source: { address: '0.0.0.0', port: 68 },
    size: 300,
    now: '2026-01-01T00:00:00.000Z',
    ...over,
  };
}

export function requestOf(
  type: MessageType,
  options: readonly (readonly [number, Uint8Array])[] = [],
  over: Partial<DhcpPacket> = {},
): DhcpPacket {
  return {
    op: 'request',
    htype: 1,
    hops: 0,
    xid: 0xfeed,
    secs: 4,
    flags: 0,
    ciaddr: noAddress,
    yiaddr: noAddress,
    siaddr: noAddress,
    giaddr: noAddress,
    chaddr: Uint8Array.from(mac.split('-'), (pair) => parseInt(pair, 16)),
    sname: '',
    file: '',
    options: new Map([option(messageType, type), ...options]),
    ...over,
  };
}

export function firmware(arch: number, kind: 'PXEClient' | 'HTTPClient' = 'PXEClient', klass?: string) {
  return [
    option(vendorClass, `${kind}:Arch:${String(arch).padStart(5, '0')}:UNDI:003000`),
    option(clientArch, [arch]),
    option(clientInterface, { type: 1, major: 3, minor: 0 }),
    ...(klass === undefined ? [] : [option(userClass, { form: 'raw', classes: [klass] })]),
  ] as const;
}

/** What the boot ROM of a Pi 3 sends, by its documentation; `id`: the machine id of a newer one. */
export function raspberryRequest(type: MessageType, card: string, id = new Uint8Array(16).fill(0x44)): DhcpPacket {
  const chaddr = Uint8Array.from(card.split('-'), (pair) => parseInt(pair, 16));
  const asked = Uint8Array.of(43, 60, 67, 128, 129, 130, 131, 132, 133, 134, 135, 66);
  const options = [
    [parameterRequestList.code, asked] as const,
    option(clientArch, [0]),
    option(clientInterface, { type: 1, major: 2, minor: 1 }),
    option(clientMachineId, { type: 0, guid: id }),
    option(vendorClass, 'PXEClient:Arch:00000:UNDI:002001'),
  ];
  return requestOf(type, options, { chaddr, xid: 0x26f30339, secs: 0 });
}
