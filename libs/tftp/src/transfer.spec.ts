import { describe, expect, it } from 'vitest';
import {
  blockBytes,
  defaultLimits,
  startTransfer,
  type Step,
  stepTransfer,
  type TftpPacket,
  type TransferLimits,
  type TransferOutcome,
} from './index';

const content = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

function begin(
  length: number,
  options: Readonly<Record<string, string>> = {},
  {
    op = 'rrq',
    mode = 'octet',
    limits = defaultLimits,
  }: { op?: 'rrq' | 'wrq'; mode?: string; limits?: TransferLimits } = {},
) {
  const file = content(length);
  let step = startTransfer({ op, file: 'f', mode, options: new Map(Object.entries(options)) }, length, limits);
  const feed = (next: Step) => {
    step = next;
    return sentBy(step, file);
  };
  return {
    first: sentBy(step, file),
    ack: (block: number) => feed(stepTransfer(step.transfer, { type: 'packet', packet: { op: 'ack', block } })),
    packet: (packet: TftpPacket) => feed(stepTransfer(step.transfer, { type: 'packet', packet })),
    request: () => feed(stepTransfer(step.transfer, { type: 'request' })),
    timeout: () => feed(stepTransfer(step.transfer, { type: 'timeout' })),
    tooSlow: () => feed(stepTransfer(step.transfer, { type: 'too-slow' })),
    timer: () => step.effects.flatMap((effect) => (effect.type === 'timer' ? [effect.ms] : []))[0],
    outcome: (): TransferOutcome | undefined =>
      step.effects.flatMap((effect) => (effect.type === 'end' ? [effect.outcome] : []))[0],
  };
}
const sentBy = ({ transfer, effects }: Step, file: Uint8Array): readonly TftpPacket[] =>
  effects.flatMap((effect): readonly TftpPacket[] => {
    if (effect.type === 'send') return [effect.packet];
    if (effect.type !== 'blocks') return [];
    return Array.from({ length: effect.to - effect.from + 1 }, (_, i) => {
      const { from, to } = blockBytes(transfer, effect.from + i);
      return { op: 'data', block: (effect.from + i) & 0xffff, data: file.subarray(from, to) };
    });
  });
const blocks = (packets: readonly TftpPacket[]) =>
  packets.map((packet) => (packet.op === 'data' ? packet.block : packet.op));

describe('reading a file', () => {
  it('sends block after block, the last one shorter', () => {
    const transfer = begin(1000);
    expect(blocks(transfer.first)).toEqual([1]);
    expect(transfer.ack(1)).toEqual([{ op: 'data', block: 2, data: content(1000).subarray(512) }]);
    expect(transfer.ack(2)).toEqual([]);
    expect(transfer.outcome()).toEqual({ result: 'completed', bytes: 1000, retries: 0 });
  });

  it.each([0, 512, 1024])('ends a file of %d bytes with an empty block', (length) => {
    const transfer = begin(length);
    let packets = transfer.first;
    for (let block = 1; packets.length > 0; block++) {
      const [last] = packets;
      packets = transfer.ack(block);
      if (packets.length === 0) expect(last).toEqual({ op: 'data', block: length / 512 + 1, data: new Uint8Array() });
    }
    expect(transfer.outcome()).toMatchObject({ result: 'completed' });
  });

  it('goes past block 65535', () => {
    const length = 65540 * 8 + 3;
    const transfer = begin(length, { blksize: '8' });
    const received: Uint8Array[] = [];
    let [packet] = transfer.ack(0);
    for (let block = 1; packet?.op === 'data'; block++) {
      expect(packet.block).toBe(block & 0xffff);
      received.push(packet.data);
      [packet] = transfer.ack(packet.block);
    }
    expect(transfer.outcome()).toEqual({ result: 'completed', bytes: length, retries: 0 });
    expect(Buffer.concat(received).equals(content(length))).toBe(true);
  });
});

describe('options', () => {
  it('answers those it takes, with what it takes, and waits for ACK 0', () => {
    const transfer = begin(3000, { blksize: '65464', tsize: '0', timeout: '3', windowsize: '9999', multicast: '' });
    const options = new Map(Object.entries({ blksize: '1468', tsize: '3000', timeout: '3', windowsize: '64' }));
    expect(transfer.first).toEqual([{ op: 'oack', options }]);
    expect(transfer.timer()).toBe(3000);
    expect(transfer.ack(5)).toEqual([]);
    expect(blocks(transfer.ack(0))).toEqual([1, 2, 3]);
  });

  it.each<Readonly<Record<string, string>>>([
    { blksize: '7' },
    { blksize: '-1' },
    { blksize: 'many' },
    { timeout: '0' },
    { timeout: '256' },
    { windowsize: '0' },
    { windowsize: '65536' },
    { unknown: '1' },
  ])('ignores %j', (options) => expect(blocks(begin(10, options).first)).toEqual([1]));

  it('ends when the client does not like them', () => {
    const transfer = begin(3000, { tsize: '0' });
    transfer.packet({ op: 'error', code: 0, message: 'only wanted the size' });
    expect(transfer.outcome()).toEqual({ result: 'aborted', code: 0, message: 'only wanted the size' });
    expect(transfer.timeout()).toEqual([]);
  });
});

