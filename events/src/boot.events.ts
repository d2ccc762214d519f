import type { Catalogue, Event } from './event';
import {
  bootFileServedV1,
  bootScriptServedV1,
  bootScriptServedV2,
  netbootOfferedV1,
  netbootOfferedV2,
  osieStartedV1,
} from './upcasters/boot.v1';

/**
 * One stream per network interface, id = MAC: every step of a machine's way from its firmware to its own disk. `hardwareId` is null for a
 * machine without a record.
 */
interface Seen {
  readonly hardwareId: string | null;
  readonly mac: string;
}

interface Booting {
  readonly hardwareId: string;
  readonly mac: string;
}

/**
 * The ACK, or the offer of a ProxyDHCP, named a boot file. `arch`: RFC 4578 §2.1 code, null when the client sent none. `ticketHash`: when
 * the file is the machine's script, SHA-256 (hex) of the ticket in its URL, good until `ticketExpiresAt`; `bootFile` is without it. Before
 * version 3 no `client` was BOOTP.
 */
export type NetbootOffered = Event<
  'NetbootOffered',
  3,
  Seen & {
    ip: string;
    arch: number | null;
    client: 'PXEClient' | 'HTTPClient' | 'iPXE' | 'BOOTP';
    userClass: string;
    bootFile: string;
    ticketHash: string | null;
    ticketExpiresAt: string | null;
  }
>;
export type BootFileRole = 'nbp' | 'kernel' | 'initramfs' | 'rootfs' | 'other';
/** A whole file went out, maybe in parts (Range): its last one counts when those before it went to the same address. `address`: who fetched it; '' in version 1. */
export type BootFileServed = Event<
  'BootFileServed',
  2,
  Seen & {
    address: string;
    protocol: 'tftp' | 'http';
    role: BootFileRole;
    file: string;
    bytes: number;
    seconds: number;
  }
>;
/**
 * `osie`: kernel and initramfs of the in-memory OS, with a one-time enrolment token of which only the SHA-256 is kept;
 * `local`: boot your own disk; `custom`: the hardware record's own script; `rescue`: the in-memory OS with a shell and no worker;
 * `discovery`: the in-memory OS tells what the machine is made of, its token is for that. `expiresAt` is the token's. `ticketHash`: what
 * the machine showed, null when it needed none; from now on good until `ticketExpiresAt`, for repetitions. `format`: null before
 * version 3.
 */
export type BootScriptServed = Event<
  'BootScriptServed',
  3,
  Seen & {
    script: BootScript;
    format: BootScriptFormat | null;
    tokenHash: string | null;
    expiresAt: string | null;
    address: string;
    ticketHash: string | null;
    ticketExpiresAt: string | null;
  }
>;
/** The program that it is written for. U-Boot reads that of PXELINUX. */
export type BootScriptFormat = 'iPXE' | 'PXELINUX' | 'GRUB' | 'Raspberry Pi';
export type BootScript = 'osie' | 'local' | 'custom' | 'rescue' | 'discovery';
/** OSIE's init reached the network. `uptimeSeconds` since the kernel started. */
export type OsieStarted = Event<'OsieStarted', 2, Seen & { uptimeSeconds: number }>;
/** What the machine says that it is made of, in its own words: nothing of it was checked but its form. */
export interface Inventory {
  readonly vendor: string;
  readonly product: string;
  readonly serial: string;
  readonly uuid: string;
  readonly arch: string;
  readonly cpuModel: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly disks: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly model: string;
    readonly serial: string;
  }[];
  /** `mac`: `aa-bb-cc-dd-ee-ff`; `driver` '' when it has none. */
  readonly interfaces: readonly {
    readonly name: string;
    readonly mac: string;
    readonly driver: string;
    readonly link: boolean;
  }[];
}
/** The in-memory OS told what the machine is made of. */
export type MachineDiscovered = Event<'MachineDiscovered', 1, Seen & { address: string; inventory: Inventory }>;
/** The installed system came up and called back. */
export type MachinePhonedHome = Event<
  'MachinePhonedHome',
  1,
  Booting & { kind: string; body: string; address: string }
>;

/**
 * boots did not do what it was asked, or what it sent did not arrive: the first time at once, repetitions together later; of many
 * things for one reason some by name, the rest with `detail` `others`. The stream is that of the MAC, `00-00-00-00-00-00` when the
 * request did not say whose it is; `hardwareId` is null for a MAC that no record has.
 */
export type BootRequestFailed = Event<
  'BootRequestFailed',
  1,
  {
    readonly hardwareId: string | null;
    readonly mac: string;
    readonly protocol: 'dhcp' | 'tftp' | 'http';
    /** `unknown-machine`, `no-such-file` …: one word for each cause. */
    readonly reason: string;
    /** What was asked for, or what is wrong with it. */
    readonly detail: string;
    /** Address that asked. */
    readonly source: string;
    readonly count: number;
    readonly firstAt: string;
    readonly lastAt: string;
  }
>;

export type BootEvent =
  | NetbootOffered
  | BootFileServed
  | BootScriptServed
  | OsieStarted
  | MachineDiscovered
  | MachinePhonedHome
  | BootRequestFailed;

export const bootCatalogue = {
  NetbootOffered: { version: 3, upcast: { 1: netbootOfferedV1, 2: netbootOfferedV2 } },
  BootFileServed: { version: 2, upcast: { 1: bootFileServedV1 } },
  BootScriptServed: { version: 3, upcast: { 1: bootScriptServedV1, 2: bootScriptServedV2 } },
  OsieStarted: { version: 2, upcast: { 1: osieStartedV1 } },
  MachineDiscovered: { version: 1 },
  MachinePhonedHome: { version: 1 },
  BootRequestFailed: { version: 1 },
} satisfies Catalogue<BootEvent>;
