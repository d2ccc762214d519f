import { describe, expect, it } from 'vitest';
import { parseIpv4 } from '@tinkerbell/bytes';
import { numberOf, textOf } from './ipv4';

describe('an IPv4 address', () => {
  it.each(['0.0.0.0', '10.0.0.1', '192.168.100.254', '255.255.255.255', '1.20.0.99'])('%s is its number', (ip) => {
    expect([textOf(numberOf(ip)), parseIpv4(ip)]).toEqual([ip, numberOf(ip)]);
  });

  it.each([
    ...[
      '',
      '.',
      '1',
      '1.2.3',
      '1.2.3.',
      '.1.2.3',
      '1..2.3',
      '1.2.3.4.',
      '1.2.3.4.5',
      '01.2.3.4',
      '1.2.3.04',
      '1.2.3.00',
    ],
    ...['256.1.1.1', '1.1.1.1000', '1.2.3.a', ' 1.2.3.4', '1.2.3.4 ', '-1.2.3.4', '1.2.3.4\0', 'fd00::1', '１.2.3.4'],
  ])('%j is not written as usual', (ip) => {
    expect([parseIpv4(ip), textOf(numberOf(ip)) === ip]).toEqual([undefined, false]);
  });
});
