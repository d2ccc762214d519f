import { ipv4Bytes } from '@tinkerbell/dhcp';
import { numberOf, type PoolSpec } from '@tinkerbell/domain';
import type { HardwareDhcpOption } from '@tinkerbell/events';
import type { ClientClass } from './client-class';

/**
 * `reservation`: addresses and boot files for machines with a record; `pool`: addresses for everybody; `proxy`: boot files only, beside
 * another DHCP server; `auto-proxy`: for machines without a record too; `off`: nothing.
 */
export type DhcpMode = 'reservation' | 'pool' | 'proxy' | 'auto-proxy' | 'off';

export const dhcpModes: readonly DhcpMode[] = ['reservation', 'pool', 'proxy', 'auto-proxy', 'off'];

export interface Subnet {
  /** `10.1.0.0/16`, or what the settings call it. */
  readonly name: string;
  /** First address. */
  readonly address: string;
  readonly prefix: number;
  readonly mode: DhcpMode;
  /** Subnets of the same name are on one wire. */
  readonly network?: string;
  /** Whether machines without a record boot here; without it: as for all. */
  readonly discovery?: boolean;
  /** In modes `pool` and `reservation`. */
  readonly given?: SubnetOptions;
  /** Only in mode `pool`. */
  readonly pooled?: PooledSubnet;
}

/** What clients are told beside their address, where nothing nearer to them says it. */
export interface SubnetOptions {
  readonly leaseSeconds?: number;
  readonly router: string;
  readonly nameServers: readonly string[];
  readonly timeServers: readonly string[];
  readonly domain: string;
  readonly options: readonly HardwareDhcpOption[];
}

/** What clients without a reservation get. */
export interface PooledSubnet extends SubnetOptions {
  readonly pools: readonly (PoolSpec & { readonly classes: readonly string[] })[];
  readonly leaseSeconds: number;
  /** Of an address that somebody else was found on. */
  readonly quarantineSeconds: number;
  /** What a client is known by: its own id when it has one (RFC 2131 §4.2), or its MAC, whatever it boots. */
  readonly identity: 'client-id' | 'mac';
  /** Ask whether somebody has an address before it is offered. */
  readonly probe: boolean;
}

/** What is to be done where. */
export interface ModeRules {
  /** Where no subnet says otherwise. */
  readonly mode: DhcpMode;
  readonly subnets: readonly Subnet[];
  readonly classes?: readonly ClientClass[];
  /** Whether machines without a record boot, where no subnet says otherwise. */
  readonly discovery?: boolean;
}

/** The smallest subnet with this address. */
export function subnetOf(address: string, { subnets }: Pick<ModeRules, 'subnets'>): Subnet | undefined {
  let best: Subnet | undefined;
  for (const next of subnets) {
    if ((best === undefined || best.prefix < next.prefix) && isWithin(address, next.address, next.prefix)) best = next;
  }
  return best;
}

/** All subnets on the wire that this address is on, its own first. */
export function wireOf(address: string, rules: Pick<ModeRules, 'subnets'>): readonly Subnet[] {
  const own = subnetOf(address, rules);
  if (!own) return [];
  const { network } = own;
  if (network === undefined) return [own];
  return [own, ...rules.subnets.filter((subnet) => subnet !== own && subnet.network === network)];
}

export function modeAt(address: string, rules: ModeRules): DhcpMode {
  return subnetOf(address, rules)?.mode ?? rules.mode;
}

/** Whether a machine without a record boots at this address: auto-proxy is there for nothing else. */
export function discoversAt(address: string, rules: ModeRules): boolean {
  const discovers = subnetOf(address, rules)?.discovery ?? rules.discovery;
  return modeAt(address, rules) === 'auto-proxy' || discovers === true;
}

/** Whether only boot files are ours, and the address another server's. */
export function isProxy(mode: DhcpMode): boolean {
  return mode === 'proxy' || mode === 'auto-proxy';
}

/** Whether addresses are ours. */
export function isGiver(mode: DhcpMode): boolean {
  return mode === 'reservation' || mode === 'pool';
}

export function mayProxy({ mode, subnets }: ModeRules): boolean {
  return isProxy(mode) || subnets.some((subnet) => isProxy(subnet.mode));
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
