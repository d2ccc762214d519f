import { ConfigError, loadConfig } from '@tinkerbell/config';
import { describe, expect, it } from 'vitest';
import { BootsConfig } from './boots.config';
import { discoversAt } from './dhcp/dhcp-mode';
import { parseSubnets6, type Subnet6 } from './dhcp6/subnet6';
import {
  asksForServers,
  dhcp6Ports,
  dhcp6Settings,
  dhcpModes,
  scriptSettings,
  subnets6,
  tftp6Ports,
  tftpPorts,
} from './settings';

const load = (settings: Readonly<Record<string, string>>) =>
  loadConfig(BootsConfig, { PUBLIC_IP: '10.0.0.1', TINK_CA_SHA256: 'ab'.repeat(32), ...settings });

const ports = { http: 80, syslog: 514 };

describe('where boots gives out addresses', () => {
  it('everywhere, unless it is told otherwise', () =>
    expect(dhcpModes(load({}))).toEqual({ mode: 'reservation', subnets: [], discovery: false }));
  it('nowhere without DHCP', () =>
    expect(dhcpModes(load({ BOOTS_DHCP: 'false', BOOTS_DHCP_SUBNETS: '10.0.0.0/8=proxy' }))).toEqual({
      ...{ mode: 'off', subnets: [], discovery: false },
    }));
  it('by subnet', () =>
    expect(
      dhcpModes(load({ BOOTS_DHCP_MODE: 'off', BOOTS_DHCP_SUBNETS: '10.1.0.0/16=proxy,0.0.0.0/0=reservation' })),
    ).toEqual({
      ...{ mode: 'off', discovery: false },
      subnets: [
        { name: '10.1.0.0/16', address: '10.1.0.0', prefix: 16, mode: 'proxy' },
        { name: '0.0.0.0/0', address: '0.0.0.0', prefix: 0, mode: 'reservation' },
      ],
    }));
  it('boots machines without a record where the site or the subnet wants that, and beside another server always', () => {
    const subnets = [
      { name: 'yes', address: '10.1.0.0', prefix: 24, mode: 'pool', discovery: true },
      { name: 'no', address: '10.2.0.0', prefix: 24, mode: 'pool', discovery: false },
    ] as const;
    const where = (settings: Readonly<Record<string, string>>) => {
      const modes = dhcpModes(load(settings), { classes: [], subnets });
      return ['10.1.0.9', '10.2.0.9', '10.3.0.9', '10.4.0.9'].map((address) => discoversAt(address, modes));
    };
    const auto = { BOOTS_DHCP_SUBNETS: '10.4.0.0/24=auto-proxy' };
    expect(where(auto)).toEqual([true, false, false, true]);
    expect(where({ ...auto, BOOTS_DISCOVERY: 'true' })).toEqual([true, false, true, true]);
  });
  it('asks for other servers where none is expected', () => {
    const asks = (settings: Readonly<Record<string, string>>) =>
      asksForServers(load(settings), dhcpModes(load(settings)));
    expect(asks({})).toBe(true);
    expect(asks({ BOOTS_DHCP_ASK: 'false' })).toBe(false);
    expect(asks({ BOOTS_DHCP_MODE: 'auto-proxy' })).toBe(false);
    expect(asks({ BOOTS_DHCP_SUBNETS: '10.0.0.0/24=off' })).toBe(false);
    expect(asks({ BOOTS_DHCP_PORT: '6767' })).toBe(false);
  });
  it.each([
    ['BOOTS_DHCP_MODE', 'auto'],
    ['BOOTS_DHCP_SUBNETS', '10.1.0.0=proxy'],
    ['BOOTS_DHCP_SUBNETS', '10.1.0.0/33=proxy'],
    ['BOOTS_DHCP_SUBNETS', '10.1.0.256/16=proxy'],
    ['BOOTS_DHCP_SUBNETS', '10.1.0.0/16=pool'],
    ['BOOTS_DHCP_SUBNETS', '10.1.0.0/16=proxy,'],
    ['BOOTS_DHCP_PXE_PORT', '0'],
    ['BOOTS_POOL', 'lab.1'],
    ['BOOTS_POOL', 'lab-v6'],
  ])('refuses %s=%s', (name, value) => {
    expect(() => load({ [name]: value })).toThrow(ConfigError);
    expect(() => load({ [name]: value })).toThrow(name);
  });
});

