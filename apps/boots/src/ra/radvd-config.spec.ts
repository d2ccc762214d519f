import { describe, expect, it } from 'vitest';
import { parseSubnets6, type Subnet6 } from '../dhcp6/subnet6';
import { advertisedLinks, radvdConfig } from './radvd-config';

const usual = { managed: true, other: true, onLink: true, autonomous: false, routerSeconds: 0 };
const interfaces = {
  lo: [{ address: '127.0.0.1' }, { address: '::1' }],
  br0: [{ address: '10.97.0.1' }, { address: 'fe80::1' }, { address: 'fd97::1' }],
  br1: [{ address: 'fd98::1' }],
};

function subnet(prefix: string, advertise?: Partial<Subnet6['advertise']>): Subnet6 {
  const [found] = parseSubnets6(`${prefix}=reservation`) as readonly Subnet6[];
  if (!found) throw new Error(prefix);
  return advertise ? { ...found, advertise: { ...usual, ...advertise } } : found;
}

describe('router advertisements', () => {
  it('go out where a subnet that asks for them lies', () => {
    const { links } = advertisedLinks([subnet('fd97::/64', {}), subnet('fd98::/64')], '', interfaces);
    expect(links.map(({ interface: name }) => name)).toEqual(['br0']);
  });
  it('are not sent without one', () =>
    expect(advertisedLinks([subnet('fd97::/64')], '', interfaces)).toEqual({ links: [], missing: [] }));
  it('wait for an interface with an address in the network', () => {
    const two = [subnet('fd96::/64', {}), subnet('fd97::/64', {})];
    const { links, missing } = advertisedLinks(two, '', interfaces);
    expect(links.map(({ interface: name }) => name)).toEqual(['br0']);
    expect(missing).toEqual(['fd96::/64']);
  });
  it('announce nothing without a subnet', () => {
    const text = radvdConfig(advertisedLinks([], 'br0', interfaces).links);
    expect(text).toContain('AdvDefaultLifetime 0;');
    expect(text).toContain('AdvManagedFlag off;');
    expect(text).not.toContain('prefix');
  });
  it('send hosts to DHCPv6, name no router and let nobody make an address', () =>
    expect(radvdConfig(advertisedLinks([subnet('fd97::/64', {})], 'br0', interfaces).links)).toBe(
      [
        ...['interface br0', '{', '  AdvSendAdvert on;', '  AdvManagedFlag on;', '  AdvOtherConfigFlag on;'],
        ...['  AdvDefaultLifetime 0;', '  MinRtrAdvInterval 3;', '  MaxRtrAdvInterval 10;'],
        ...['  prefix fd97::/64', '  {', '    AdvOnLink on;', '    AdvAutonomous off;', '  };', '};', ''],
      ].join('\n'),
    ));
  it('say of a link what any of its subnets needs', () => {
    const two = [subnet('fd97::/64', { managed: false, routerSeconds: 600 }), subnet('fd00::/8', { other: false })];
    const text = radvdConfig(advertisedLinks(two, '', interfaces).links);
    expect(text.match(/interface/g)).toHaveLength(1);
    for (const line of ['AdvManagedFlag on;', 'AdvOtherConfigFlag on;', 'AdvDefaultLifetime 600;', 'prefix fd00::/8']) {
      expect(text).toContain(line);
    }
  });
});
