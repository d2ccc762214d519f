import { describe, expect, it } from 'vitest';
import { ipv4Bytes, readIpv4 } from './fields';

describe('an IPv4 address', () => {
  it.each(['0.0.0.0', '10.0.0.1', '192.168.100.254', '255.255.255.255'])(
    '%s becomes four bytes and back',
    (address) => {
      expect(readIpv4(ipv4Bytes(address), 0)).toBe(address);
    },
  );
  it.each([
    '',
    '1.2.3',
    '1.2.3.',
    '.1.2.3',
    '1..2.3',
    '1.2.3.4.5',
    '1.2.3.4.',
    '256.1.1.1',
    '1.2.3.999',
    '1.2.3.0004',
    '1.2.3.004',
  ])('is not %j', (text) => expect(() => ipv4Bytes(text)).toThrow(RangeError));
  it.each(['1.2.3.4 ', '-1.2.3.4', '1.2.3.x', 'a.b.c.d', '::1'])('is not %j either', (text) =>
    expect(() => ipv4Bytes(text)).toThrow(`${JSON.stringify(text)} is not an IPv4 address`),
  );
});
