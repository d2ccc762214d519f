import { type DhcpPacket, messageType, noAddress, readOption } from '@tinkerbell/dhcp';
import { bootClientOf } from './boot-client';
import type { DhcpReply } from './decision';

/** A client that wants to boot gets an address, and nothing to boot. */
export function lacksBootFile(request: DhcpPacket, type: string, { packet, boot }: DhcpReply): boolean {
  return type === 'request' && packet.file === '' && boot === undefined && bootClientOf(request) !== undefined;
}

/** What a message says of its sender. */
export function described(request: DhcpPacket): string {
  try {
    const client = bootClientOf(request);
    const type = readOption(request.options, messageType) ?? 'BOOTP request';
    const relay = request.giaddr === noAddress ? '' : `, through relay ${request.giaddr}`;
    const wanted = client ? ` of ${client.kind}, architecture ${client.arch ?? 'unknown'}` : '';
    return `${type}${wanted}${relay}`;
  } catch {
    return '';
  }
}
