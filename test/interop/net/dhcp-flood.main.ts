// Sends DHCP messages that no well-behaved client sends, as fast as a socket takes them; prints how many left.
import { createSocket } from 'node:dgram';
import {
  broadcastFlag,
  type DhcpPacket,
  encodePacket,
  messageType,
  noAddress,
  option,
  requestedAddress,
  serverIdentifier,
} from '@tinkerbell/dhcp';
import type { Flood } from './dhcp-flood';

const flood = JSON.parse(process.argv[2] ?? '') as Flood;

function message(number: number): DhcpPacket {
  const { type, mac, address, giaddr, server } = flood;
  return {
    ...{ op: 'request', htype: 1, hops: giaddr === undefined ? 0 : 1, xid: number, secs: 0, flags: broadcastFlag },
    ...{ ciaddr: type === 'release' ? address : noAddress, yiaddr: noAddress, siaddr: noAddress },
    giaddr: giaddr ?? noAddress,
    chaddr: mac === undefined ? Uint8Array.of(0x06, 0, ...bytes(number)) : Buffer.from(mac.replaceAll(':', ''), 'hex'),
    ...{ sname: '', file: '' },
    options: new Map([
      option(messageType, type),
      ...(type === 'discover' ? [] : [option(serverIdentifier, server)]),
      ...(type === 'decline' || type === 'request' ? [option(requestedAddress, address)] : []),
    ]),
  };
}

function bytes(number: number): readonly number[] {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff);
}

async function main(): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind({ port: 68 }, resolve));
  socket.setBroadcast(true);
  let sent = 0;
  const target = flood.giaddr === undefined && flood.type !== 'release' ? '255.255.255.255' : flood.server;
  for (let number = 0; number < flood.count; number++) {
    const packet = encodePacket(message(number));
    await new Promise<void>((resolve) =>
      socket.send(packet, 67, target, (error) => {
        if (!error) sent++;
        resolve();
      }),
    );
  }
  socket.close();
  process.stdout.write(String(sent));
}

void main();
