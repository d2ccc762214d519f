import { BusUnavailableError, type EndAnswer, type EndedOne, type EndRequest } from '@tinkerbell/messaging';
import type { ReadModel } from '@tinkerbell/event-store';
import type { DhcpServerRow } from '@tinkerbell/projections';
import { describe, expect, it } from 'vitest';
import { LeaseEnding } from './lease-ending';

const ip = '10.0.0.5';
const lease: EndedOne = {
  ...{ ip, mac: '02-00-00-00-00-01', clientId: null, hardwareId: null, subnet: 'lab', origin: 'pool' },
  ...{ was: 'bound', expiresAt: '2026-01-01T00:00:00.000Z' },
};
const { was, mac, clientId } = lease;
const ended: EndAnswer = { result: 'ended', lease };
const refused = (reason: 'none' | 'outside' | 'other'): EndAnswer => ({ result: 'refused', reason, message: reason });

/** What the boots of each pool answers; `silent`: it does not. */
function site(answers: Readonly<Record<string, EndAnswer | 'silent' | readonly EndAnswer[]>>) {
  const asked: (readonly [string, EndRequest])[] = [];
  const ask = (pool: string, request: EndRequest) => {
    const before = asked.filter(([name]) => name === pool).length;
    asked.push([pool, request]);
    const answer = answers[pool] ?? 'silent';
    if (answer === 'silent') return Promise.reject(new BusUnavailableError(`lease pool ${pool}: nobody`));
    return Promise.resolve('result' in answer ? answer : (answer[before] ?? refused('none')));
  };
  const rows = Object.keys(answers).map((leasePool) => ({ leasePool }));
  const dhcpServers = { list: () => rows } as unknown as ReadModel<DhcpServerRow>;
  const ending = new LeaseEnding({ dhcpServers }, { ask });
  const end = (over: { readonly pool?: string; readonly dryRun?: boolean } = {}) =>
    ending.end(ip, { pool: over.pool, seen: null, dryRun: over.dryRun ?? false }, { actor: 'user:ann', key: 'k' });
  return { asked, end };
}

describe('who ends a lease', () => {
  it('is the one lease pool that has it, which is told whose it was', async () => {
    const { asked, end } = site({ default: refused('outside'), 'default-v6': refused('outside'), lab: ended });
    expect(await end()).toEqual({ ...lease, mac: '02:00:00:00:00:01', leasePool: 'lab', dryRun: false });
    expect(asked.map(([pool, { dryRun, seen }]) => [pool, dryRun, seen])).toEqual([
      ['default', true, null],
      ['default-v6', true, null],
      ['lab', true, null],
      ['lab', false, { was, mac, clientId }],
    ]);
    expect(asked.every(([, { actor, key }]) => actor === 'user:ann' && key === 'k')).toBe(true);
  });
  it('is not asked to before somebody has looked', async () => {
    const { asked, end } = site({ default: ended });
    expect(await end({ dryRun: true })).toMatchObject({ leasePool: 'default', dryRun: true });
    expect(asked.map(([, { dryRun }]) => dryRun)).toEqual([true]);
  });
  it('has to be named where several have the address, by the name of both address families', async () => {
    const two = site({ a: ended, 'a-v6': refused('outside'), b: ended });
    await expect(two.end()).rejects.toMatchObject({
      ...{ code: 'INVALID', field: 'pool', message: `${ip} is in use in several lease pools: name one of a, b` },
    });
    const named = site({ a: ended, 'a-v6': refused('outside'), b: ended });
    expect(await named.end({ pool: 'a', dryRun: true })).toMatchObject({ leasePool: 'a' });
    expect(named.asked.map(([pool]) => pool)).toEqual(['a', 'a-v6']);
  });
  it.each([
    ['nobody has it', { a: refused('none'), b: refused('outside') }, 'NOT_FOUND', 'none'],
    ['it is nowhere', { a: refused('outside') }, 'NOT_FOUND', 'outside'],
    ['it is another by now', { a: refused('other'), b: refused('none') }, 'CONFLICT', 'other'],
    ['another was faster', { a: [ended, refused('none')] }, 'NOT_FOUND', 'none'],
    ['nothing ever ran', {}, 'NOT_FOUND', 'there is no lease pool'],
  ] as const)('says why not: %s', async (_, answers, code, message) =>
    expect(site(answers).end()).rejects.toMatchObject({ code, message: expect.stringContaining(message) }),
  );
  it('may be one that does not answer: that is said when nobody else knows better', async () => {
    await expect(site({ a: 'silent', b: refused('outside') }).end()).rejects.toThrow('lease pool a: nobody');
    await expect(site({ a: 'silent', b: refused('none') }).end()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await site({ a: 'silent', b: ended }).end()).toMatchObject({ leasePool: 'b' });
    // Not known here, so perhaps new.
    await expect(site({}).end({ pool: 'new' })).rejects.toThrow('lease pool new: nobody');
    await expect(site({}).end({ pool: 'a.b' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
