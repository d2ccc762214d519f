import { hexOf } from '@tinkerbell/bytes';
import { clientIdentifier, type DhcpPacket, hostName, readOption } from '@tinkerbell/dhcp';

/** Option 61 in hex (RFC 2131 §4.2, RFC 4361); null: the client is known by its MAC. An empty one is none. */
export function clientIdOf({ options }: DhcpPacket): string | null {
  const raw = options.get(clientIdentifier.code);
  return raw === undefined || raw.length === 0 ? null : hexOf(raw);
}

/** The host name that a client gives itself (option 12); '' = none that can be shown. */
export function clientName({ options }: DhcpPacket): string {
  const text = options.has(hostName.code) ? (readOption(options, hostName) ?? '') : '';
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text) ? text : '';
}
