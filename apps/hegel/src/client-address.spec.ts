import { describe, expect, it } from 'vitest';
import { parseIp } from '@tinkerbell/bytes';
import { clientAddress, MalformedPeerError, parseTrustedProxies } from './client-address';

const ask = (peer: string, forwarded: string, trusted: string) =>
  clientAddress(peer, forwarded, parseTrustedProxies(trusted));

describe('who is asking', () => {
  it('is the peer when it is no proxy of ours, whatever it claims', () =>
    expect(ask('10.0.0.9', '192.168.1.5', '10.0.0.1')).toBe('10.0.0.9'));
  it('never believes what stands left of an untrusted hop', () =>
    expect(ask('10.0.0.1', '1.1.1.1, 6.6.6.6, 10.0.0.2', '10.0.0.0/24')).toBe('6.6.6.6'));
  it('is the leftmost hop when all are trusted', () =>
    expect(ask('10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.0/24')).toBe('10.0.0.3'));
  it('is the proxy itself when it forwards for nobody', () => expect(ask('10.0.0.1', '', '10.0.0.1')).toBe('10.0.0.1'));
  it('reads mapped, zoned, bracketed and ported forms', () => {
    expect(ask('::ffff:10.0.0.1', '', '')).toBe('10.0.0.1');
    expect(ask('fe80::1%eth0', '', '')).toBe('fe80::1');
    expect(ask('10.0.0.1', '192.168.1.5:4711', '10.0.0.1')).toBe('192.168.1.5');
    expect(ask('fd00::1', '[2001:db8::5]:4711', 'fd00::/8')).toBe('2001:db8::5');
  });
  it.each([
    ['', ''],
    ['invalid', ''],
    ['10.0.0.1', 'unknown'],
    ['10.0.0.1', '1.2.3'],
  ])('refuses %j forwarding for %j', (peer, forwarded) =>
    expect(() => ask(peer, forwarded, '10.0.0.1')).toThrow(MalformedPeerError),
  );
  it('refuses trusted proxies that are no addresses', () =>
    expect(() => parseTrustedProxies('10.0.0.1, 10.0.0.0/99')).toThrow('"10.0.0.0/99"'));
});

describe('an IPv6 address', () => {
  it('is spelled as that of a record and of a lease', () => {
    // Every way in which groups can be zero, or not.
    for (let mask = 0; mask < 256; mask++) {
      const groups = Array.from({ length: 8 }, (_, i) => ((mask >> i) & 1 ? 0xa0 + i : 0));
      if (groups.slice(0, 5).every((group) => group === 0)) continue; // mapped ones are IPv4
      const text = groups.map((group) => group.toString(16).toUpperCase()).join(':');
      expect(ask(text, '', '')).toBe(parseIp(text)?.address);
    }
  });
});
