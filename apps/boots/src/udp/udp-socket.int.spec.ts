import { numberOf, textOf } from '@tinkerbell/domain';
import { afterEach, describe, expect, it } from 'vitest';
import { type Collector, openCollector } from './collector.testing';
import { NativeBatch } from './native-batch';
import type { Piece } from './piece';
import { bindUdp, UdpSocket } from './udp-socket';

const here = numberOf('127.0.0.1');
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function opened(native: NativeBatch | undefined, port = 0): Promise<UdpSocket> {
  const socket = await UdpSocket.open('127.0.0.1', port, native, () => undefined);
  closers.push(() => socket.close());
  return socket;
}

async function collector(count: number): Promise<Collector> {
  const opened = await openCollector(count);
  closers.push(() => opened.close());
  return opened;
}

const bytes = Buffer.allocUnsafeSlow(100_000).map((_, i) => (i * 31 + (i >> 8)) & 0xff);
const piece = (from: number, to: number): Piece => ({ chunk: { bytes: Buffer.from(bytes.buffer) }, from, to });

describe.each(['in batches', 'one by one'])('datagrams %s', (how) => {
  const native = () => (how === 'in batches' ? NativeBatch.load() : Promise.resolve(undefined));

  it('arrive with their head and all their pieces, in order', async () => {
    const socket = await opened(await native());
    const count = 600;
    const { port, all } = await collector(count);
    for (let i = 0; i < count; i++) {
      const pieces = i % 3 === 0 ? [] : i % 3 === 1 ? [piece(i, i + 40)] : [piece(i, i + 7), piece(50_000, 50_100 + i)];
      expect(socket.put(here, port, 0xff03_0000 + i, pieces)).toBe(true);
    }
    expect(socket.flush()).toBe(true);
    for (const [i, got] of (await all).entries()) {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(0xff03_0000 + i);
      const parts = [[], [bytes.subarray(i, i + 40)], [bytes.subarray(i, i + 7), bytes.subarray(50_000, 50_100 + i)]];
      expect(got.equals(Buffer.concat([head, ...(parts[i % 3] ?? [])]))).toBe(true);
    }
  });

  it('to several peers arrive as they were put, whatever sizes follow each other', async () => {
    const socket = await opened(await native());
    const sizes = [...Array.from({ length: 150 }, () => 1468), 700, 1468, 1468, 1469, 1468, 0, 0, 5, 4, 20_000, 20_000];
    const [one, other] = [await collector(sizes.length + 10), await collector(20)];
    const both = Array.from({ length: 10 }, () => [one.port, other.port, other.port]).flat();
    const sent = [...sizes.map((size) => [one.port, size] as const), ...both.map((port) => [port, 100] as const)];
    for (const [i, [port, size]] of sent.entries()) {
      expect(socket.put(here, port, i, [piece(i, i + size)])).toBe(true);
      if (i === 100) expect(socket.flush()).toBe(true);
    }
    expect(socket.flush()).toBe(true);
    for (const { port, all } of [one, other]) {
      const expected = sent.flatMap(([to, size], i) => (to === port ? [{ i, size }] : []));
      const got = await all;
      expect(got.map((datagram) => datagram.readUInt32BE())).toEqual(expected.map(({ i }) => i));
      for (const [at, { i, size }] of expected.entries()) {
        expect(got[at]?.subarray(4).equals(bytes.subarray(i, i + size))).toBe(true);
      }
    }
  });

  it('one that cannot be sent costs the others nothing', async () => {
    const socket = await opened(await native());
    const { port, all } = await collector(2);
    socket.put(here, port, 1, []);
    // Larger than any datagram.
    socket.put(here, port, 2, [piece(0, 70_000)]);
    socket.put(here, port, 3, []);
    expect(socket.flush()).toBe(true);
    expect((await all).map((got) => got.readUInt32BE())).toEqual([1, 3]);
  });

  it('are taken with their sender, whatever their length', async () => {
    const socket = await opened(await native());
    const taken: { readonly text: string; readonly from: string }[] = [];
    const { port, socket: client } = await collector(1);
    const texts = Array.from({ length: 300 }, (_, i) => 'x'.repeat(i));
    const all = new Promise<void>((resolve) => {
      const take = (data: Uint8Array, ip: number, from: number) => {
        taken.push({ text: Buffer.from(data).toString(), from: `${textOf(ip)}:${from}` });
        if (taken.length === texts.length) resolve();
      };
      socket.listen(
        take,
        () => undefined,
        (error) => expect(error).toBeUndefined(),
      );
    });
    for (const text of texts) client.send(text, socket.port, '127.0.0.1');
    await all;
    expect(taken).toEqual(texts.map((text) => ({ text, from: `127.0.0.1:${port}` })));
  });

  it('say why an address cannot be had', async () => {
    const { port } = await opened(await native());
    await expect(opened(await native(), port)).rejects.toThrow(/bind EADDRINUSE 127\.0\.0\.1:\d+/);
    await expect(UdpSocket.open('192.0.2.1', 0, await native(), () => undefined)).rejects.toThrow(/EADDRNOTAVAIL/);
  });
});

it('a socket tied to an interface hears that one, and says when there is none', async () => {
  const native = await NativeBatch.load();
  const { socket } = await bindUdp('127.0.0.1', 0, native, true, 'lo');
  closers.push(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  const heard = new Promise<string>((resolve) => socket.once('message', (got) => resolve(got.toString())));
  const { socket: client } = await collector(1);
  client.send('by lo', socket.address().port, '127.0.0.1');
  expect(await heard).toBe('by lo');
  await expect(bindUdp('127.0.0.1', 0, native, true, 'none0')).rejects.toThrow('tie to none0 ENODEV 127.0.0.1:0');
});
