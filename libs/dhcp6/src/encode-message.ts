import { concat } from '@tinkerbell/bytes';
import { addressBytes } from './fields';
import { type Dhcp6Message, isRelayed, messageTypes, option, type RelayMessage, relayTypes } from './message';
import { encodeOptions } from './option-list';
import { interfaceId } from './options/interface-id';
import { relayMessage, relaySourcePort } from './options/relay-message';

/** Throws RangeError for a field that cannot be written. */
export function encodeMessage(message: Dhcp6Message | RelayMessage): Uint8Array {
  const options = encodeOptions(message.options);
  if (isRelayed(message)) {
    const type = relayTypes.indexOf(message.type) + messageTypes.length + 1;
    const [link, peer] = [addressBytes(message.link), addressBytes(message.peer)];
    return concat([Uint8Array.of(type, message.hops), link, peer, options]);
  }
  const id = message.transactionId;
  if (id >>> 24 !== 0) throw new RangeError(`transaction id ${id} has more than 24 bits`);
  const type = messageTypes.indexOf(message.type) + 1;
  return concat([Uint8Array.of(type, id >>> 16, id >>> 8, id), options]);
}

/** What a relay finds again in the answer (RFC 8415 §19.3, RFC 8357 §5.4). */
const returned: readonly number[] = [interfaceId.code, relaySourcePort.code];

/** The way back through the relays that a request came by (RFC 8415 §19.3). */
export function wrapReply(reply: Dhcp6Message, relays: readonly RelayMessage[]): Dhcp6Message | RelayMessage {
  return relays.reduceRight<Dhcp6Message | RelayMessage>(
    (inner, { hops, link, peer, options }) => ({
      ...{ type: 'relay-reply', hops, link, peer },
      options: [...options.filter(({ code }) => returned.includes(code)), option(relayMessage, encodeMessage(inner))],
    }),
    reply,
  );
}
