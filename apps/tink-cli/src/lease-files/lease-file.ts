import { parseIp } from '@tinkerbell/bytes';

export const leaseFormats = ['kea', 'isc', 'dnsmasq'] as const;
export type LeaseFormat = (typeof leaseFormats)[number];

/** Where something stands. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** A lease as the file of a DHCP server has it, in the terms of the API. */
export interface FileLease extends Place {
  readonly ip: string;
  readonly family: 4 | 6;
  /** `aa-bb-cc-dd-ee-ff`; null: none, or the hardware is not Ethernet. */
  readonly mac: string | null;
  /** Lower-case hex: option 61, of IPv6 `<DUID>:<IAID>`. */
  readonly clientId: string | null;
  readonly hostname: string;
  readonly state: 'bound' | 'declined' | 'abandoned';
  /** ISO 8601; null: never. */
  readonly expiresAt: string | null;
}

export interface FileFault extends Place {
  readonly field: string;
  readonly message: string;
}

/** What a file says of an address at last; `ended`: it is nobody's lease any more; `unknown`: nothing that boots leases. */
export type Entry =
  | ({ readonly kind: 'lease' } & FileLease)
  | ({ readonly kind: 'ended' | 'prefix' | 'temporary'; readonly ip: string } & Place);

/** What the readers share: the last word on each address, and all that is wrong. */
export class Ledger {
  readonly faults: FileFault[] = [];
  readonly #entries = new Map<string, Entry>();

  put(entry: Entry): void {
    // Last in the order too: what is said of an address before is gone.
    this.#entries.delete(entry.ip);
    this.#entries.set(entry.ip, entry);
  }

  drop(ip: string): void {
    this.#entries.delete(ip);
  }

  fault(place: Place, field: string, message: string): undefined {
    this.faults.push({ file: place.file, line: place.line, field, message });
  }

  get entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }
}

/** The file is not what it should be: nothing of it is used. */
export class LeaseFileError extends Error {
  constructor(readonly faults: readonly FileFault[]) {
    const shown = faults.slice(0, mostShown).map(({ file, line, field, message }) => {
      return `${file}:${line}: ${field === '' ? '' : `${field}: `}${message}`;
    });
    const more = faults.length - shown.length;
    super([...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'));
  }
}

const mostShown = 50;

/** As people quote it in a message. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

export function familyOf(ip: string): { readonly ip: string; readonly family: 4 | 6 } | undefined {
  const parsed = parseIp(ip);
  return parsed && { ip: parsed.address, family: parsed.family };
}

/** `52:54:0:12:34:56`, as `52-54-00-12-34-56`; undefined: not six bytes. */
export function macText(text: string): string | undefined {
  if (!/^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i.test(text)) return undefined;
  const parts = text.toLowerCase().split(':');
  return parts.map((part) => part.padStart(2, '0')).join('-');
}

/** `01:52:54`, as `015254`; undefined: no bytes, or more than an option holds. */
export function hexText(text: string): string | undefined {
  if (!/^[0-9a-f]{1,2}(:[0-9a-f]{1,2})*$/i.test(text)) return undefined;
  const parts = text.toLowerCase().split(':');
  return parts.length > 255 ? undefined : parts.map((part) => part.padStart(2, '0')).join('');
}

/** A DUID has 2 bytes of type and 128 of content at most (RFC 8415 §11.1). */
export function associationText(duid: string, iaid: number): string | undefined {
  const hex = hexText(duid);
  if (hex === undefined || hex.length < 6 || hex.length > 260) return undefined;
  return `${hex}:${iaid.toString(16).padStart(8, '0')}`;
}

/** Of a DUID that is made from an Ethernet address (RFC 8415 §11.2, §11.4); it need not be the interface that asks. */
export function macOfDuid(hex: string): string | null {
  const [, mac] = /^(?:00010001[0-9a-f]{8}|00030001)([0-9a-f]{12})(?::|$)/.exec(hex) ?? [];
  return mac === undefined ? null : (mac.match(/../g) ?? []).join('-');
}

/** A whole number from 0 to `max`. */
export function wholeNumber(text: string, max: number): number | undefined {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  return value <= max ? value : undefined;
}

/** The last second of the year 9999. */
export const maxEpoch = 253_402_300_799;

export function timeText(epoch: number): string {
  return new Date(epoch * 1000).toISOString();
}
