import type { Catalogue, Event, JsonObject } from './event';

export interface HardwareIp {
  readonly address: string;
  readonly netmask: string;
  readonly gateway: string;
  readonly family: number;
}

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
}

export interface HardwareNetboot {
  readonly allow_pxe: boolean;
  readonly allow_workflow: boolean;
  /** `url`/`contents`: a custom iPXE script; `binary`: network boot program offered instead of the one for the architecture. */
  readonly ipxe: { readonly url: string; readonly contents: string; readonly binary: string };
  readonly osie: { readonly base_url: string; readonly kernel: string; readonly initrd: string };
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

/** Opens the stream, or opens it again after a deletion. */
export type HardwareRegistered = Event<'HardwareRegistered', 1, { hardware: HardwareRecord }>;
export type HardwareUpdated = Event<'HardwareUpdated', 1, { hardware: HardwareRecord }>;
export type HardwareDeleted = Event<'HardwareDeleted', 1, Record<string, never>>;

export type HardwareEvent = HardwareRegistered | HardwareUpdated | HardwareDeleted;

export const hardwareCatalogue = {
  HardwareRegistered: { version: 1 },
  HardwareUpdated: { version: 1 },
  HardwareDeleted: { version: 1 },
} satisfies Catalogue<HardwareEvent>;
