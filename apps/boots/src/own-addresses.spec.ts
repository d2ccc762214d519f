import { ConfigError, loadConfig } from '@tinkerbell/config';
import { describe, expect, it } from 'vitest';
import { BootsConfig } from './boots.config';
import { ownAddresses, ownAddressFor, settingsAt } from './own-addresses';
import { scriptSettings } from './settings';

const load = (settings: Readonly<Record<string, string>>) =>
  loadConfig(BootsConfig, { PUBLIC_IP: '10.0.0.1', TINK_CA_SHA256: 'ab'.repeat(32), ...settings });
const own = ['10.0.0.1', '10.2.0.1'];
const on = (address: string) => [
  { address, netmask: '255.255.255.0', mac: '02:00:00:00:00:01', internal: false, family: 'IPv4' as const, cidr: null },
];
const interfaces = { eth0: on('10.0.0.1'), 'eth1.100': on('10.2.0.1'), eth2: on('10.3.0.1') };

describe('the addresses of boots', () => {
  it('are PUBLIC_IP and those on other wires', () => {
    expect(ownAddresses(load({}))).toEqual(['10.0.0.1']);
    expect(ownAddresses(load({ BOOTS_FURTHER_IPS: '10.2.0.1, 10.3.0.1' }))).toEqual([...own, '10.3.0.1']);
  });
  it('are told to machines as if there were no other', () => {
    const at = settingsAt(load({ BOOTS_FURTHER_IPS: '10.2.0.1' }), '10.2.0.1');
    expect([at.PUBLIC_IP, ownAddresses(at)]).toEqual(['10.2.0.1', ['10.2.0.1']]);
  });
  it.each([
    ['10.2.0.5', '10.2.0.1'],
    ['10.0.0.5', '10.0.0.1'],
    ['10.3.0.5', '10.0.0.1'],
    ['192.0.2.5', '10.0.0.1'],
  ])('a machine at %s reaches %s', (machine, near) => expect(ownAddressFor(machine, own, interfaces)).toBe(near));
  it('leave tink-server where it is', () => {
    const config = load({ PUBLIC_IP: '192.0.2.1', BOOTS_FURTHER_IPS: '127.0.0.1' });
    const ports = { http: 80, syslog: 514 };
    const { bootsUrl, tinkServerUrl } = scriptSettings(config, ports, '127.0.0.5', {
      mode: 'reservation',
      subnets: [],
    });
    expect([bootsUrl, tinkServerUrl]).toEqual(['http://127.0.0.1', 'https://192.0.2.1:42124']);
  });
  it.each([
    [{ BOOTS_FURTHER_IPS: '10.0.0.1' }, 'BOOTS_FURTHER_IPS: 10.0.0.1 is there twice, or is PUBLIC_IP'],
    [{ BOOTS_FURTHER_IPS: '10.2.0.1,10.2.0.1' }, 'BOOTS_FURTHER_IPS: 10.2.0.1 is there twice'],
    [{ BOOTS_FURTHER_IPS: '10.2.0.1', BOOTS_HTTP_ADDRESS: '10.0.0.1' }, 'BOOTS_HTTP_ADDRESS is 10.0.0.1'],
  ])('%j are refused', (settings, why) => expect(() => ownAddresses(load(settings))).toThrow(why));
  it('are addresses', () => expect(() => load({ BOOTS_FURTHER_IPS: 'eth1' })).toThrow(ConfigError));
});