describe('DHCPv6', () => {
  const bound = { tftp: 69, http: 80, https: undefined, syslog: undefined };
  it('is off, unless it is told otherwise', () => expect(load({}).BOOTS_DHCP6).toBe(false));
  it('hands out URLs that firmware can read', () => {
    const config = load({ PUBLIC_IP6: 'fd99::1', DNS6_SERVERS: 'fd99::53, FD99:0::54' });
    const { urls, nameServers } = dhcp6Settings(config, bound);
    expect([urls.tftp, urls.http]).toEqual(['[fd99::1]', 'http://[fd99::1]']);
    expect(nameServers).toEqual(['fd99::53', 'fd99::54']);
    const other = dhcp6Settings(config, { ...bound, tftp: 6969, http: 8080 }).urls;
    expect([other.tftp, other.http]).toEqual(['[fd99::1]:6969', 'http://[fd99::1]:8080']);
  });
  it('has the subnets of the settings and of the file, each once', () => {
    const file = parseSubnets6('fd98::/64=reservation') as readonly Subnet6[];
    const names = (text: string) => subnets6(load({ BOOTS_DHCP6_SUBNETS: text }), file).map(({ name }) => name);
    expect(names('fd99::/64=reservation')).toEqual(['fd99::/64', 'fd98::/64']);
    expect(() => names('fd98::/64=fd98::a000/116')).toThrow('fd98::/64 is there twice');
  });
  it('finds the interface by its address, which may be there later', () => {
    expect(dhcp6Ports(load({ PUBLIC_IP6: '::1' })).interfaces()).toEqual(['lo']);
    expect(dhcp6Ports(load({ BOOTS_DHCP6_INTERFACES: 'eth0,eth1' })).interfaces()).toEqual(['eth0', 'eth1']);
    expect(dhcp6Ports(load({ PUBLIC_IP6: '2001:db8::1' })).interfaces()).toEqual([]);
    expect(() => dhcp6Ports(load({}))).toThrow('BOOTS_DHCP6 needs PUBLIC_IP6');
  });
  it('asks machines that have their address from it for their ticket, whoever does DHCPv4', () => {
    const scripts = (settings: Readonly<Record<string, string>>) => {
      const config = load({ PUBLIC_IP6: '2001:db8::1', BOOTS_DHCP: 'false', ...settings });
      return scriptSettings(config, ports, '2001:db8::5', dhcpModes(config));
    };
    expect(scripts({ BOOTS_DHCP6: 'true' }).needsTicket('2001:db8::5')).toBe(true);
    expect(scripts({ BOOTS_DHCP6: 'true' }).hasDhcp('2001:db8::5')).toBe(true);
    expect(scripts({ BOOTS_DHCP6: 'true' }).needsTicket('10.0.0.5')).toBe(false);
    expect(scripts({}).hasDhcp('2001:db8::5')).toBe(false);
  });
  it('sends machines to tink-server by their own family', () => {
    const given = { PUBLIC_IP6: '2001:db8::1', TINK_SERVER_URL: 'https://tink.example' };
    const urlFor = (address: string, more: Readonly<Record<string, string>> = {}) => {
      const config = load({ ...given, ...more });
      return scriptSettings(config, ports, address, dhcpModes(config)).tinkServerUrl;
    };
    expect(urlFor('2001:db8::5')).toBe('https://tink.example');
    const own = { TINK_SERVER_URL6: 'https://[2001:db8::1]:8443' };
    expect(urlFor('2001:db8::5', own)).toBe('https://[2001:db8::1]:8443');
    expect(urlFor('10.0.0.5', own)).toBe('https://tink.example');
    expect(urlFor('2001:db8::5', { TINK_SERVER_URL: '' })).toBe('https://[2001:db8::1]:42124');
  });
  it('tells each family where its log goes', () => {
    const logServer = (address: string, syslog: number | undefined, more: Readonly<Record<string, string>> = {}) => {
      const config = load({ PUBLIC_IP6: '2001:db8::1', ...more });
      return scriptSettings(config, { http: 80, syslog }, address, dhcpModes(config)).logServer;
    };
    expect(logServer('2001:db8::5', 514)).toBe('[2001:db8::1]');
    expect(logServer('2001:db8::5', 1514)).toBe('[2001:db8::1]:1514');
    expect(logServer('10.0.0.5', 1514)).toBe('10.0.0.1:1514');
    expect(logServer('2001:db8::5', undefined)).toBe('');
    const sites = { PUBLIC_SYSLOG_IP: '10.0.0.9,10.0.0.8' };
    expect(logServer('10.0.0.5', undefined, sites)).toBe('10.0.0.9');
    expect(logServer('2001:db8::5', 514, sites)).toBe('[2001:db8::1]');
  });
  it('gives no IPv6 addresses out without DHCPv6, whatever it does by IPv4', () => {
    const config = load({ PUBLIC_IP6: '2001:db8::1' });
    const { hasDhcp } = scriptSettings(config, ports, '2001:db8::5', dhcpModes(config));
    expect([hasDhcp('2001:db8::5'), hasDhcp('10.0.0.5')]).toEqual([false, true]);
  });
  it.each([
    ['PUBLIC_IP6', '10.0.0.1', 'PUBLIC_IP6'],
    ['BOOTS_DHCP6', 'yes', 'BOOTS_DHCP6'],
    ['BOOTS_DHCP6_INTERFACES', 'eth 0', 'BOOTS_DHCP6_INTERFACES'],
    ['BOOTS_DHCP6_SUBNETS', 'fd99::/64=fd98::/112', 'range of fd99::/64: fd98::/112 is not inside'],
    ['BOOTS_DHCP6_PREFERENCE', '256', 'BOOTS_DHCP6_PREFERENCE'],
    ['DNS6_SERVERS', 'dns.example', 'DNS6_SERVERS'],
  ])('refuses %s=%s', (name, value, text) => {
    expect(() => load({ [name]: value })).toThrow(ConfigError);
    expect(() => load({ [name]: value })).toThrow(text);
  });
});

