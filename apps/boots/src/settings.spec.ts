import { ConfigError, loadConfig } from '@tinkerbell/config';
import { describe, expect, it } from 'vitest';
import { BootsConfig } from './boots.config';
import { dhcpModes, dhcpPorts } from './settings';

const load = (settings: Readonly<Record<string, string>>) =>
  loadConfig(BootsConfig, { PUBLIC_IP: '10.0.0.1', TINK_CA_SHA256: 'ab'.repeat(32), ...settings });

function portsOf(settings: Readonly<Record<string, string>>) {
  const config = load(settings);
  return dhcpPorts(config, dhcpModes(config));
}

describe('where boots gives out addresses', () => {
  it('everywhere, unless it is told otherwise', () =>
    expect(dhcpModes(load({}))).toEqual({ mode: 'reservation', subnets: [] }));
  it('nowhere without DHCP', () =>
    expect(dhcpModes(load({ BOOTS_DHCP: 'false', BOOTS_DHCP_SUBNETS: '10.0.0.0/8=proxy' }))).toEqual({
      mode: 'off',
      subnets: [],
    }));
  it('by subnet', () =>
    expect(
      dhcpModes(load({ BOOTS_DHCP_MODE: 'off', BOOTS_DHCP_SUBNETS: '10.1.0.0/16=proxy,0.0.0.0/0=reservation' })),
    ).toEqual({
      mode: 'off',
      subnets: [
        { name: '10.1.0.0/16', address: '10.1.0.0', prefix: 16, mode: 'proxy' },
        { name: '0.0.0.0/0', address: '0.0.0.0', prefix: 0, mode: 'reservation' },
      ],
    }));
  it('opens port 4011 for a proxy only', () => {
    expect(portsOf({}).pxePort).toBeUndefined();
    expect(portsOf({ BOOTS_DHCP_MODE: 'proxy' }).pxePort).toBe(4011);
    expect(portsOf({ BOOTS_DHCP_SUBNETS: '10.1.0.0/16=proxy' }).pxePort).toBe(4011);
  });
  it.each([
    ['BOOTS_DHCP_MODE', 'auto'],
    ['BOOTS_DHCP_SUBNETS', '10.1.0.0=proxy'],
    ['BOOTS_DHCP_SUBNETS', '10.1.0.0/33=proxy'],
    ['BOOTS_DHCP_SUBNETS', '10.1.0.256/16=proxy'],
    ['BOOTS_DHCP_SUBNETS', '10.1.0.0/16=pool'],
    ['BOOTS_DHCP_SUBNETS', '10.1.0.0/16=proxy,'],
    ['BOOTS_DHCP_PXE_PORT', '0'],
  ])('refuses %s=%s', (name, value) => {
    expect(() => load({ [name]: value })).toThrow(ConfigError);
    expect(() => load({ [name]: value })).toThrow(name);
  });
});
