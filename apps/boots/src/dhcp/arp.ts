// ARP (RFC 826) as far as it takes to ask who has an address, before anybody is given it.
import type { NetworkInterfaceInfo } from 'node:os';
import { isOnWireOf } from '../udp/interface-with';
import { isWithin, type ModeRules, wireOf } from './dhcp-mode';

/** EtherType. */
export const arpProtocol = 0x0806;
const [ethernet, ipv4] = [1, 0x0800];
const operation = { request: 1, reply: 2 } as const;
const [senderMacAt, senderIpAt, targetIpAt, length] = [8, 14, 24, 28];

/** A question from nobody (RFC 5227 §2.1.1): a sender's address would end up in the tables of others. */
export function arpProbe(mac: string, ip: string): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, ethernet);
  view.setUint16(2, ipv4);
  bytes.set([6, 4], 4);
  view.setUint16(6, operation.request);
  bytes.set(
    mac.split(':').map((pair) => parseInt(pair, 16)),
    senderMacAt,
  );
  bytes.set(ip.split('.').map(Number), targetIpAt);
  return bytes;
}

export interface ArpSender {
  readonly ip: string;
  /** `aa-bb-cc-dd-ee-ff`. */
  readonly mac: string;
}

/** Who sent an ARP packet from which address, answering or asking; undefined: it is none, or from nobody. */
export function arpSender(bytes: Uint8Array): ArpSender | undefined {
  if (bytes.length < length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isEthernet = view.getUint16(0) === ethernet && view.getUint16(2) === ipv4 && view.getUint16(4) === 0x0604;
  const op = view.getUint16(6);
  const ip = bytes.subarray(senderIpAt, senderIpAt + 4).join('.');
  if (!isEthernet || (op !== operation.request && op !== operation.reply) || ip === '0.0.0.0') return undefined;
  const mac = Array.from(bytes.subarray(senderMacAt, senderIpAt), (byte) => byte.toString(16).padStart(2, '0'));
  return { ip, mac: mac.join('-') };
}

/** The interface of ours on whose wire an address is, by its netmask or by the subnets of one wire; undefined: it is behind a router. */
export function wireWith(
  ip: string,
  interfaces: Readonly<NodeJS.Dict<readonly NetworkInterfaceInfo[]>>,
  rules: Pick<ModeRules, 'subnets'>,
): { readonly name: string; readonly mac: string } | undefined {
  const wire = wireOf(ip, rules);
  const isNear = (own: NetworkInterfaceInfo) =>
    isOnWireOf(ip, own) || wire.some(({ address, prefix }) => isWithin(own.address, address, prefix));
  for (const [label, all = []] of Object.entries(interfaces)) {
    const found = all.find((own) => own.family === 'IPv4' && !own.internal && isNear(own));
    // An address with a label goes by that, which begins with the name and a colon.
    if (found) return { name: label.split(':')[0] ?? label, mac: found.mac };
  }
  return undefined;
}
