import type { Catalogue, Event } from './event';

/** One stream per network interface, id = MAC: every step of a machine's way from its firmware to its own disk. */
interface Booting {
  readonly hardwareId: string;
  readonly mac: string;
}

/** The ACK, or the offer of a ProxyDHCP, named a boot file. `arch`: RFC 4578 §2.1 code, null when the client sent none. */
export type NetbootOffered = Event<
  'NetbootOffered',
  1,
  Booting & {
    ip: string;
    arch: number | null;
    client: 'PXEClient' | 'HTTPClient' | 'iPXE';
    userClass: string;
    bootFile: string;
  }
>;
export type BootFileRole = 'nbp' | 'kernel' | 'initramfs' | 'rootfs' | 'other';
/** A whole file went out. A Range request counts when it reaches the end of the file. */
export type BootFileServed = Event<
  'BootFileServed',
  1,
  Booting & { protocol: 'tftp' | 'http'; role: BootFileRole; file: string; bytes: number; seconds: number }
>;
/**
 * `osie`: kernel and initramfs of the in-memory OS, with a one-time enrolment token of which only the SHA-256 is kept;
 * `local`: boot your own disk; `custom`: the hardware record's own script. `expiresAt` is the token's.
 */
export type BootScriptServed = Event<
  'BootScriptServed',
  1,
  Booting & { script: 'osie' | 'local' | 'custom'; tokenHash: string | null; expiresAt: string | null }
>;
/** OSIE's init reached the network. `uptimeSeconds` since the kernel started. */
export type OsieStarted = Event<'OsieStarted', 1, Booting & { uptimeSeconds: number }>;
/** The installed system came up and called back. */
export type MachinePhonedHome = Event<
  'MachinePhonedHome',
  1,
  Booting & { kind: string; body: string; address: string }
>;

/**
 * boots did not do what it was asked, or what it sent did not arrive: the first time at once, repetitions together later. The stream is
 * that of the MAC, `00-00-00-00-00-00` when the request did not say whose it is; `hardwareId` is null for a MAC that no record has.
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
  NetbootOffered | BootFileServed | BootScriptServed | OsieStarted | MachinePhonedHome | BootRequestFailed;

export const bootCatalogue = {
  NetbootOffered: { version: 1 },
  BootFileServed: { version: 1 },
  BootScriptServed: { version: 1 },
  OsieStarted: { version: 1 },
  MachinePhonedHome: { version: 1 },
  BootRequestFailed: { version: 1 },
} satisfies Catalogue<BootEvent>;
