import { broadcastFlag, type DhcpPacket, noAddress } from '@tinkerbell/dhcp';

export interface Destination {
  readonly address: string;
  readonly port: 'server' | 'client' | number;
}

export const everybody = '255.255.255.255';

/**
 * RFC 2131 §4.1. Without an address of its own a client would have to be reached by its MAC, which takes a raw socket; every client
 * takes a broadcast too, whether it set the flag or not.
 */
export function replyDestination({ giaddr, ciaddr, flags }: DhcpPacket, reply: 'offer' | 'ack' | 'nak'): Destination {
  if (giaddr !== noAddress) return { address: giaddr, port: 'server' };
  if (reply === 'nak' || ciaddr === noAddress) return { address: everybody, port: 'client' };
  const wantsBroadcast = (flags & broadcastFlag) !== 0 && reply === 'offer';
  return { address: wantsBroadcast ? everybody : ciaddr, port: 'client' };
}
