import { describe, expect, it } from 'vitest';
import { type HttpRequest, peerAddress } from './http-message';

describe('where a request comes from', () => {
  it.each([
    ['10.0.0.5', '10.0.0.5'],
    ['::ffff:10.0.0.5', '10.0.0.5'],
    ['2001:db8::5', '2001:db8::5'],
    ['fe80::5054:ff:fe99:1%eth0', 'fe80::5054:ff:fe99:1'],
  ])('%s is %s', (remoteAddress, address) =>
    expect(peerAddress({ socket: { remoteAddress } } as HttpRequest)).toBe(address),
  );
});
