import { MalformedOptionError } from '@tinkerbell/bytes';
import { atLeast } from './fields';
import { uint16, uint32 } from './option-list';

/** Who a client or a server is (RFC 8415 §11). `mac`: `aa-bb-cc-dd-ee-ff`, where the hardware is Ethernet. */
export type Duid =
  /** `time`: seconds since 2000. */
  | { readonly kind: 'llt'; readonly hardware: number; readonly time: number; readonly address: Uint8Array }
  | { readonly kind: 'en'; readonly enterprise: number; readonly id: Uint8Array }
  | { readonly kind: 'll'; readonly hardware: number; readonly address: Uint8Array }
  | { readonly kind: 'uuid'; readonly uuid: Uint8Array }
  | { readonly kind: 'other'; readonly type: number; readonly id: Uint8Array };

/** §11.1: two bytes of type and 128 of content, at most. */
export const maxDuidLength = 130;
/** By type: up to the hardware address, or the id, and a byte of that. */
const shortestOf: Readonly<Record<number, number>> = { 1: 9, 2: 7, 3: 5 };
const ethernet = 1;

/**
 * §11: to a server it is bytes, so one that is too short for its type is `other`. Throws MalformedOptionError, in the name of the option that
 * carries it.
 */
export function parseDuid(raw: Uint8Array, option: number): Duid {
  const view = atLeast(option, raw, 3);
  if (raw.length > maxDuidLength) {
    throw new MalformedOptionError({ option, reason: `a DUID of ${raw.length} bytes, ${maxDuidLength} is the limit` });
  }
  const type = view.getUint16(0);
  const shortest = shortestOf[type] ?? 3;
  switch (raw.length < shortest ? undefined : type) {
    case 1:
      return { kind: 'llt', hardware: view.getUint16(2), time: view.getUint32(4), address: raw.slice(8) };
    case 2:
      return { kind: 'en', enterprise: view.getUint32(2), id: raw.slice(6) };
    case 3:
      return { kind: 'll', hardware: view.getUint16(2), address: raw.slice(4) };
    case 4:
      return raw.length === 18 ? { kind: 'uuid', uuid: raw.slice(2) } : { kind: 'other', type, id: raw.slice(2) };
    default:
      return { kind: 'other', type, id: raw.slice(2) };
  }
}

export function duidBytes(duid: Duid): Uint8Array {
  switch (duid.kind) {
    case 'llt':
      return Uint8Array.of(0, 1, ...uint16(duid.hardware), ...uint32(duid.time), ...duid.address);
    case 'en':
      return Uint8Array.of(0, 2, ...uint32(duid.enterprise), ...duid.id);
    case 'll':
      return Uint8Array.of(0, 3, ...uint16(duid.hardware), ...duid.address);
    case 'uuid':
      return Uint8Array.of(0, 4, ...duid.uuid);
    case 'other':
      return Uint8Array.of(...uint16(duid.type), ...duid.id);
  }
}

/** `aa-bb-cc-dd-ee-ff` of the interface that the DUID was made from; it need not be the one that asks. */
export function macOfDuid(duid: Duid): string | undefined {
  return duid.kind === 'll' || duid.kind === 'llt' ? macText(duid.hardware, duid.address) : undefined;
}

export function macText(hardware: number, address: Uint8Array): string | undefined {
  if (hardware !== ethernet || address.length !== 6) return undefined;
  return Array.from(address, (byte) => byte.toString(16).padStart(2, '0')).join('-');
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
