import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { interfaceWith } from './interface-with';

const one = (address: string, internal = false): NetworkInterfaceInfo => ({
  ...{ address, netmask: '255.255.255.0', family: 'IPv4', mac: '02:00:00:00:00:01', internal, cidr: `${address}/24` },
});

describe('the interface with an address', () => {
  it.each([
    ['10.1.0.5', 'br0.100'],
    ['10.0.0.5', 'br0'],
    ['10.0.0.6', 'br0'],
    ['127.0.0.1', 'lo'],
    ['10.9.0.1', 'eth1'],
    ['10.1.0.6', undefined],
  ])('%s is %s', (address, name) => {
    const interfaces = {
      lo: [one('127.0.0.1', true), one('10.9.0.1', true)],
      br0: [one('10.0.0.5')],
      'br0:second': [one('10.0.0.6')],
      'br0.100': [one('10.1.0.5')],
      eth1: [one('10.9.0.1')],
    };
    expect(interfaceWith(address, interfaces)).toBe(name);
  });
});
