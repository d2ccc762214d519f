import { describe, expect, it } from 'vitest';
import { parseIp, parseIpv4, prefixLength } from './ip';

describe('IP address', () => {
  it.each([
    ['0.0.0.0', 0],
    ['192.168.1.5', 0xc0a80105],
    ['255.255.255.255', 0xffffffff],
  ])('%s', (text, value) => expect(parseIpv4(text)).toBe(value));
  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4 ',
    '1.2.3.+4',
    '1.2.3.4e0',
    '0x1.2.3.4',
    '1..2.3',
  ])('not %j', (text) => expect(parseIp(text)).toBeUndefined());
  it.each([
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['fe80:0:0:0:0:0:0:00a0', 'fe80::a0'],
    ['10:0:0:0:0:0:0:10', '10::10'],
  ])('%s is %s', (text, want) => expect(parseIp(text)).toEqual({ address: want, family: 6 }));
  it.each([
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    'fe80::1%eth0',
    '12345::',
    'g::',
    '::1.2.3',
    '::256.1.1.1',
    '[::1]',
  ])('not %j', (text) => expect(parseIp(text)).toBeUndefined());
  it.each([
    ['0.0.0.0', 0],
    ['255.0.0.0', 8],
    ['255.255.255.248', 29],
    ['255.255.255.255', 32],
    ['255.0.255.0', undefined],
    ['0.0.0.255', undefined],
    ['x', undefined],
  ])('netmask %s: %s', (netmask, length) => expect(prefixLength(netmask)).toBe(length));
});
