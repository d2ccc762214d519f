import { RouterAdvertisementError, SettingFileError } from '@tinkerbell/boots';
import { NatsServerNotFoundError, NatsServerStartError } from '@tinkerbell/nats';
import { RegistryError } from '@tinkerbell/registry';
import { describe, expect, it } from 'vitest';
import { DataFolderInUseError } from './data-folder';
import { explain } from './start-error';
import { TinkerbellConfig } from './tinkerbell.config';

const config = new TinkerbellConfig();

describe('errors at the start', () => {
  it.each([
    DataFolderInUseError,
    NatsServerNotFoundError,
    NatsServerStartError,
    RegistryError,
    RouterAdvertisementError,
    SettingFileError,
  ])('%o speaks for itself', (Kind) => expect(explain(new Kind('do this'), config)).toBe('do this'));

  it.each([
    ['listen EACCES: permission denied 0.0.0.0:80', /0\.0\.0\.0:80: permission denied.*root.*--http-port/],
    ['listen EADDRINUSE: address already in use 0.0.0.0:50061', /:50061: the port is taken.*--hegel-port/],
    ['bind EADDRINUSE 192.0.2.1:67', /192\.0\.2\.1:67: the port is taken.*--dhcp-port/],
    ['bind EADDRNOTAVAIL 192.0.2.1:67', /does not have that address.*--ip/],
    ['No address added: [listen EADDRINUSE: address already in use 127.0.0.1:42113]', /--grpc-port/],
  ])('names the port and the flag: %s', (message, expected) => {
    expect(explain(new Error(message), config)).toMatch(expected);
    expect(explain(new Error('cannot listen', { cause: new Error(message) }), config)).toMatch(expected);
  });

  it('reads what nats-server says', () => {
    const log = 'nats-server ended early with 1:\n[FTL] "listen tcp 127.0.0.1:4222: bind: address already in use"';
    expect(explain(new NatsServerStartError(log), config)).toMatch(/127\.0\.0\.1:4222: the port is taken.*--nats-port/);
  });

  it('leaves alone what nobody expected', () => {
    expect(explain(new TypeError('x is not a function'), config)).toBeUndefined();
  });
});
