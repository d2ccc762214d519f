import { ConfigError } from '@tinkerbell/config';
import { describe, expect, it } from 'vitest';
import { onlyAddress, readOptions, usage, UsageError } from './up.options';

const ipv4 = (address: string, internal = false) => ({
  address,
  internal,
  family: 'IPv4' as const,
  netmask: '255.255.255.0',
  mac: '00:00:00:00:00:00',
  cidr: null,
});

describe('options of tinkerbell up', () => {
  it('takes a flag over the environment over the default', () => {
    const env = { TINKERBELL_HTTP_PORT: '8080', TINKERBELL_HEGEL_PORT: '1234' };
    expect(readOptions(['--http-port', '9090', '--no-dhcp'], env)).toMatchObject({
      HTTP_PORT: 9090,
      HEGEL_PORT: 1234,
      TFTP_PORT: 69,
      DHCP: false,
    });
  });

  it('names an unknown flag', () => {
    expect(() => readOptions(['--http-prot', '1'], {})).toThrow(UsageError);
    expect(() => readOptions(['--http-prot', '1'], {})).toThrow(/--http-prot/);
  });

  it('reports every fault at once', () => {
    const read = () => readOptions(['--http-port', '70000', '--ip', 'here'], {});
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/HTTP_PORT=70000/);
    expect(read).toThrow(/IP=here/);
  });

  it('does not send router advertisements to nowhere', () => {
    expect(() => readOptions(['--router-advertisements'], {})).toThrow(UsageError);
    expect(() => readOptions([], { TINKERBELL_ROUTER_ADVERTISEMENTS: 'true' })).toThrow(/--interface/);
    expect(readOptions(['--router-advertisements', '--interface', 'br0'], {})).toMatchObject({ INTERFACE: 'br0' });
  });

  it('finds what setup made in the repository, and what it is told where it is told', () => {
    expect(readOptions(['--actions-dir', 'mine'], {}, '/srv/tink')).toMatchObject({
      OSIE_DIR: '/srv/tink/.cache/osie/current',
      IPXE_DIR: expect.stringMatching(/^\/srv\/tink\/\.cache\/ipxe\S*:\/srv\/tink\/\.cache\/shim/) as string,
      ACTIONS_DIR: 'mine',
      DATA: '.tinkerbell',
    });
  });

  it('describes every flag', () => {
    expect(usage()).toMatch(/--ip VALUE .*\(default this host's only one\)/);
    expect(usage()).toMatch(/--data VALUE +folder .*default \.tinkerbell/);
    expect(readOptions(['--help'], {})).toBe('help');
  });

  it('announces the only address of the host, and asks when there are several', () => {
    expect(onlyAddress({ lo: [ipv4('127.0.0.1', true)], eth0: [ipv4('192.0.2.1')] })).toBe('192.0.2.1');
    expect(() => onlyAddress({ eth0: [ipv4('192.0.2.1')], eth1: [ipv4('198.51.100.1')] })).toThrow(
      /--ip 198\.51\.100\.1 +\(eth1\)/,
    );
    expect(onlyAddress({ lo: [ipv4('127.0.0.1', true)] })).toBe('127.0.0.1');
  });
});