it.each([
  ['1468', 1468, 1448],
  ['512', 512, 512],
])('blocks of TFTP fit into one frame by either family: %s', (text, by4, by6) => {
  const config = load({ PUBLIC_IP6: '2001:db8::1', BOOTS_TFTP_MAX_BLOCK_SIZE: text });
  const sizes = [tftpPorts(config, undefined), tftp6Ports(config, 69)].map(({ limits }) => limits.maxBlockSize);
  expect(sizes).toEqual([by4, by6]);
});

it.each([
  [{ BOOTS_FURTHER_IPS: '10.2.0.256' }, 'must be IPv4 addresses separated by commas, such as 10.2.0.1,10.3.0.1'],
  [
    { BOOTS_DHCP_SUBNETS: '10.1.0.0/33=off' },
    'must be networks with a mode (reservation, proxy, auto-proxy, off), such as',
  ],
  [{ BOOTS_DHCP_MODE: 'pool' }, 'must be reservation, proxy, auto-proxy or off (pools are in BOOTS_DHCP_FILE)'],
  [{ BOOTS_ARCH_BINARIES: 'x86=ipxe.efi' }, 'must be architectures with a program, such as 16=snp-x86_64.efi'],
  [{ TINK_SERVER_URL: 'here' }, 'must be a URL of http or https without a slash at its end'],
  [{ TINK_CA_SHA256: '' }, 'TINK_CA_SHA256 is not set: TINK_CA_SHA256 must be the SHA-256 of a certificate'],
])('%j is refused in words, not by a pattern', (settings: Record<string, string>, text) => {
  expect(() => load(settings)).toThrow(text);
  expect(() => load(settings)).not.toThrow('regular expression');
});