describe('loss and repetition', () => {
  it('does not answer a repeated ACK: no sorcerer’s apprentice', () => {
    const transfer = begin(5000);
    expect(blocks(transfer.ack(1))).toEqual([2]);
    expect(transfer.ack(1)).toEqual([]);
    expect(transfer.ack(0)).toEqual([]);
    expect(blocks(transfer.ack(2))).toEqual([3]);
  });

  it('repeats with growing waits, begins anew after progress, and gives up', () => {
    const transfer = begin(5000);
    transfer.ack(1);
    const waits = [transfer.timer()];
    for (let i = 0; i < 3; i++) {
      expect(blocks(transfer.timeout())).toEqual([2]);
      waits.push(transfer.timer());
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000]);
    transfer.ack(2);
    expect(transfer.timer()).toBe(1000);
    for (let i = 0; i < defaultLimits.maxRetries; i++) expect(blocks(transfer.timeout())).toEqual([3]);
    expect(transfer.timeout()).toEqual([]);
    expect(transfer.outcome()).toEqual({ result: 'gave-up', bytes: 1024 });
  });

  it.each<Readonly<Record<string, string>>>([{}, { blksize: '1024' }])(
    'says little to an address that never answered, options %j',
    (options) => {
      const transfer = begin(5000, options);
      for (let i = 0; i < defaultLimits.maxUnansweredRetries; i++) expect(transfer.timeout()).toHaveLength(1);
      expect(transfer.timeout()).toEqual([]);
      expect(transfer.outcome()).toEqual({ result: 'gave-up', bytes: 0 });
    },
  );

  it('tells a client that takes hardly anything that it is over, and an address that never answered nothing', () => {
    const slow = begin(5000);
    slow.ack(1);
    expect(slow.tooSlow()).toEqual([{ op: 'error', code: 0, message: 'too slow' }]);
    expect(slow.outcome()).toEqual({ result: 'too-slow', bytes: 512 });
    const forged = begin(5000);
    expect(forged.tooSlow()).toEqual([]);
    expect(forged.outcome()).toEqual({ result: 'gave-up', bytes: 0 });
  });

  it('gives its first answer again when it is asked again, and only until it is answered', () => {
    const plain = begin(5000);
    expect(plain.request()).toEqual(plain.first);
    plain.ack(1);
    expect(plain.request()).toEqual([]);
    const withOptions = begin(5000, { blksize: '1024' });
    expect(withOptions.request()).toEqual(withOptions.first);
    withOptions.ack(0);
    expect(withOptions.request()).toEqual([]);
  });

  it('repeats the OACK', () => expect(blocks(begin(10, { tsize: '0' }).timeout())).toEqual(['oack']));

  it('goes on from the middle of a window', () => {
    const transfer = begin(50 * 512, { windowsize: '4' });
    expect(blocks(transfer.ack(0))).toEqual([1, 2, 3, 4]);
    expect(blocks(transfer.ack(2))).toEqual([3, 4, 5, 6]);
    expect(blocks(transfer.ack(6))).toEqual([7, 8, 9, 10]);
  });

  it('repeats a window whose first block was lost, once', () => {
    const transfer = begin(50 * 512, { windowsize: '4' });
    transfer.ack(0);
    transfer.ack(4);
    expect(blocks(transfer.ack(4))).toEqual([5, 6, 7, 8]);
    expect(transfer.ack(4)).toEqual([]);
    expect(blocks(transfer.timeout())).toEqual([5, 6, 7, 8]);
  });

  it('ignores an ACK of what was never sent', () => {
    const transfer = begin(5000);
    expect(transfer.ack(7)).toEqual([]);
    expect(transfer.ack(65535)).toEqual([]);
    expect(transfer.packet({ op: 'data', block: 1, data: new Uint8Array() })).toEqual([]);
  });
});

describe('refusals', () => {
  it('is read-only', () =>
    expect(begin(1, {}, { op: 'wrq' }).first).toEqual([{ op: 'error', code: 2, message: 'this server is read-only' }]));
  it('knows octet and netascii only', () => {
    const transfer = begin(1, {}, { mode: 'mail' });
    expect(transfer.first).toEqual([{ op: 'error', code: 4, message: 'mode mail is not supported' }]);
    expect(transfer.outcome()).toMatchObject({ result: 'refused', code: 4 });
  });
});
