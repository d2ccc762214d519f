import { acknowledge, defaultLimits, startTransfer, type TftpRequest } from '@tinkerbell/tftp';
import { describe, expect, it } from 'vitest';
import { textContent } from './text-files';
import { Session } from './session';
import { Sessions } from './sessions';
import { TransferPort } from './transfer-port';
import type { DatagramSocket } from '../udp/udp-socket';

const request: TftpRequest = { op: 'rrq', file: 'f', mode: 'octet', options: new Map() };
const { progressMs, minBytes } = defaultLimits;

/** A transfer of a megabyte in blocks of 512, begun at 0. */
function session(ip = 1, port = 1): Session {
  const unused = new TransferPort({} as DatagramSocket, () => undefined);
  const { transfer } = startTransfer(request, 1 << 20);
  return new Session(unused, { ip, port, client: String(ip) }, '', 'f', textContent(''), transfer, 0);
}
function take(of: Session, bytes: number): void {
  const until = of.transfer.acked + bytes / 512;
  while (of.transfer.acked < until) of.transfer = acknowledge(of.transfer, (of.transfer.acked + 1) & 0xffff).transfer;
}

describe('a transfer is too slow', () => {
  it('when it gets on by less than the least in any of its periods, whatever came before', () => {
    const slow = session();
    take(slow, 16 * minBytes);
    expect(slow.isTooSlow(progressMs - 1)).toBe(false);
    expect(slow.isTooSlow(progressMs)).toBe(false);
    take(slow, minBytes - 512);
    expect(slow.isTooSlow(2 * progressMs - 1)).toBe(false);
    expect(slow.isTooSlow(2 * progressMs)).toBe(true);
  });

  it('not while it gets on by that much, for hours', () => {
    const slow = session();
    for (let period = 1; period <= 60; period++) {
      take(slow, minBytes);
      expect(slow.isTooSlow(period * progressMs)).toBe(false);
    }
  });

  it('not for what waits for us', () => {
    const waiting = session();
    waiting.isWaiting = true;
    expect(waiting.isTooSlow(progressMs)).toBe(false);
  });
});

describe('the room for transfers', () => {
  it('of one client counts those whose file is being looked up', () => {
    const sessions = new Sessions({ all: 8, perClient: 2 });
    sessions.start(1, '1');
    sessions.start(2, '1');
    expect(sessions.roomFor('1')).toEqual({ full: 'client', displaceable: undefined });
    expect(sessions.roomFor('2')).toBe('room');
    sessions.started(1, '1');
    expect(sessions.roomFor('1')).toBe('room');
  });

  it('of one client is made by its own alone, of all by whoever never answered', () => {
    const sessions = new Sessions({ all: 4, perClient: 2 });
    const [theirs, own] = [session(2, 1), session(1, 1)];
    const heard = session(1, 2);
    for (const each of [theirs, own, heard]) sessions.add(each);
    take(heard, 512);
    sessions.note(heard);
    expect(sessions.roomFor('1')).toEqual({ full: 'client', displaceable: own });
    sessions.add(session(3, 1));
    expect(sessions.roomFor('4')).toEqual({ full: 'all', displaceable: theirs });
    sessions.remove(own, 0);
    sessions.add(session(1, 3));
    take(heard, 512);
    expect(sessions.roomFor('1')).toMatchObject({ full: 'client', displaceable: { peer: { port: 3 } } });
  });

  it.each([
    [1, 512, 1],
    [50, 512, 25],
    [4096, 512, 512],
  ])('of %d in all and %d for one client is %d', (all, perClient, room) => {
    const sessions = new Sessions({ all, perClient });
    let count = 0;
    for (; sessions.roomFor('1') === 'room'; count++) sessions.start(count, '1');
    expect(count).toBe(room);
  });
});
