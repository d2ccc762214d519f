import { ipv4Bytes } from '@tinkerbell/dhcp';

/** `reservation`: addresses and boot files; `proxy`: boot files only, beside another DHCP server; `off`: nothing. */
export type DhcpMode = 'reservation' | 'proxy' | 'off';

export const dhcpModes: readonly DhcpMode[] = ['reservation', 'proxy', 'off'];

export interface Subnet {
  /** `10.1.0.0/16`, or what the settings call it. */
  readonly name: string;
  /** First address. */
  readonly address: string;
  readonly prefix: number;
  readonly mode: DhcpMode;
}

/** What is to be done where. */
export interface ModeRules {
  /** Where no subnet says otherwise. */
  readonly mode: DhcpMode;
  readonly subnets: readonly Subnet[];
}

/** The smallest subnet with this address. */
export function subnetOf(address: string, { subnets }: ModeRules): Subnet | undefined {
  const around = subnets.filter((subnet) => isWithin(address, subnet.address, subnet.prefix));
  return around.reduce<Subnet | undefined>(
    (best, next) => (best && best.prefix >= next.prefix ? best : next),
    undefined,
  );
}

export function modeAt(address: string, rules: ModeRules): DhcpMode {
  return subnetOf(address, rules)?.mode ?? rules.mode;
}

export function mayProxy({ mode, subnets }: ModeRules): boolean {
  return mode === 'proxy' || subnets.some((subnet) => subnet.mode === 'proxy');
}

export function isWithin(address: string, network: string, prefix: number): boolean {
  const size = 2 ** (32 - prefix);
  return Math.floor(numberOf(address) / size) === Math.floor(numberOf(network) / size);
}

/** Both on the network that this netmask makes. */
export function isSameNetwork(one: string, other: string, netmask: string): boolean {
  const [a, b, mask] = [ipv4Bytes(one), ipv4Bytes(other), ipv4Bytes(netmask)];
  return mask.every((byte, i) => ((a[i] ?? 0) & byte) === ((b[i] ?? 0) & byte));
}

function numberOf(address: string): number {
  return ipv4Bytes(address).reduce((sum, byte) => sum * 256 + byte, 0);
}
