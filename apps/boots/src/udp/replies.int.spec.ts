import { afterEach, describe, expect, it } from 'vitest';
import { type Collector, openCollector } from './collector.testing';
import { NativeBatch } from './native-batch';
import { Replies } from './replies';
import { bindUdp } from './udp-socket';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const here = '127.0.0.1';

async function opened(native: NativeBatch | undefined) {
  const bound = await bindUdp(here, 0, native);
  const lost: string[] = [];
  const replies = new Replies(bound, native, (address, reason) => void lost.push(`${address} ${reason}`));
  closers.push(() => {
    replies.close();
    return new Promise<void>((resolve) => bound.socket.close(() => resolve()));
  });
  return { bound, replies, lost };
}

async function collector(count: number): Promise<Collector> {
  const opened = await openCollector(count);
  closers.push(() => opened.close());
  return opened;
}

const reply = (i: number) => Buffer.alloc(i % 5 === 0 ? 548 : 300, i);

describe.each(['in batches', 'one by one'])('replies %s', (how) => {
  const native = () => (how === 'in batches' ? NativeBatch.load() : Promise.resolve(undefined));

  it('arrive whole and in order, more than fit into one batch', async () => {
    const { replies, lost } = await opened(await native());
    const [one, other] = [await collector(900), await collector(1)];
    for (let i = 0; i < 900; i++) {
      replies.send(reply(i), one.port, here);
      if (i === 500) replies.send(Buffer.from('another'), other.port, here);
      // The small buffer of a receiver is not what is tried here.
      if (i % 100 === 99) await one.has(i + 1);
    }
    for (const [i, got] of (await one.all).entries()) expect(got.equals(reply(i))).toBe(true);
    expect(String((await other.all)[0])).toBe('another');
    expect(lost).toEqual([]);
  });

  it('that the system refuses are told, each, and cost no other', async () => {
    const { replies, lost } = await opened(await native());
    const { port, all } = await collector(2);
    replies.send(reply(1), port, here);
    // Without SO_BROADCAST.
    replies.send(reply(2), port, '255.255.255.255');
    replies.send(reply(3), port, '255.255.255.255');
    replies.send(reply(4), port, here);
    const got = await all;
    expect(got.map(([first]) => first)).toEqual([1, 4]);
    await expect.poll(() => lost).toHaveLength(2);
    for (const text of lost) expect(text).toMatch(/^255\.255\.255\.255 .*EACCES/);
  });
});
