import { describe, expect, it } from 'vitest';
import { Callers } from './callers';

const none = { holderOf: () => undefined };
const machine = { hardwareId: '1', mac: '02-00-00-00-00-01' } as ReturnType<Callers['at']>;

describe('as whom an address counts', () => {
  const callers = new Callers(
    { byMac: () => undefined, byReservedAddress: (address) => (address === '2001:db8::10' ? machine : undefined) },
    none,
    { holderOf: (ip) => (ip === '2001:db8::a000' ? ({ mac: null } as never) : undefined) },
    () => new Date(0),
    () => true,
    { macOf: () => undefined, isUnleased: () => false },
    () => undefined,
  );
  it.each([
    ['of IPv4', '10.0.0.5', '10.0.0.5'],
    ['of IPv4, as a socket of both families shows it', '::ffff:10.0.0.5', '10.0.0.5'],
    ['that its host made up, for all of its /64', '2001:db8::1:2:3:4', '2001:db8::/64'],
    ['of another /64', '2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['of a wire alone', 'fe80::1%eth0', 'fe80::/64'],
    ['with a lease', '2001:db8::a000', '2001:db8::a000'],
    ['of a record', '2001:db8::10', '2001:db8::10'],
    ['that nobody knows', '', ''],
  ])('%s', (_, address, client) => expect(callers.clientAt(address)).toBe(client));
});
