import { describe, expect, it } from 'vitest';
import { addressOfPeer, allowedNetworks, NetworkListError } from './allowed-networks';

describe('allowedNetworks', () => {
  const allowed = allowedNetworks('10.1.0.0/16, 192.168.1.5,,fd00::/8');
  it.each(['10.1.2.3', '192.168.1.5', 'fd12::1'])('lets %s in', (address) => expect(allowed(address)).toBe(true));
  it.each(['10.2.0.1', '192.168.1.6', 'fe80::1', '', 'here'])('keeps %j out', (address) =>
    expect(allowed(address)).toBe(false),
  );
  it('lets nobody in when it is empty', () => expect(allowedNetworks('')('127.0.0.1')).toBe(false));
  it.each(['x', '1.2.3.4/33', '1.2.3.4/', 'fd00::/129', '1.2.3/8'])('refuses %j', (text) =>
    expect(() => allowedNetworks(text)).toThrow(NetworkListError),
  );
});

it.each([
  ['127.0.0.1:5', '127.0.0.1'],
  ['ipv4:127.0.0.1:5', '127.0.0.1'],
  ['::1:50000', '::1'],
  ['[fd00::1]:7', 'fd00::1'],
  ['::ffff:10.0.0.1:9', '10.0.0.1'],
])('the address of %s is %s', (peer, address) => expect(addressOfPeer(peer)).toBe(address));
