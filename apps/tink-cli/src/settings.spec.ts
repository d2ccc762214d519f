import { describe, expect, it } from 'vitest';
import { defaultServer, resolveSettings, type Given } from './settings';

const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
const local = JSON.stringify({
  server: 'https://192.0.2.1:42124',
  ca: 'ca.pem',
  username: 'admin',
  password: 'secret',
});
const resolve = (given: Given, env: Record<string, string> = {}, files: Record<string, string> = {}) =>
  resolveSettings(given, { env, cwd: '/here', home: '/home/me', read: (path) => files[path] });

describe('settings', () => {
  it('default to the provisioner on this machine', () => {
    expect(resolve({})).toMatchObject({ username: '', password: '', source: 'default' });
    expect(resolve({}).server.origin).toBe(defaultServer);
  });

  it('come from the file that the provisioner writes, its CA beside it', () => {
    const files = { '/here/.tinkerbell/cli.json': local, '/here/.tinkerbell/ca.pem': pem };
    const settings = resolve({}, {}, files);
    expect(settings.server.href).toBe('https://192.0.2.1:42124/');
    expect(settings).toMatchObject({
      username: 'admin',
      password: 'secret',
      ca: { pem, file: '/here/.tinkerbell/ca.pem' },
    });
  });

  it('look into the home folder after this one, and at TINK_CONFIG before both', () => {
    const at = (server: string) => JSON.stringify({ server });
    const files = {
      '/home/me/.tinkerbell/cli.json': at('http://home'),
      '/here/.tinkerbell/cli.json': at('http://here'),
      '/x.json': at('http://x'),
    };
    expect(resolve({}, {}, files).server.host).toBe('here');
    expect(resolve({}, {}, { '/home/me/.tinkerbell/cli.json': at('http://home') }).server.host).toBe('home');
    expect(resolve({}, { TINK_CONFIG: '/x.json' }, files).server.host).toBe('x');
    expect(resolve({}, { TINK_CONFIG: '../x.json' }, files).server.host).toBe('x');
    expect(() => resolve({}, { TINK_CONFIG: 'gone.json' }, files)).toThrow(
      'TINK_CONFIG names gone.json, which cannot be read',
    );
  });

  it('are overridden by the environment, and that by flags', () => {
    const env = { TINK_SERVER: 'http://env', TINK_AUTH_USERNAME: 'e', TINK_AUTH_PASSWORD: 'p' };
    expect(resolve({}, env)).toMatchObject({ username: 'e', password: 'p', source: 'TINK_SERVER' });
    expect(resolve({ server: 'http://flag', user: 'f', password: 'q' }, env)).toMatchObject({
      username: 'f',
      password: 'q',
      source: '--server',
    });
  });

  it('never give the credentials of one server to another', () => {
    const files = { '/here/.tinkerbell/cli.json': local, '/here/.tinkerbell/ca.pem': pem };
    const settings = resolve({ server: 'https://elsewhere' }, {}, files);
    expect(settings).toMatchObject({ username: '', password: '' });
    expect(settings.unusedCredentials).toContain('credentials for https://192.0.2.1:42124');
    expect(resolve({ server: 'https://192.0.2.1:42124' }, {}, files).username).toBe('admin');
  });

  it.each([
    [{ server: '192.0.2.1:42114' }, {}, '--server: "192.0.2.1:42114" is not a URL'],
    [{ server: 'ftp://x' }, {}, 'is neither http:// nor https://'],
    [{ server: 'http://[x' }, {}, 'is not a URL'],
    [{ ca: 'gone.pem' }, {}, 'the CA file gone.pem cannot be read'],
    [{ ca: 'x.pem' }, { '/here/x.pem': 'hello' }, 'holds no PEM certificate'],
    [{}, { '/here/.tinkerbell/cli.json': '{' }, '/here/.tinkerbell/cli.json is not JSON'],
    [{}, { '/here/.tinkerbell/cli.json': '[]' }, 'is not a JSON object'],
    [{}, { '/here/.tinkerbell/cli.json': '{"server":3}' }, 'server is not text'],
  ])('%j %j', (given, files, message) => {
    expect(() => resolve(given, {}, files)).toThrow(message);
  });
});
