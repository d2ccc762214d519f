import { describe, expect, it } from 'vitest';
import { basicAuth, isAuthorised } from './basic-auth';
import { UnauthorizedError } from './http-errors';
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
  it('asks for a password alone', () =>
    expect(outcome('/api/x', { username: '', password: 'p' })).toBeInstanceOf(UnauthorizedError));
});
