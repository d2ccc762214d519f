// Sends what no decent client sends, as fast as a socket takes it; prints how many datagrams left.
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import {
  clientId,
  type Dhcp6Message,
  dnsServers,
  encodeMessage,
  iaNa,
  interfaceId,
  option,
  type Option,
  optionRequest,
  rapidCommit,
  relayMessage,
  type RelayMessage,
} from '@tinkerbell/dhcp6';
import type { FloodOf } from './flood';

const { kind, count, target, port } = JSON.parse(process.argv[2] ?? '') as FloodOf;

function solicit(number: number, ...more: readonly Option[]): Dhcp6Message {
  const id = new Uint8Array([0, 4, ...randomBytes(16)]);
  const association = option(iaNa, { iaid: 1, t1: 0, t2: 0, options: [] });
  return { type: 'solicit', transactionId: number, options: [option(clientId, id), association, ...more] };
}

const link = target.includes(':') && !target.includes('%') ? target : '::';
function relayed(inner: Uint8Array, hops: number, ...more: readonly Option[]): Uint8Array {
  const outer: RelayMessage = { type: 'relay-forward', hops, link, peer: 'fe80::1', options: more };
  return encodeMessage({ ...outer, options: [...more, option(relayMessage, inner)] });
}

/** The same message inside of 32 relays: to wrap it anew each time would take longer than to drop it. */
let nested = encodeMessage(solicit(0));
for (let hops = 0; hops < 32; hops++) nested = relayed(nested, hops);

const asked = Array.from({ length: 12_000 }, () => dnsServers.code);
const padding = option(interfaceId, new Uint8Array(30_000));
/** The longest that a datagram carries, and that comes back if it is let. */
const long = relayed(encodeMessage(solicit(0, option(optionRequest, asked))), 0, padding);
/** Behind the relay's header, the padding, the head of option 9 and the type. */
const transactionAt = 34 + 4 + padding.value.length + 4 + 1;
function numbered(number: number): Uint8Array {
  const bytes = Buffer.from(long);
  bytes.writeUIntBE(number, transactionAt, 3);
  return bytes;
}

const payloads: Readonly<Record<FloodOf['kind'], (number: number) => Uint8Array>> = {
  'dhcp6-duids': (number) => encodeMessage(solicit(number, option(rapidCommit, true))),
  'dhcp6-nested': () => nested,
  'dhcp6-options': numbered,
  'tftp-options': (number) =>
    Buffer.from(`\0\x01none${number}\0octet\0${Array.from({ length: 60 }, (_, i) => `o${i}\0${i}\0`).join('')}`),
};

async function main(): Promise<void> {
  const socket = createSocket(target.includes(':') ? 'udp6' : 'udp4');
  let sent = 0;
  for (let number = 0; number < count; number++) {
    const payload = payloads[kind](number);
    await new Promise<void>((resolve) =>
      socket.send(payload, port, target, (error) => {
        if (!error) sent++;
        resolve();
      }),
    );
  }
  socket.close();
  process.stdout.write(String(sent));
}

void main();
