import type { LeaseEvent, Recorded } from '@tinkerbell/events';
import { leaseBound, leaseEnded, leaseReleased, leaseRenewed, recorded } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { holderOf, tenuresOf } from './tenures';

const mac = '08-00-27-00-00-01';
const other = '08-00-27-00-00-02';
const at = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`;
const recordedAt = (minute: number, event: LeaseEvent, position: number): readonly Recorded<LeaseEvent>[] =>
  recorded('lease', 'default', [event], position).map((each) => ({ ...each, at: at(minute) }));
const log = (...events: readonly (readonly [minute: number, event: LeaseEvent])[]): readonly Recorded<LeaseEvent>[] =>
  events.flatMap(([minute, event], i) => recordedAt(minute, event, i + 1));
const bound = (ip: string, until: number, over: object = {}) => leaseBound({ mac, ip, expiresAt: at(until), ...over });
const told = (events: readonly Recorded<LeaseEvent>[], now: number) =>
  tenuresOf(events, at(now)).map(({ ip, boundAt, until, state, renewals }) => [ip, boundAt, until, state, renewals]);

describe('the tenures of a machine', () => {
  it('last as long as the machine renews', () => {
    const renewed = leaseRenewed({ mac, ip: '10.0.0.5', expiresAt: at(15) });
    const events = log([0, bound('10.0.0.5', 10)], [5, renewed]);
    expect(told(events, 12)).toEqual([['10.0.0.5', at(0), at(15), 'bound', 1]]);
    expect(told(events, 15)).toEqual([['10.0.0.5', at(0), at(15), 'expired', 1]]);
  });

  it('go on when the machine has another name', () => {
    const events = log([0, bound('10.0.0.5', 10)], [5, bound('10.0.0.5', 15, { hostname: 'node-2' })]);
    expect(told(events, 12)).toEqual([['10.0.0.5', at(0), at(15), 'bound', 1]]);
    expect(tenuresOf(events, at(12))).toMatchObject([{ hostname: 'node-2', position: 1 }]);
  });

  it.each<[string, LeaseEvent, string]>([
    ['released', leaseReleased({ mac, ip: '10.0.0.5' }), 'released'],
    [
      'declined',
      {
        type: 'LeaseDeclined',
        v: 2,
        data: { ...leaseReleased().data, ip: '10.0.0.5', message: '', quarantinedUntil: null },
      },
      'declined',
    ],
    ['ended by an operator', leaseEnded({ mac, ip: '10.0.0.5' }), 'ended'],
    ['taken over by another machine', bound('10.0.0.5', 40, { mac: other }), 'moved'],
    [
      'left for another address',
      {
        type: 'LeaseExpired',
        v: 1,
        data: { ...leaseReleased().data, ip: '10.0.0.5', expiresAt: at(10), cause: 'moved' },
      },
      'moved',
    ],
    [
      'found to have run out',
      {
        type: 'LeaseExpired',
        v: 1,
        data: { ...leaseReleased().data, ip: '10.0.0.5', expiresAt: at(4), cause: 'time' },
      },
      'expired',
    ],
  ])('end when the lease is %s', (_, event, state) => {
    expect(told(log([0, bound('10.0.0.5', 10)], [4, event]), 5)[0]).toEqual(['10.0.0.5', at(0), at(4), state, 0]);
  });

  it('know who ended them, and nobody ends what was over, or a quarantine, of which there is no tenure', () => {
    const end = (was: 'bound' | 'declined') => leaseEnded({ mac, ip: '10.0.0.5', was });
    const endedBy = (...events: readonly (readonly [minute: number, event: LeaseEvent])[]) =>
      tenuresOf(log(...events), at(59)).map((tenure) => [tenure.state, tenure.endedBy]);
    expect(endedBy([0, bound('10.0.0.5', 10)], [4, end('bound')])).toEqual([['ended', 'user:test']]);
    expect(endedBy([0, bound('10.0.0.5', 10)], [11, end('bound')])).toEqual([['expired', null]]);
    const declined: LeaseEvent = {
      ...{ type: 'LeaseDeclined', v: 2 },
      data: { ...leaseReleased({ mac, ip: '10.0.0.5' }).data, message: '', quarantinedUntil: at(50) },
    };
    expect(endedBy([0, bound('10.0.0.5', 10)], [4, declined], [5, end('declined')])).toEqual([['declined', null]]);
    const { previous } = holderOf(
      '10.0.0.5',
      tenuresOf(log([0, bound('10.0.0.5', 10)], [4, end('bound')]), at(5)),
      at(5),
    );
    expect(previous).toMatchObject({ state: 'ended', until: at(4), endedBy: 'user:test' });
  });

  it('know where their machine was plugged in, by the word of its relay', () => {
    const relayed = (ip: string, circuitId = '4731', giaddr = '10.0.0.1'): LeaseEvent => ({
      type: 'LeaseRelayed',
      v: 1,
      data: { ip, subnet: '', giaddr, circuitId, remoteId: null },
    });
    const events = log([0, bound('10.0.0.5', 10)], [0, relayed('10.0.0.5')], [20, bound('10.0.0.5', 30)]);
    expect(tenuresOf(events, at(21))).toMatchObject([{ circuitId: '4731', remoteId: null }, { circuitId: null }]);
    const elsewhere = log(
      [0, bound('10.0.0.5', 10)],
      [0, relayed('10.0.0.5')],
      [5, leaseRenewed({ mac, ip: '10.0.0.5', expiresAt: at(15) })],
      [5, relayed('10.0.0.5', '4732', '10.0.0.2')],
    );
    expect(tenuresOf(elsewhere, at(6))).toMatchObject([{ circuitId: '4732', giaddr: '10.0.0.2', renewals: 1 }]);
  });

  it('ended when they ran out, whatever came later', () => {
    const again = log([0, bound('10.0.0.5', 10)], [20, bound('10.0.0.5', 30)], [40, leaseReleased({ mac })]);
    expect(told(again, 50)).toEqual([
      ['10.0.0.5', at(0), at(10), 'expired', 0],
      ['10.0.0.5', at(20), at(30), 'expired', 0],
    ]);
  });

  it('say how long the lease was last given for', () => {
    const forever = leaseRenewed({ mac, ip: '10.0.0.5', leaseSeconds: 4_294_967_295, expiresAt: at(59) });
    const events = log([0, bound('10.0.0.5', 10, { leaseSeconds: 600 })], [1, forever]);
    expect(tenuresOf(events.slice(0, 1), at(0))).toMatchObject([{ leaseSeconds: 600 }]);
    expect(tenuresOf(events, at(2))).toMatchObject([{ leaseSeconds: 4_294_967_295 }]);
  });

  it('are not touched by a refusal', () => {
    const data = { ...leaseReleased().data, requested: '10.0.0.9', reason: 'not yours' };
    expect(told(log([0, bound('10.0.0.5', 10)], [1, { type: 'LeaseRefused', v: 2, data }]), 2)).toHaveLength(1);
  });
});

describe('who had an address', () => {
  const theirs = (now: number) =>
    tenuresOf(
      recordedAt(30, leaseBound({ mac: other, ip: '10.0.0.5', expiresAt: at(50) }), 9).filter(
        (event) => event.at <= at(now),
      ),
      at(now),
    );
  const ours = (now: number) => tenuresOf(log([0, bound('10.0.0.5', 10)]), at(now));
  const who = (now: number) => {
    const { holder, previous } = holderOf('10.0.0.5', [...ours(now), ...theirs(now)], at(now));
    return [holder?.mac, previous?.mac];
  };

  it.each([
    ['while it lasts', 5, [mac, undefined]],
    ['after it ran out', 20, [undefined, mac]],
    ['after another machine was given it', 35, [other, mac]],
    ['after that one too', 55, [undefined, other]],
  ])('%s', (_, now, expected) => {
    expect(who(now)).toEqual(expected);
  });

  it('is nobody for an address that was never leased', () => {
    expect(holderOf('10.0.0.7', ours(5), at(5))).toMatchObject({ holder: null, previous: null });
  });
});
