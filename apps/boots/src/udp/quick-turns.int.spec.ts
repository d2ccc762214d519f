import { numberOf } from '@tinkerbell/domain';
import { afterEach, describe, expect, it } from 'vitest';
import { NativeBatch } from './native-batch';
import { QuickTurns } from './quick-turns';
import { UdpSocket } from './udp-socket';

const here = numberOf('127.0.0.1');
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function opened(native: NativeBatch) {
  const socket = await UdpSocket.open('127.0.0.1', 0, native, () => undefined);
  closers.push(() => socket.close());
  const counts = { taken: 0, rests: 0 };
  socket.listen(
    () => counts.taken++,
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
  // On a busy machine the turn may have been over before.
  quick.stop();
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

it('ends, lets others have their turn and goes on, however much keeps coming', async () => {
  const { quick, takes } = waiting(() => true);
  quick.run();
  const first = takes();
  expect(first).toBeGreaterThan(10);
  await new Promise((resolve) => setImmediate(resolve));
  expect(takes()).toBe(2 * first);
  quick.stop();
  await new Promise((resolve) => setImmediate(resolve));
  expect(takes()).toBe(2 * first);
});

it('does not go on for nobody', async () => {
  let isExpecting = true;
  const { quick, takes } = waiting(
    () => true,
    () => isExpecting,
  );
  quick.run();
  const before = takes();
  isExpecting = false;
  await new Promise((resolve) => setImmediate(resolve));
  expect(takes()).toBe(before);
});

describe('waiting for an answer', () => {
  it('looks for 20 µs and sleeps for 30, less and less often when that was for nothing', () => {
    const { quick, waits } = waiting(() => false);
    quick.run();
    expect(waits.splice(0)).toEqual([0, 0, 0, 0, 30]);
    const turns = Array.from({ length: 10 }, () => (quick.run(), waits.splice(0).length));
    expect(turns).toEqual([1, 5, 1, 1, 5, 1, 1, 1, 1, 5]);
    for (let i = 0; i < 5000; i++) quick.run();
    // 256 turns without, and one with.
    expect(waits.length / 5000).toBeCloseTo(1 + 4 / 257, 2);
  });

  it('sleeps as often as before for those who answer late, and looks for them only now and then', () => {
    const { quick, waits } = waiting((microseconds) => microseconds > 0);
    quick.run();
    const sleeps = waits.filter((microseconds) => microseconds > 0).length;
    expect(sleeps).toBeGreaterThan(10);
    // Four looks for each sleep, if it had not learned.
    expect(waits.length - sleeps).toBeLessThan(2 * sleeps);
  });

  it('never sleeps while looking is enough', () => {
    const { quick, waits } = waiting(() => true);
    quick.run();
    quick.run();
    expect(new Set(waits)).toEqual(new Set([0]));
  });
});

/** A socket with answers when `has` says so, by a clock that goes on with each look, by 5 µs, and each answer, by 10. */
function waiting(has: (microseconds: number) => boolean, isExpecting = () => true) {
  const waits: number[] = [];
  let [ms, taken] = [0, 0];
  const wait = (microseconds: number) => {
    waits.push(microseconds);
    ms += (microseconds || 5) / 1000;
    return has(microseconds);
  };
  const takeWaiting = () => {
    taken++;
    ms += 0.01;
  };
  const native = { readiness: () => ({ wait, has: () => true }) };
  const quick = new QuickTurns(native, [{ fd: 7, takeWaiting }], isExpecting, () => ms);
  closers.push(() => quick.stop());
  return { quick, waits, takes: () => taken };
}
