import { createSocket, type Socket } from 'node:dgram';
import {
  clientId,
  decodeMessage,
  encodeMessage,
  option,
  type Option,
  readOption,
  relayMessage,
  relaySourcePort,
  serverId,
} from '@tinkerbell/dhcp6';
import type { LeaseEvent } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startBench } from '../boots.testing';

type Name = 'client' | 'relay' | 'other';

let bench: Awaited<ReturnType<typeof startBench>>;
let sockets: Readonly<Record<Name, Socket>>;
const heard: (readonly [Name, string, number | undefined])[] = [];
const client = option(clientId, Uint8Array.of(0, 3, 0, 1, 2, 0, 0, 0, 0, 1));
const onClose: (() => void)[] = [];

async function open(name: Name): Promise<Socket> {
  const socket = createSocket('udp6');
  await new Promise<void>((resolve) => socket.bind({ address: '::1', port: 0 }, resolve));
  onClose.push(() => socket.close());
  socket.on('message', (bytes) => {
    const reply = decodeMessage(bytes);
    heard.push([name, reply.type, readOption(reply.options, relaySourcePort)]);
  });
  return socket;
}

beforeEach(async () => {
  sockets = { client: await open('client'), relay: await open('relay'), other: await open('other') };
  bench = await startBench({
    settings: {
      ...{ PUBLIC_IP6: '::1', BOOTS_DHCP6: 'true', BOOTS_DHCP6_INTERFACES: 'lo', BOOTS_DHCP6_PORT: 0 },
      ...{
        BOOTS_DHCP6_CLIENT_PORT: sockets.client.address().port,
        BOOTS_DHCP6_RELAY_PORT: sockets.relay.address().port,
      },
      BOOTS_DHCP6_SUBNETS: 'fd99::/64=reservation',
    },
  });
});
afterEach(async () => {
  for (const close of onClose.splice(0)) close();
  heard.splice(0);
  await bench.close();
});

/** From a port that nobody is to be answered at unless it says so. */
function send(transactionId: number, ...relayed: readonly (readonly Option[])[]): void {
  const asked = encodeMessage({ type: 'information-request', transactionId, options: [client] });
  const bytes = relayed.reduce(
    (inner, more, hops) =>
      encodeMessage({
        ...{ type: 'relay-forward', hops, link: hops === 0 ? 'fd99::1' : '::', peer: 'fe80::1' },
        options: [option(relayMessage, inner), ...more],
      }),
    asked,
  );
  sockets.other.send(bytes, bench.boots.dhcp6?.port ?? 0, '::1');
}

it('replies go to the ports of relays, whatever port they send from, unless they name that (RFC 8415 §7.2, RFC 8357)', async () => {
  send(1, []);
  await expect.poll(() => heard).toEqual([['relay', 'relay-reply', undefined]]);
  send(2, [], [option(relaySourcePort, 0)]);
  await expect.poll(() => heard.slice(1)).toEqual([['other', 'relay-reply', 0]]);
  send(3, [option(relaySourcePort, 4000)], []);
  await expect.poll(() => heard.slice(2)).toEqual([['relay', 'relay-reply', undefined]]);
});

it('replies to clients go to theirs', async () => {
  const { events } = await bench.store.read<LeaseEvent>(subjects.stream('lease', 'default-v6'));
  const [duid = ''] = events.flatMap(({ event }) => (event.type === 'ServerNamed' ? [event.data.duid] : []));
  const ids = [client, option(serverId, new Uint8Array(Buffer.from(duid, 'hex')))];
  const bytes = encodeMessage({ type: 'renew', transactionId: 1, options: ids });
  sockets.other.send(bytes, bench.boots.dhcp6?.port ?? 0, '::1');
  await expect.poll(() => heard).toEqual([['client', 'reply', undefined]]);
});
