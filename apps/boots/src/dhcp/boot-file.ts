import { type BootClient, isOurIpxe } from './boot-client';
import { raspberryLoader } from './raspberry-pi';

export type MacFormat = 'colon' | 'dash' | 'dot' | 'no-delimiter' | 'empty';

export interface BootUrls {
  /** `10.0.0.1:69`. */
  readonly tftp: string;
  /** `http://10.0.0.1`, without a slash at its end. */
  readonly http: string;
  /** `https://10.0.0.1`; undefined: there is none. */
  readonly https?: string | undefined;
  readonly macFormat: MacFormat;
  /** Architecture → program, where it is not the usual one. */
  readonly binaries: Readonly<Record<number, string>>;
}

const bios = 'undionly.kpxe';
const uefi = 'ipxe.efi';
const arm64 = 'snp-arm64.efi';

/**
 * Network boot program by client architecture (IANA "Processor Architecture Types"). 6–9, 15, 16: x86 and x64 UEFI, by TFTP or HTTP;
 * 10, 11, 18, 19, 41: ARM UEFI and Raspberry Pi; the rest of 0–5 and 20: BIOS.
 */
const binaryByArch: Readonly<Record<number, string>> = {
  ...Object.fromEntries([0, 1, 2, 3, 4, 5, 20].map((arch) => [arch, bios])),
  ...Object.fromEntries([6, 7, 8, 9, 15, 16].map((arch) => [arch, uefi])),
  ...Object.fromEntries([10, 11, 18, 19, 41].map((arch) => [arch, arm64])),
};

/** '' for an architecture that we have no program for. */
export function binaryFor(arch: number | null, overrides: BootUrls['binaries'] = {}): string {
  return arch === null ? '' : (overrides[arch] ?? binaryByArch[arch] ?? '');
}

export interface BootFileWish {
  readonly client: BootClient;
  readonly mac: string;
  /** The hardware record's own program, '' for the usual one. */
  readonly binary: string;
  /** Program that this machine was given just before, '' for none. */
  readonly chained: string;
  readonly mayNetboot: boolean;
  /** For the URL of the script; '' = none. */
  readonly ticket: string;
}

/**
 * What the reply names as boot file; '' = nothing for this client. Firmware gets iPXE, iPXE gets the machine's script. An iPXE in a
 * network card's ROM is good enough, unless the record asks for a program of its own: then that one is loaded first, once.
 */
export function bootFile({ client, mac, binary, chained, mayNetboot, ticket }: BootFileWish, urls: BootUrls): string {
  const prefix = macPrefix(mac, urls.macFormat);
  const script = `${urls.http}/${prefix}auto.ipxe${ticket === '' ? '' : `?ticket=${ticket}`}`;
  if (isOurIpxe(client)) return script;
  if (client.kind === 'iPXE') {
    const isDone = binary === '' || !mayNetboot || chained === binary;
    return isDone ? script : `tftp://${urls.tftp}/${prefix}${binary}`;
  }
  if (client.isRaspberryPi && binary === '') return raspberryLoader;
  const program = binary === '' ? binaryFor(client.arch, urls.binaries) : binary;
  if (program === '') return '';
  return client.kind === 'HTTPClient' ? `${urls.https ?? urls.http}/${prefix}${program}` : program;
}

/** `52:54:00:99:00:01/`, or in the form that the site wants; `empty`: none. */
function macPrefix(mac: string, format: MacFormat): string {
  const hex = mac.replaceAll('-', '');
  switch (format) {
    case 'colon':
      return `${mac.replaceAll('-', ':')}/`;
    case 'dash':
      return `${mac}/`;
    case 'dot':
      return `${hex.slice(0, 4)}.${hex.slice(4, 8)}.${hex.slice(8)}/`;
    case 'no-delimiter':
      return `${hex}/`;
    case 'empty':
      return '';
  }
}
