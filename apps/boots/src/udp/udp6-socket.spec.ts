import { describe, expect, it } from 'vitest';
import { PeerNumbers } from './udp6-socket';

describe('numbers for IPv6 peers', () => {
  it('are the same for the same address, and lead back to it', () => {
    const peers = new PeerNumbers();
    const [a, b] = [peers.numberOf('fd99::20'), peers.numberOf('fe80::1%eth0')];
    expect(peers.numberOf('fd99::20')).toBe(a);
    expect(a).not.toBe(b);
    expect([peers.textOf(a), peers.textOf(b), peers.textOf(99)]).toEqual(['fd99::20', 'fe80::1%eth0', '']);
  });
  it('of those heard longest ago are forgotten, and never given to another', () => {
    const peers = new PeerNumbers(2);
    const [a, b] = [peers.numberOf('::a'), peers.numberOf('::b')];
    peers.numberOf('::a');
    const c = peers.numberOf('::c');
    expect([peers.textOf(a), peers.textOf(b), peers.textOf(c)]).toEqual(['::a', '', '::c']);
    expect(peers.numberOf('::b')).toBeGreaterThan(c);
  });
});
