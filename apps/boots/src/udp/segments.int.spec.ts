import { numberOf } from '@tinkerbell/domain';
import koffi from 'koffi';
import { afterEach, expect, it } from 'vitest';
import { NativeBatch } from './native-batch';
import { Replies } from './replies';
import { bindUdp, UdpSocket } from './udp-socket';

const here = numberOf('127.0.0.1');
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const setsockopt = koffi.load(null).func('int setsockopt(int, int, int, const int *, unsigned int)');
const socketLevel = 1;
const noChecksums = 11;
const udpLevel = 17;
const takeWhole = 104;

function set(socket: UdpSocket, level: number, name: number): void {
  expect(setsockopt(socket.fd, level, name, [1], 4)).toBe(0);
}

async function pair() {
  const native = await NativeBatch.load();
  const sender = await UdpSocket.open('127.0.0.1', 0, native, () => undefined);
  const receiver = await UdpSocket.open('127.0.0.1', 0, native, () => undefined);
  closers.push(
    () => sender.close(),
    () => receiver.close(),
  );
  // What comes as one message is taken as one.
  set(receiver, udpLevel, takeWhole);
  const sizes = () => {
    const taken: number[] = [];
    while (native.receive(receiver.fd, 65_536, (bytes) => taken.push(bytes.length)));
    return taken;
  };
  const send = (lengths: readonly number[]) => {
    for (const [i, length] of lengths.entries()) {
      sender.put(here, receiver.port, i, [{ chunk: { bytes }, from: 0, to: length }]);
    }
    expect(sender.flush()).toBe(true);
    return sizes();
  };
  return { sender, receiver, send, sizes };
}

const bytes = Buffer.allocUnsafeSlow(70_000).fill('x');

it('datagrams of one size to one peer go as one message, and the first that is shorter ends it', async () => {
  const { send } = await pair();
  expect(send([1468, 1468, 1468, 100])).toEqual([3 * 1472 + 104]);
  expect(send([1468, 1468, 100, 100, 1468])).toEqual([2 * 1472 + 104, 104, 1472]);
  // 64 KiB at most.
  expect(send(Array.from({ length: 50 }, () => 1468))).toEqual([44 * 1472, 6 * 1472]);
  // What does not fit into a frame is not cut.
  expect(send([4000, 4000])).toEqual([4004, 4004]);
});

it('where no message can be cut, each datagram goes by itself, now and from now on', async () => {
  const { sender, send } = await pair();
  set(sender, socketLevel, noChecksums);
  expect(send([1468, 1468, 100])).toEqual([1472, 1472, 104]);
  expect(send([1468, 1468])).toEqual([1472, 1472]);
});

it('replies go by themselves, also those of one size to one relay', async () => {
  const native = await NativeBatch.load();
  const { receiver, sizes } = await pair();
  const bound = await bindUdp('127.0.0.1', 0, native);
  const replies = new Replies(bound, native, (address, reason) => expect.fail(`${address} ${reason}`));
  closers.push(() => new Promise<void>((resolve) => bound.socket.close(() => resolve())));
  for (let i = 0; i < 3; i++) replies.send(bytes.subarray(0, 300), receiver.port, '127.0.0.1');
  replies.close();
  expect(sizes()).toEqual([300, 300, 300]);
});
