import { hexDigits } from '@tinkerbell/bytes';
import type { Options } from './option-codec';

/** One DHCP message (RFC 2131 §2). Addresses are dotted IPv4; `0.0.0.0` = none. */
export interface DhcpPacket {
  readonly op: 'request' | 'reply';
  /** 1 = Ethernet. */
  readonly htype: number;
  readonly hops: number;
  readonly xid: number;
  /** Seconds since the client began. */
  readonly secs: number;
  /** Bit 15: the client cannot take a unicast reply yet (§4.1). The other bits are reserved. */
  readonly flags: number;
  readonly ciaddr: string;
  readonly yiaddr: string;
  readonly siaddr: string;
  readonly giaddr: string;
  /** `hlen` bytes, 16 at most. */
  readonly chaddr: Uint8Array;
  readonly sname: string;
  readonly file: string;
  readonly options: Options;
}

export const broadcastFlag = 0x8000;

/** Of the fixed fields with the magic cookie; options follow. */
export const headerLength = 240;
export const magicCookie = Uint8Array.of(99, 130, 83, 99);

/** `aa-bb-cc-dd-ee-ff`; undefined when the client is not on Ethernet. */
export function macOf({ htype, chaddr }: DhcpPacket): string | undefined {
  if (htype !== 1 || chaddr.length !== 6) return undefined;
  let text = '';
  for (let i = 0; i < 5; i++) text += dashed[chaddr[i] ?? 0];
  return text + (hexDigits[chaddr[5] ?? 0] ?? '');
}

const dashed = hexDigits.map((digits) => `${digits}-`);
