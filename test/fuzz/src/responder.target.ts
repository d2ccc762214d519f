import { type DhcpContext, respond } from '@tinkerbell/boots';
import {
  decodePacket,
  type DhcpPacket,
  encodePacket,
  MalformedPacketError,
  messageType,
  option,
} from '@tinkerbell/dhcp';
import type { HardwareInterface } from '@tinkerbell/events';
import { dhcp } from './dhcp.target';
import type { Random } from './random';
import { BrokenPromiseError, expectSame, type Target } from './target';

const types = ['discover', 'request', 'decline', 'release', 'inform'] as const;
const address = '10.0.0.20';
const own = '10.0.0.1';

/** The answer to any packet, in every mode, from each of its doors. */
export const responder: Target = {
  name: 'responder',
  about: 'answers to DHCPv4 packets',
  longest: dhcp.longest,
  /** Requests that reach further than chance alone would bring them. */
  generate(random) {
    const packet = randomRequest(random);
    return encodePacket(packet, { maxSize: 1500 });
  },
  check(bytes) {
    const request = readable(() => decodePacket(bytes));
    if (!request) return false;
    const verdicts = contexts.map((context) => readable(() => checked(request, context)));
    return verdicts.some((isAnswered) => isAnswered === true);
  },
};

function checked(request: DhcpPacket, context: DhcpContext): boolean {
  const decision = respond(request, context);
  if (decision.kind !== 'reply') return false;
  const { packet, maxSize, leases } = decision;
  expectSame('xid', [packet.xid, packet.op, packet.chaddr], [request.xid, 'reply', request.chaddr]);
  expectSame('option 82', packet.options.get(82)?.length ?? 0, request.options.get(82)?.length ?? 0);
  if (context.server.modes.mode === 'proxy') expectSame('address of a proxy', [packet.yiaddr, leases], ['0.0.0.0', []]);
  else if (packet.yiaddr !== '0.0.0.0') expectSame('address', packet.yiaddr, address);
  const reply = encodePacket(packet, { maxSize });
  const relay = packet.options.get(82)?.length ?? 0;
  if (relay < 200 && reply.length + 28 > maxSize)
    throw new BrokenPromiseError(`${reply.length} bytes, ${maxSize} allowed`);
  const { options } = decodePacket(reply);
  for (const code of [53, 54, 82]) expectSame(`option ${code}`, options.get(code), packet.options.get(code));
  return true;
}

/** undefined: the packet, or an option that the answer depends on, is malformed. */
export function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedPacketError) return undefined;
    throw error;
  }
}

function randomRequest(random: Random): DhcpPacket {
  const base = decodePacket(dhcp.generate(random));
  const some = (code: number, bytes: () => Uint8Array) => (random.chance(2) ? [[code, bytes()] as const] : []);
  const ip = () => Uint8Array.of(10, 0, random.below(2), random.pick([1, 20, 21] as const));
  const options = new Map([
    ...base.options,
    option(messageType, random.pick(types)),
    ...some(50, ip),
    ...some(54, ip),
    ...some(55, () => random.bytes(random.below(40))),
    ...some(60, () =>
      new TextEncoder().encode(random.pick(['PXEClient:Arch:00007', 'HTTPClient', 'MSFT 5.0'] as const)),
    ),
    ...some(93, () => Uint8Array.of(0, random.below(20))),
    ...some(94, () => Uint8Array.of(1, 3, 0)),
    ...some(82, () => Uint8Array.of(5, 4, ...ip(), 11, 4, ...ip())),
  ]);
  const text = () => (random.chance(2) ? '0.0.0.0' : ip().join('.'));
  return { ...base, op: 'request', options, ciaddr: text(), giaddr: text() };
}

export const interfaceOf = (options: HardwareInterface['dhcp']['options']): HardwareInterface => ({
  dhcp: {
    ...{ mac: '02-00-00-00-00-01', hostname: 'n1', lease_time: 3600, name_servers: [own], time_servers: [own] },
    ...{ arch: 'x86_64', uefi: false, iface_name: '', domain_name: 'rack.example', options, options6: [], vlan_id: 0 },
    ip: { address, netmask: '255.255.255.0', gateway: own, family: 4 },
  },
  netboot: {
    ...{ allow_pxe: true, allow_workflow: true },
    ipxe: { url: '', contents: '', binary: '' },
    osie: { base_url: '', kernel: '', initrd: '', kernel_params: [], console: '' },
    rescue: false,
  },
});

const contexts: readonly DhcpContext[] = (['reservation', 'proxy'] as const).flatMap((mode) =>
  (['broadcast', 'unicast', 'pxe'] as const).map((arrival) => ({
    machine: {
      mac: '02-00-00-00-00-01',
      hardwareId: '00000000-0000-4000-8000-000000000001',
      interface: interfaceOf(
        arrival === 'unicast'
          ? [
              { code: 121, type: 'routes', value: [{ destination: '10.9.0.0/16', router: own }] },
              { code: 67, type: 'text', value: 'x'.repeat(200) },
            ]
          : [],
      ),
    },
    mayNetboot: true,
    chained: '',
    ticket: { text: 'A'.repeat(22), hash: 'a'.repeat(64), expiresAt: '2026-01-01T00:10:00.000Z' },
    server: {
      site: { address: own, nameServers: [], logServers: [own] },
      urls: { tftp: `${own}:69`, http: `http://${own}`, macFormat: 'colon', binaries: {} },
      leaseSeconds: 3600,
      modes: { mode, subnets: [] },
      ticketSeconds: 600,
      bootp: true,
    },
    arrival,
    source: { address, port: 68 },
    size: 300,
    now: '2026-01-01T00:00:00.000Z',
  })),
);
