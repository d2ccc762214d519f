import { leaseBound, machineMac, specify } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { fold } from '../decider';
import { poolDecider } from './pool.decider';

const given = specify(poolDecider);
const seenAt = '2026-01-01T00:00:00.000Z';
const nextDay = '2026-01-02T00:00:00.000Z';
const found = { server: '10.0.0.254', sign: 'offer', clientMac: machineMac, offered: '10.0.0.9' } as const;
const told = (over: object = {}) => ({ type: 'DhcpServerFound', v: 1, data: { ...found, seenAt, ...over } }) as const;
const tell = (over: object = {}) => ({ type: 'TellOfServer', ...found, seenAt, ...over }) as const;
const taken = { type: 'PoolTaken', v: 1, data: { address: '10.0.0.1', epoch: 2 } } as const;

describe('lease pool and those that answer for it', () => {
  it('records every take-over, and who answers now', () => {
    given(taken)
      .when({ type: 'TakePool', address: '10.0.0.2', epoch: 3 })
      .then({
        type: 'PoolTaken',
        v: 1,
        data: { address: '10.0.0.2', epoch: 3 },
      });
    expect(fold(poolDecider, [taken]).taken).toEqual({ address: '10.0.0.1', epoch: 2 });
  });
  it('keeps its leases beside', () => {
    const { leases } = fold(poolDecider, [leaseBound(), taken, told()]);
    expect(leases.book.get('192.168.1.5')?.mac).toBe(machineMac);
  });
  it('tells of another server once a day', () => {
    given().when(tell()).then(told());
    given(told())
      .when(tell({ seenAt: '2026-01-01T23:59:59.999Z', sign: 'nak' }))
      .thenNothing();
    given(told())
      .when(tell({ server: '10.0.0.253' }))
      .then(told({ server: '10.0.0.253' }));
    given(told())
      .when(tell({ seenAt: nextDay }))
      .then(told({ seenAt: nextDay }));
  });
  it('does not take one of ours for another', () =>
    given(taken)
      .when(tell({ server: '10.0.0.1' }))
      .thenNothing());
  it('does not fill the log with servers that somebody makes up', () => {
    const many = Array.from({ length: 64 }, (_, i) => told({ server: `10.1.0.${i}` }));
    given(...many)
      .when(tell())
      .thenNothing();
    given(...many)
      .when(tell({ seenAt: nextDay }))
      .then(told({ seenAt: nextDay }));
    expect(fold(poolDecider, [...many, told({ seenAt: nextDay })]).told.size).toBe(64);
  });
});
