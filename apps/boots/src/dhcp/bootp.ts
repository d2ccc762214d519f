// BOOTP (RFC 951, RFC 1542) by a DHCP server (RFC 1534): one request, one reply, and nothing to renew.
import { bootFileName, type DhcpPacket, relayAgent, tftpServerName } from '@tinkerbell/dhcp';
import { bootFact, bootOf } from './boot-offer';
import { destinationOf, type DhcpReply, type Known, skeleton } from './decision';
import { replyOptions } from './reply-options';

const ipAndUdpHeaders = 28;
/** RFC 951 §3: with a vendor area of 64 bytes. */
const smallestMessage = 300;
/** RFC 2132 §9 is of DHCP alone. The boot file and its server, 66 and 67, are in fields of their own. */
const isOfDhcp = (code: number) =>
  (code >= 50 && code <= 61) || code === tftpServerName.code || code === bootFileName.code;

const bootpClient = { kind: 'BOOTP', arch: null, userClass: '' } as const;

/** With the vendor information of RFC 1497. */
export function bootpReply(known: Known): Omit<DhcpReply, 'leases'> {
  const { request, context, machine, origin, address } = known;
  const { site } = context.server;
  const { dhcp: record, netboot } = machine.interface;
  const boot = bootOf(known);
  const options = replyOptions({
    ...{ type: 'ack', request: request.options, record, site, serverId: origin.serverId, leaseSeconds: null },
    ...(boot.client ? { boot: { client: boot.client, file: boot.file } } : {}),
  });
  // Without words of PXE what the record names, else what the client itself wants (RFC 951 §3).
  const file = boot.file || netboot.ipxe.binary || request.file;
  for (const code of [...options.keys()]) if (isOfDhcp(code)) options.delete(code);
  return {
    kind: 'reply',
    packet: {
      ...skeleton(request, { options }),
      ...{ ciaddr: request.ciaddr, yiaddr: address, siaddr: boot.server },
      file,
    },
    destination: destinationOf(known, 'ack'),
    maxSize: sizeLimit(request, context.size),
    boot: bootFact(known, { client: boot.client ?? bootpClient, file }),
  };
}

/** A client takes what it sends. What a relay added it takes off again. */
function sizeLimit({ options }: DhcpPacket, size: number): number {
  const relayed = options.get(relayAgent.code);
  const added = relayed === undefined ? 0 : relayed.length + 2;
  return Math.max(size - added, smallestMessage) + added + ipAndUdpHeaders;
}
