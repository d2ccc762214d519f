import { describe, expect, it } from 'vitest';
import { basicAuth, httpsOnly, isAuthorised } from './basic-auth';
import { PlainHttpError, UnauthorizedError } from './http-errors';
import type { HttpRequest, HttpResponse } from './http-message';

const secret = { username: 'ann', password: 'pa:ss' };
const header = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('isAuthorised', () => {
  it.each([header('ann:pa:ss'), header('ann:pa:ss').replace('Basic', 'basic')])('takes %s', (value) =>
    expect(isAuthorised(value, secret)).toBe(true),
  );
  it.each([
    undefined,
    '',
    'Basic',
    'Basic !',
    'Bearer x',
    header('ann:pa'),
    header('ann:pa:sss'),
    header(':'),
    header('ANN:pa:ss'),
  ])('refuses %s', (value) => expect(isAuthorised(value, secret)).toBe(false));
});

describe('basicAuth', () => {
  function outcome(path: string, credentials = secret, authorization?: string): unknown {
    let result: unknown = 'not called';
    const headers: Record<string, string> = {};
    const request = { originalUrl: path, headers: { authorization } } as unknown as HttpRequest;
    const response = { setHeader: (name: string, value: string) => (headers[name] = value) } as unknown as HttpResponse;
    basicAuth(credentials)(request, response, (error) => (result = error ?? 'passed'));
    if (result instanceof UnauthorizedError) expect(headers['WWW-Authenticate']).toContain('Basic realm=');
    return result;
  }
  it.each(['/cert', '/version', '/healthz', '/metrics', '/v1/enrol', '/healthz?x=1'])('leaves %s open', (path) =>
    expect(outcome(path)).toBe('passed'),
  );
  it.each([
    '/',
    '/v1/hardware',
    '/API/hardware',
    '/api/hardware/',
    '/v1/enrol/',
    '/v1/enrol/x',
    '/cert/../api/x',
    '//api/x',
    '/v1%2fenrol',
  ])('guards %s', (path) => expect(outcome(path)).toBeInstanceOf(UnauthorizedError));
  it('lets the right credentials in', () => expect(outcome('/api/x', secret, header('ann:pa:ss'))).toBe('passed'));
  it('lets all in when none are configured', () =>
    expect(outcome('/api/x', { username: '', password: '' })).toBe('passed'));
  it('tells a wrong password from none', () => {
    expect(outcome('/api/x')).toMatchObject({ message: expect.stringContaining('needed') as string });
    expect(outcome('/api/x', secret, header('ann:wrong'))).toMatchObject({
      message: 'user name or password is wrong',
    });
  });
  it('asks for a password alone', () =>
    expect(outcome('/api/x', { username: '', password: 'p' })).toBeInstanceOf(UnauthorizedError));
});

describe('httpsOnly', () => {
  function outcome(remoteAddress: string, path = '/api/x', over: object = {}, credentials = secret): unknown {
    let result: unknown = 'not called';
    const socket = { remoteAddress, localAddress: '::ffff:192.168.1.1', ...over };
    const request = { originalUrl: path, headers: {}, socket } as unknown as HttpRequest;
    const guard = httpsOnly(credentials, () => 42_124);
    guard(request, {} as HttpResponse, (error) => (result = error ?? 'passed'));
    return result;
  }
  it.each(['/v1/hardware', '/api/x', '/API/x', '/'])(
    'names the HTTPS door to another host that asks for %s',
    (path) => {
      const error = outcome('192.168.1.9', path);
      expect(error).toBeInstanceOf(PlainHttpError);
      expect(error).toMatchObject({ status: 403, message: expect.stringContaining('use https://192.168.1.1:42124') });
    },
  );
  it.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])('lets %s in', (peer) =>
    expect(outcome(peer)).toBe('passed'),
  );
  it.each(['10.127.0.0', '::ffff:10.0.0.1', '2001:db8::1', ''])('keeps %j out', (peer) =>
    expect(outcome(peer)).toBeInstanceOf(PlainHttpError),
  );
  it('writes an IPv6 address in brackets', () =>
    expect(outcome('2001:db8::9', '/api/x', { localAddress: '2001:db8::1' })).toMatchObject({
      message: expect.stringContaining('https://[2001:db8::1]:42124 '),
    }));
  it('lets encrypted requests, open paths and all requests without credentials through', () => {
    expect(outcome('192.168.1.9', '/api/x', { encrypted: true })).toBe('passed');
    expect(outcome('192.168.1.9', '/cert')).toBe('passed');
    expect(outcome('192.168.1.9', '/api/x', {}, { username: '', password: '' })).toBe('passed');
  });
});
