import { encodePacket, option, serverIdentifier } from '@tinkerbell/dhcp';
import { describe, expect, it } from 'vitest';
import { RequestQueue } from './request-queue';
import { rankOf } from './request-rank';
import { requestOf } from './requests.testing';

const queueOf = (size = 100) => new RequestQueue<string>({ size, patienceMs: 1000, calmMs: 250 });
function drain(queue: RequestQueue<string>, now: number): readonly string[] {
  const items: string[] = [];
  for (let item = queue.next(now); item !== undefined; item = queue.next(now)) items.push(item);
  return items;
}

describe('what is answered next', () => {
  it('the oldest, as long as none has waited long', () => {
    const queue = queueOf();
    for (const [at, item] of ['a', 'b', 'c'].entries()) queue.put('other', item, at);
    expect(drain(queue, 250)).toEqual(['a', 'b', 'c']);
  });

  it('the newest, when one has waited long', () => {
    const queue = queueOf();
    for (const [i, item] of ['a', 'b', 'c'].entries()) queue.put('other', item, i * 100);
    expect(queue.next(251)).toBe('c');
    queue.put('other', 'd', 252);
    expect(drain(queue, 252)).toEqual(['d', 'b', 'a']);
  });

  it('renewals before selections before all others', () => {
    const queue = queueOf();
    queue.put('other', 'discover', 0);
    queue.put('selection', 'request', 1);
    queue.put('renewal', 'renewal', 2);
    expect(drain(queue, 3)).toEqual(['renewal', 'request', 'discover']);
  });

  it('one turn in eight is the lowest rank’s', () => {
    const queue = queueOf();
    for (let i = 0; i < 20; i++) queue.put('renewal', 'renewal', 0);
    for (let i = 0; i < 20; i++) queue.put('other', 'discover', 0);
    const turns = Array.from({ length: 16 }, () => queue.next(1));
    expect(turns.flatMap((item, i) => (item === 'discover' ? [i] : []))).toEqual([7, 15]);
  });
});

describe('what is shed', () => {
  it('what has waited longer than a client does, of any rank', () => {
    const queue = queueOf();
    queue.put('renewal', 'old renewal', 0);
    queue.put('other', 'old discover', 0);
    queue.put('other', 'fresh', 900);
    expect(drain(queue, 1001)).toEqual(['fresh']);
    expect(queue.takeShed()).toBe(2);
    expect(queue.takeShed()).toBe(0);
  });

  it('without room, the oldest of the lowest rank', () => {
    const queue = queueOf(3);
    queue.put('other', 'a', 0);
    queue.put('other', 'b', 1);
    queue.put('selection', 'c', 2);
    queue.put('renewal', 'd', 3);
    expect(queue.size).toBe(3);
    expect(drain(queue, 4)).toEqual(['d', 'c', 'b']);
    expect(queue.takeShed()).toBe(1);
  });

  it('the newcomer itself, when all others rank higher', () => {
    const queue = queueOf(2);
    queue.put('renewal', 'a', 0);
    queue.put('renewal', 'b', 1);
    queue.put('other', 'c', 2);
    expect(drain(queue, 3)).toEqual(['a', 'b']);
    expect(queue.takeShed()).toBe(1);
  });

  it('nothing is lost otherwise, from whichever end it is taken', () => {
    const queue = queueOf(1000);
    const taken: string[] = [];
    for (let i = 0; i < 500; i++) {
      queue.put('other', String(i), i);
      // Calm and not, in turns.
      if (i % 3 === 0) taken.push(queue.next(i % 2 === 0 ? i : i + 400) ?? 'none');
    }
    taken.push(...drain(queue, 500));
    expect(taken.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i));
    expect(queue.takeShed()).toBe(0);
    expect(queue.size).toBe(0);
  });
});

describe('rank', () => {
  const address = '192.0.2.7';
  it.each([
    ['DISCOVER', requestOf('discover'), 'other'],
    ['REQUEST after an offer', requestOf('request', [option(serverIdentifier, address)]), 'selection'],
    ['REQUEST after a restart', requestOf('request'), 'other'],
    ['REQUEST that renews', requestOf('request', [], { ciaddr: address }), 'renewal'],
    ['RELEASE', requestOf('release', [option(serverIdentifier, address)], { ciaddr: address }), 'other'],
    ['INFORM', requestOf('inform', [], { ciaddr: address }), 'other'],
  ])('%s', (_, packet, rank) => {
    expect(rankOf(encodePacket(packet))).toBe(rank);
  });

  it('of what is no DHCP message: the lowest', () => {
    const message = encodePacket(requestOf('request', [], { ciaddr: address }));
    for (let length = 0; length <= 241; length++) expect(rankOf(message.subarray(0, length))).toBe('other');
    expect(rankOf(new Uint8Array(600).fill(53))).toBe('other');
  });
});
