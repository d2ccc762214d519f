import type { LookupAddress } from 'node:dns';
import { InvalidError } from '@tinkerbell/domain';
import { describe, expect, it } from 'vitest';
import { allowedNetworks } from '../compat/allowed-networks';
import { backOffMs, parseRetryAfter } from './back-off';
import { checkedWebhookSecret, newWebhookSecret, webhookSignature } from './webhook-signature';
import { checkedTarget, ForbiddenTargetError, guardedLookup, mayConnect } from './webhook-target';

describe('a signature', () => {
  it('is the one of the Standard Webhooks specification', () => {
    // The example of its reference libraries.
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
    expect(webhookSignature(secret, id, 1614265330, '{"test": 2432232314}')).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });
  it('comes from a secret of its form', () => {
    expect(newWebhookSecret()).not.toBe(newWebhookSecret());
    expect(checkedWebhookSecret(newWebhookSecret())).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    for (const bad of [
      '',
      'x',
      'whsec_',
      'whsec_c2hvcnQ=',
      `whsec_${'A'.repeat(200)}`,
      'whsec_not base64 at all, is it?',
    ])
      expect(() => checkedWebhookSecret(bad)).toThrow(InvalidError);
  });
});

describe('back-off', () => {
  it('doubles up to ten minutes, half of it by chance', () => {
    expect([1, 2, 3, 10, 11, 12].map((attempt) => backOffMs(attempt, 1))).toEqual([
      ...[1_000, 2_000, 4_000, 512_000, 600_000, 600_000],
    ]);
    expect(backOffMs(3, 0)).toBe(2_000);
  });
  it('waits as long as the receiver asks for, up to an hour', () => {
    expect(backOffMs(1, 1, 90_000)).toBe(90_000);
    expect(backOffMs(1, 1, 1e9)).toBe(3_600_000);
  });
  it('reads Retry-After in both forms', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(parseRetryAfter('120', now)).toBe(120_000);
    expect(parseRetryAfter('Thu, 01 Jan 2026 00:01:00 GMT', now)).toBe(60_000);
    expect(parseRetryAfter('Wed, 31 Dec 2025 00:01:00 GMT', now)).toBe(0);
    expect([undefined, '', 'soon', '-5x'].map((text) => parseRetryAfter(text, now))).toEqual(Array(4).fill(undefined));
  });
});

describe('the target of a webhook', () => {
  const may = mayConnect(allowedNetworks(''));

  it.each([
    ...['127.0.0.1', '127.1.2.3', '0.0.0.0', '10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1'],
    ...['224.0.0.1', '255.255.255.255', '192.0.2.1', '::1', '::', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd12::1'],
    ...[
      'ff02::1',
      '::ffff:127.0.0.1',
      '::ffff:10.0.0.1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::1',
      '2001:db8::1',
      'localhost',
    ],
  ])('is never %s', (address) => expect(may(address)).toBe(false));

  it.each(['93.184.216.34', '2606:2800:220:1::1', '::ffff:93.184.216.34'])('may be %s', (address) =>
    expect(may(address)).toBe(true),
  );

  it('may be in a network that is allowed, also written as IPv6', () => {
    const lab = mayConnect(allowedNetworks('10.0.0.0/8,fd00::/8'));
    expect(['10.9.9.9', '::ffff:10.9.9.9', 'fd12::1', '127.0.0.1', '192.168.0.1'].map(lab)).toEqual([
      ...[true, true, true, false, false],
    ]);
  });

  it.each([
    ['ftp://hooks.example/', 'must be https or http'],
    ['hooks.example', 'is not a URL'],
    ['https://user:secret@hooks.example/', 'may not hold a password'],
    ['https://hooks.example/#a', 'fragment'],
    ['http://127.0.0.1/', 'is not a public address'],
    ['http://2130706433/', 'is not a public address'],
    ['http://0x7f.1/', 'is not a public address'],
    ['http://[::1]:80/', 'is not a public address'],
    ['http://[::ffff:a9fe:a9fe]/', 'is not a public address'],
  ])('cannot be %s', (url, fault) => {
    expect(() => checkedTarget(url, may)).toThrow(InvalidError);
    expect(() => checkedTarget(url, may)).toThrow(fault);
  });

  const look = (addresses: readonly string[], all: boolean) =>
    new Promise<unknown>((resolve, reject) => {
      const found: LookupAddress[] = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      const lookup = guardedLookup(may, (_host, _options, done) => done(null, found));
      lookup('hooks.example', { all }, (error, address) => (error ? reject(error) : resolve(address)));
    });

  it('is checked where its name is resolved for the connection itself', async () => {
    expect(await look(['93.184.216.34'], false)).toBe('93.184.216.34');
    expect(await look(['93.184.216.34'], true)).toEqual([{ address: '93.184.216.34', family: 4 }]);
    await expect(look(['93.184.216.34', '127.0.0.1'], true)).rejects.toThrow(ForbiddenTargetError);
    await expect(look(['10.0.0.1'], false)).rejects.toThrow('hooks.example is 10.0.0.1, which is not a public address');
    await expect(look([], false)).rejects.toThrow(ForbiddenTargetError);
  });
});
