import { createSocket, type Socket } from 'node:dgram';
import { decodeTftp, encodeTftp, type TftpPacket } from '@tinkerbell/tftp';

export interface Heard {
  readonly packet: TftpPacket;
  readonly port: number;
}

/** A socket that speaks TFTP packet by packet, for what no decent client does. */
export async function talk(address = '127.0.0.1') {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind({ address }, resolve));
  const heard: Heard[] = [];
  const waiting: ((next: Heard) => void)[] = [];
  socket.on('message', (bytes, { port }) => {
    const next = { packet: decodeTftp(bytes), port };
    const taker = waiting.shift();
    if (taker) taker(next);
    else heard.push(next);
  });
  return {
    port: socket.address().port,
    send: (packet: TftpPacket | Uint8Array, port: number) =>
      new Promise<void>((resolve) => {
        const bytes = packet instanceof Uint8Array ? packet : encodeTftp(packet);
        socket.send(bytes, port, '127.0.0.1', () => resolve());
      }),
    /** The next packet that comes, or came and was not taken. */
    next: () => {
      const known = heard.shift();
      return known ? Promise.resolve(known) : new Promise<Heard>((resolve) => waiting.push(resolve));
    },
    /** Came and was not taken. */
    heard,
    close: () => closed(socket),
  };
}

export function request(file: string, options: Readonly<Record<string, string>> = {}, mode = 'octet'): TftpPacket {
  return { op: 'rrq', file, mode, options: new Map(Object.entries(options)) };
}

/** A whole file as a plain client reads it: every DATA acknowledged once. */
export async function readFileFrom(port: number, first: TftpPacket, address?: string): Promise<Buffer> {
  const client = await talk(address);
  const parts: Uint8Array[] = [];
  await client.send(first, port);
  const options = first.op === 'rrq' ? first.options : new Map<string, string>();
  const blockSize = Number(options.get('blksize') ?? 512);
  const windowSize = Number(options.get('windowsize') ?? 1);
  for (;;) {
    const { packet, port: from } = await client.next();
    if (packet.op === 'error') throw new Error(packet.message);
    if (packet.op === 'oack') await client.send({ op: 'ack', block: 0 }, from);
    if (packet.op !== 'data' || packet.block !== ((parts.length + 1) & 0xffff)) continue;
    parts.push(packet.data);
    const isLast = packet.data.length < blockSize;
    if (isLast || parts.length % windowSize === 0) await client.send({ op: 'ack', block: packet.block }, from);
    if (!isLast) continue;
    await client.close();
    return Buffer.concat(parts);
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
