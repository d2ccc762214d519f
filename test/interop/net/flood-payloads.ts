import { randomBytes } from 'node:crypto';
import {
  broadcastFlag,
  encodePacket,
  messageType,
  noAddress,
  option,
  requestedAddress,
  serverIdentifier,
} from '@tinkerbell/dhcp';
import {
  clientId,
  type Dhcp6Message,
  dnsServers,
  encodeMessage,
  iaNa,
  interfaceId,
  type Option,
  option as option6,
  optionRequest,
  rapidCommit,
  relayMessage,
  type RelayMessage,
} from '@tinkerbell/dhcp6';
import type { DhcpFlood, OtherFlood } from './flood';

type Payload = (number: number) => Uint8Array;

export function dhcpPayload({ type, mac, address, giaddr, server }: DhcpFlood): Payload {
  return (number) =>
    encodePacket({
      ...{ op: 'request', htype: 1, hops: giaddr === undefined ? 0 : 1, xid: number, secs: 0, flags: broadcastFlag },
      ...{ ciaddr: type === 'release' ? address : noAddress, yiaddr: noAddress, siaddr: noAddress },
      giaddr: giaddr ?? noAddress,
      chaddr: mac === undefined ? macOf(number) : Buffer.from(mac.replaceAll(':', ''), 'hex'),
      ...{ sname: '', file: '' },
      options: new Map([
        option(messageType, type),
        ...(type === 'discover' ? [] : [option(serverIdentifier, server)]),
        ...(type === 'decline' || type === 'request' ? [option(requestedAddress, address)] : []),
      ]),
    });
}

export function dhcpTarget({ giaddr, type, server }: DhcpFlood): string {
  return giaddr === undefined && type !== 'release' ? '255.255.255.255' : server;
}

function macOf(number: number): Uint8Array {
  return Uint8Array.of(0x06, 0, ...[24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff));
}

export function dhcp6Payload(kind: Exclude<OtherFlood['kind'], 'tftp-options' | 'syslog'>, target: string): Payload {
  const link = target.includes(':') && !target.includes('%') ? target : '::';
  switch (kind) {
    case 'dhcp6-duids':
      return (number) => encodeMessage(solicit(number, option6(rapidCommit, true)));
    case 'dhcp6-nested': {
      // The same message inside of 32 relays: to wrap it anew each time would take longer than to drop it.
      let nested = encodeMessage(solicit(0));
      for (let hops = 0; hops < 32; hops++) nested = relayed(link, nested, hops);
      return () => nested;
    }
    case 'dhcp6-options':
      return longest(link);
  }
}

function solicit(number: number, ...more: readonly Option[]): Dhcp6Message {
  const id = new Uint8Array([0, 4, ...randomBytes(16)]);
  const association = option6(iaNa, { iaid: 1, t1: 0, t2: 0, options: [] });
  return { type: 'solicit', transactionId: number, options: [option6(clientId, id), association, ...more] };
}

function relayed(link: string, inner: Uint8Array, hops: number, ...more: readonly Option[]): Uint8Array {
  const outer: RelayMessage = { type: 'relay-forward', hops, link, peer: 'fe80::1', options: more };
  return encodeMessage({ ...outer, options: [...more, option6(relayMessage, inner)] });
}

/** The longest that a datagram carries, and that comes back if it is let. */
function longest(link: string): Payload {
  const asked = Array.from({ length: 12_000 }, () => dnsServers.code);
  const padding = option6(interfaceId, new Uint8Array(30_000));
  const long = relayed(link, encodeMessage(solicit(0, option6(optionRequest, asked))), 0, padding);
  // Behind the relay's header, the padding, the head of option 9 and the type.
  const transactionAt = 34 + 4 + padding.value.length + 4 + 1;
  return (number) => {
    const bytes = Buffer.from(long);
    bytes.writeUIntBE(number, transactionAt, 3);
    return bytes;
  };
}
