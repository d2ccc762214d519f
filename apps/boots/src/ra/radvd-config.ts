import type { Advertisement, Subnet6 } from '../dhcp6/subnet6';
import { addressText, isWithin6 } from '../dhcp6/subnet6';

/** What one interface advertises; without subnets: that there is no router, and nothing else. */
export interface AdvertisedLink {
  readonly interface: string;
  readonly subnets: readonly AdvertisedSubnet[];
}

type AdvertisedSubnet = Subnet6 & { readonly advertise: Advertisement };

/** As `os.networkInterfaces()` has them. */
export type Interfaces = Readonly<Record<string, readonly { readonly address: string }[] | undefined>>;

export interface Advertised {
  readonly links: readonly AdvertisedLink[];
  /** Names of subnets that no interface which is up has an address in. */
  readonly missing: readonly string[];
}

/** Where each subnet that is to be advertised lies, and `bare`, an interface that is to advertise nothing, '' for none. */
export function advertisedLinks(subnets: readonly Subnet6[], bare: string, interfaces: Interfaces): Advertised {
  const links = new Map<string, AdvertisedSubnet[]>(bare === '' ? [] : [[bare, []]]);
  const missing: string[] = [];
  for (const { advertise, ...subnet } of subnets) {
    if (!advertise) continue;
    const name = Object.keys(interfaces).find((key) =>
      interfaces[key]?.some(({ address }) => address.includes(':') && isWithin6(subnet, address)),
    );
    if (name === undefined) missing.push(subnet.name);
    else links.set(name, [...(links.get(name) ?? []), { ...subnet, advertise }]);
  }
  return { links: [...links].map(([name, found]) => ({ interface: name, subnets: found })), missing };
}

/**
 * The flags and the lifetime are of the link: they are on where one of its subnets wants them. Without any this announces nothing: no
 * prefix, no default route. iPXE of 2019 waits 13 s for one before it gives IPv6 up; so it knows at once that there is none.
 */
export function radvdConfig(links: readonly AdvertisedLink[]): string {
  return links.map(({ interface: name, subnets }) => linkConfig(name, subnets)).join('\n');
}

function linkConfig(name: string, subnets: readonly AdvertisedSubnet[]): string {
  const any = (key: 'managed' | 'other') => word(subnets.some(({ advertise }) => advertise[key]));
  const lifetime = Math.max(0, ...subnets.map(({ advertise }) => advertise.routerSeconds));
  return [
    `interface ${name}`,
    '{',
    '  AdvSendAdvert on;',
    `  AdvManagedFlag ${any('managed')};`,
    `  AdvOtherConfigFlag ${any('other')};`,
    `  AdvDefaultLifetime ${lifetime};`,
    '  MinRtrAdvInterval 3;',
    '  MaxRtrAdvInterval 10;',
    ...subnets.flatMap(prefixConfig),
    '};',
    '',
  ].join('\n');
}

function prefixConfig({ prefix, length, advertise }: AdvertisedSubnet): readonly string[] {
  return [
    `  prefix ${addressText(prefix)}/${length}`,
    '  {',
    `    AdvOnLink ${word(advertise.onLink)};`,
    `    AdvAutonomous ${word(advertise.autonomous)};`,
    '  };',
  ];
}

function word(isOn: boolean): string {
  return isOn ? 'on' : 'off';
}
