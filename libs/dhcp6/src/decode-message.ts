import { MalformedPacketError } from '@tinkerbell/bytes';
import { readAddress } from './fields';
import { type Dhcp6Message, isRelayed, messageTypes, readOption, type RelayMessage, relayTypes } from './message';
import { decodeOptions } from './option-list';
import { relayMessage } from './options/relay-message';

const header = 4;
const relayHeader = 34;
/** RFC 8415 §7.6: a relay drops what has come through eight others, so nine at most stand around a message. */
export const maxRelays = 9;

/** Throws MalformedPacketError for anything that is no DHCPv6 message. Single options stay bytes until they are asked for. */
export function decodeMessage(bytes: Uint8Array): Dhcp6Message | RelayMessage {
  const number = bytes[0];
  if (number === undefined) throw new MalformedPacketError('no bytes at all', 0);
  const relay = relayTypes[number - messageTypes.length - 1];
  if (relay) return decodeRelay(relay, bytes);
  const type = messageTypes[number - 1];
  if (!type) throw new MalformedPacketError(`message type ${number} is none of RFC 8415`, 0);
  expectHeader(bytes, header);
  const transactionId = ((bytes[1] ?? 0) << 16) | ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
  return { type, transactionId, options: decodeOptions(bytes, header) };
}

function decodeRelay(type: RelayMessage['type'], bytes: Uint8Array): RelayMessage {
  expectHeader(bytes, relayHeader);
  const [link, peer] = [readAddress(bytes, 2), readAddress(bytes, 18)];
  return { type, hops: bytes[1] ?? 0, link, peer, options: decodeOptions(bytes, relayHeader) };
}

function expectHeader(bytes: Uint8Array, length: number): void {
  if (bytes.length < length) {
    throw new MalformedPacketError(`${bytes.length} bytes, such a message has at least ${length}`, bytes.length);
  }
}

export interface Unwrapped {
  readonly message: Dhcp6Message;
  /** The one that sent it to us first, the one next to the client last. */
  readonly relays: readonly RelayMessage[];
}

/** What is inside of all relays (RFC 8415 §19). Throws MalformedPacketError. */
export function unwrapRelays(outer: Dhcp6Message | RelayMessage): Unwrapped {
  const relays: RelayMessage[] = [];
  let inner = outer;
  while (isRelayed(inner)) {
    if (inner.type !== outer.type) throw new MalformedPacketError(`${inner.type} inside of ${outer.type}`);
    if (relays.length === maxRelays) throw new MalformedPacketError(`more than ${maxRelays} relays inside each other`);
    relays.push(inner);
    const relayed = readOption(inner.options, relayMessage);
    if (!relayed) throw new MalformedPacketError(`relay ${relays.length} carries no message (option 9)`);
    inner = decodeMessage(relayed);
  }
  return { message: inner, relays };
}
