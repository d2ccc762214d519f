import type { Catalogue, Event, JsonObject } from './event';
import { hardwareV1 } from './upcasters/hardware.v1';
import { hardwareV2 } from './upcasters/hardware.v2';
import { hardwareV3 } from './upcasters/hardware.v3';

export interface HardwareIp {
  readonly address: string;
  readonly netmask: string;
  readonly gateway: string;
  readonly family: number;
}

/** A DHCP option by number, its value in words; it takes the place of what would have been sent under that number. */
export type HardwareDhcpOption = { readonly code: number } & (
  | { readonly type: 'ip' | 'text' | 'hex'; readonly value: string }
  | { readonly type: 'ips' | 'domains'; readonly value: readonly string[] }
  | { readonly type: 'uint8' | 'uint16' | 'uint32'; readonly value: number }
  | { readonly type: 'boolean'; readonly value: boolean }
  /** RFC 3442; `destination` as `10.0.0.0/8`. */
  | { readonly type: 'routes'; readonly value: readonly { readonly destination: string; readonly router: string }[] }
);

/** The same of DHCPv6. */
export type HardwareDhcp6Option = { readonly code: number } & (
  | { readonly type: 'ip' | 'text' | 'hex'; readonly value: string }
  | { readonly type: 'ips' | 'domains'; readonly value: readonly string[] }
  /** Time servers by address, multicast address or name: the option once for each (RFC 5908). */
  | { readonly type: 'ntp'; readonly value: readonly string[] }
  | { readonly type: 'uint8' | 'uint16' | 'uint32'; readonly value: number }
  | { readonly type: 'boolean'; readonly value: boolean }
);

/** One interface's reservation. Keys as in the hardware JSON that users push; `mac` is `aa-bb-cc-dd-ee-ff`. */
export interface HardwareDhcp {
  readonly mac: string;
  readonly hostname: string;
  /** Seconds. */
  readonly lease_time: number;
  readonly name_servers: readonly string[];
  readonly time_servers: readonly string[];
  readonly arch: string;
  readonly uefi: boolean;
  readonly iface_name: string;
  readonly domain_name: string;
  readonly ip: HardwareIp | null;
  /** 802.1Q tag that the machine's frames need; 0: none. */
  readonly vlan_id: number;
  /** Each code once. */
  readonly options: readonly HardwareDhcpOption[];
  readonly options6: readonly HardwareDhcp6Option[];
}

export interface HardwareNetboot {
  readonly allow_pxe: boolean;
  readonly allow_workflow: boolean;
  /** `url`/`contents`: a custom iPXE script; `binary`: network boot program offered instead of the one for the architecture. */
  readonly ipxe: { readonly url: string; readonly contents: string; readonly binary: string };
  readonly osie: {
    readonly base_url: string;
    readonly kernel: string;
    readonly initrd: string;
    /** Further words of the kernel command line. */
    readonly kernel_params: readonly string[];
    /** `ttyS1,115200`; '' for the architecture's usual one. */
    readonly console: string;
  };
  /** Boot the in-memory OS with a shell on its console and without a worker, whatever the workflows say. */
  readonly rescue: boolean;
}

export interface HardwareInterface {
  readonly dhcp: HardwareDhcp;
  readonly netboot: HardwareNetboot;
}

export interface HardwareRecord {
  readonly id: string;
  readonly version: number;
  /** Free-form; hegel serves it. */
  readonly metadata: JsonObject;
  readonly network: { readonly interfaces: readonly HardwareInterface[] };
}

/** Opens the stream, or opens it again after a deletion. v1 had no DHCP options; v2 no VLAN, kernel arguments, console and rescue; v3 no options of DHCPv6. */
export type HardwareRegistered = Event<'HardwareRegistered', 4, { hardware: HardwareRecord }>;
export type HardwareUpdated = Event<'HardwareUpdated', 4, { hardware: HardwareRecord }>;
export type HardwareDeleted = Event<'HardwareDeleted', 1, Record<string, never>>;

export type HardwareEvent = HardwareRegistered | HardwareUpdated | HardwareDeleted;

export const hardwareCatalogue = {
  HardwareRegistered: { version: 4, upcast: { 1: hardwareV1, 2: hardwareV2, 3: hardwareV3 } },
  HardwareUpdated: { version: 4, upcast: { 1: hardwareV1, 2: hardwareV2, 3: hardwareV3 } },
  HardwareDeleted: { version: 1 },
} satisfies Catalogue<HardwareEvent>;
