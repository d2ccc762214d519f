import { afterEach, expect, it } from 'vitest';
import { NativeBatch } from './native-batch';
import { QuickTurns } from './quick-turns';
import { ipNumber, UdpSocket } from './udp-socket';

const here = ipNumber('127.0.0.1');
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function opened(native: NativeBatch, onTaken: (socket: UdpSocket) => void = () => undefined) {
  const socket = await UdpSocket.open('127.0.0.1', 0, native, () => undefined);
  closers.push(() => socket.close());
  const counts = { taken: 0, rests: 0 };
  socket.listen(
    () => {
      counts.taken++;
      onTaken(socket);
    },
    () => counts.rests++,
    (error) => expect(error).toBeUndefined(),
  );
  return { socket, counts };
}

it('takes what came through any of the sockets before the turn ends', async () => {
  const native = await NativeBatch.load();
  const [one, other] = [await opened(native), await opened(native)];
  const quick = new QuickTurns(native, [one.socket, other.socket], () => true);
  // At once, in one turn of the event loop: Node has not looked at its sockets since.
  one.socket.put(here, other.socket.port, 1, []);
  one.socket.flush();
  for (let i = 0; i < 5; i++) other.socket.put(here, one.socket.port, i, []);
  other.socket.flush();
  quick.run();
  expect([one.counts.taken, other.counts.taken]).toEqual([5, 1]);
  expect([one.counts.rests, other.counts.rests]).toEqual([1, 1]);
});

it('takes nothing when nobody is waited for', async () => {
  const native = await NativeBatch.load();
  const { socket, counts } = await opened(native);
  socket.put(here, socket.port, 1, []);
  socket.flush();
  new QuickTurns(native, [socket], () => false).run();
  expect(counts.taken).toBe(0);
  await expect.poll(() => counts.taken).toBe(1);
});

it('ends, and lets others have their turn, however much keeps coming', async () => {
  const native = await NativeBatch.load();
  const { socket, counts } = await opened(native, (itself) => {
    itself.put(here, itself.port, 1, []);
    itself.flush();
  });
  socket.put(here, socket.port, 1, []);
  socket.flush();
  let ms = 0;
  const clock = () => (ms += 0.125);
  new QuickTurns(native, [socket], () => true, clock).run();
  expect(counts.taken).toBe(5);
});

it('waits less and less often for those who answer late, and again when they do not', () => {
  const waits: number[] = [];
  let answers = 0;
  const native = { readiness: () => ({ wait: (us: number) => waits.push(us) > 0 && answers-- > 0, has: () => true }) };
  const quick = new QuickTurns(native, [{ fd: 7, takeWaiting: () => undefined }], () => true);
  for (let i = 0; i < 10; i++) quick.run();
  expect(waits).toEqual([50, 0, 50, 0, 0, 50, 0, 0, 0, 0]);
  answers = 2;
  quick.run();
  // Two that came, which makes up for the others; then one in vain, and one turn without a wait.
  expect(waits.slice(10)).toEqual([50, 50, 50]);
  quick.run();
  quick.run();
  expect(waits.slice(13)).toEqual([0, 50]);
});
