import { clientIdentifier, type DhcpPacket } from '@tinkerbell/dhcp';

/** Option 61 in hex (RFC 2131 §4.2, RFC 4361); null: the client is known by its MAC. An empty one is none. */
export function clientIdOf({ options }: DhcpPacket): string | null {
  const raw = options.get(clientIdentifier.code) ?? new Uint8Array();
  return raw.length === 0 ? null : Array.from(raw, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
