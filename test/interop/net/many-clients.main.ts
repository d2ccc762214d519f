// A relay with many clients behind it: each takes a lease, or comes back for the one that it had. Repeats what is not answered; prints MAC → address.
import { createSocket } from 'node:dgram';
import {
  decodePacket,
  encodePacket,
  messageType,
  noAddress,
  option,
  requestedAddress,
  serverIdentifier,
} from '@tinkerbell/dhcp';

export interface ManyClients {
  /** Its address towards the clients, which it sends from. */
  readonly relay: string;
  /** Each hears everything. */
  readonly servers: readonly string[];
  /** MACs; with an address it is asked for again (INIT-REBOOT, RFC 2131 §4.3.2). */
  readonly clients: readonly (readonly [mac: string, address?: string])[];
}

const { relay, servers, clients } = JSON.parse(process.argv[2] ?? '') as ManyClients;
const atOnce = 16;
const repeatMs = 500;
const socket = createSocket('udp4');
/** By transaction. */
const waiting = new Map<number, (reply: Reply | undefined) => void>();
let transactions = 0;

interface Reply {
  readonly type: string;
  readonly address: string;
  readonly server: Uint8Array;
}
type Options = Parameters<typeof encodePacket>[0]['options'];

socket.on('message', (bytes) => {
  const { xid, yiaddr, options } = decodePacket(bytes);
  const type = messageType.decode(options.get(messageType.code) ?? new Uint8Array());
  waiting.get(xid)?.({ type, address: yiaddr, server: options.get(serverIdentifier.code) ?? new Uint8Array() });
});

/** The first reply; undefined: none came. */
async function ask(mac: string, options: Options): Promise<Reply | undefined> {
  const xid = ++transactions;
  const packet = encodePacket({
    ...{ op: 'request', htype: 1, hops: 1, xid, secs: 0, flags: 0 },
    ...{ ciaddr: noAddress, yiaddr: noAddress, siaddr: noAddress, giaddr: relay },
    chaddr: Buffer.from(mac.replaceAll('-', ''), 'hex'),
    ...{ sname: '', file: '', options },
  });
  const reply = new Promise<Reply | undefined>((resolve) => {
    waiting.set(xid, resolve);
    setTimeout(() => resolve(undefined), repeatMs);
  });
  for (const server of servers) socket.send(packet, 67, server);
  const heard = await reply;
  waiting.delete(xid);
  return heard;
}

async function lease(mac: string, known?: string): Promise<string> {
  for (;;) {
    const offer =
      known === undefined
        ? await ask(mac, new Map([option(messageType, 'discover')]))
        : { address: known, server: undefined };
    if (!offer) continue;
    const options = new Map([option(messageType, 'request'), option(requestedAddress, offer.address)]);
    if (offer.server) options.set(serverIdentifier.code, offer.server);
    const reply = await ask(mac, options);
    if (reply?.type === 'ack') return reply.address;
    if (reply && known !== undefined) return reply.type;
  }
}

async function main(): Promise<void> {
  await new Promise<void>((resolve) => socket.bind({ address: relay, port: 67 }, resolve));
  const left = [...clients];
  const leased: Record<string, string> = {};
  const work = async () => {
    for (let next = left.shift(); next; next = left.shift()) leased[next[0]] = await lease(...next);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  socket.close();
  process.stdout.write(JSON.stringify(leased));
}

void main();
