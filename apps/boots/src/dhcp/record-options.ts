import { classlessRoutes, domainSearch, ipv4Bytes } from '@tinkerbell/dhcp';
import type { HardwareDhcpOption } from '@tinkerbell/events';

/** The options that a hardware record sets by number, as bytes. */
export function recordOptions(options: readonly HardwareDhcpOption[]): ReadonlyMap<number, Uint8Array> {
  if (options.length === 0) return none;
  return new Map(options.map((option) => [option.code, bytesOf(option)]));
}

const none: ReadonlyMap<number, Uint8Array> = new Map();

function bytesOf(option: HardwareDhcpOption): Uint8Array {
  switch (option.type) {
    case 'ip':
      return ipv4Bytes(option.value);
    case 'ips':
      return Uint8Array.from(option.value.flatMap((address) => [...ipv4Bytes(address)]));
    case 'text':
      return charBytes(option.value);
    case 'hex':
      return hexBytes(option.value);
    case 'domains':
      return domainSearch.encode(option.value);
    case 'routes':
      return classlessRoutes.encode(option.value);
    case 'boolean':
      return Uint8Array.of(option.value ? 1 : 0);
    case 'uint8':
      return numberBytes(option.value, 1);
    case 'uint16':
      return numberBytes(option.value, 2);
    case 'uint32':
      return numberBytes(option.value, 4);
  }
}

export function charBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function hexBytes(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Big-endian. */
export function numberBytes(value: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Math.floor(value / 256 ** (length - 1 - i)) % 256);
}
