import { expectLength, MalformedOptionError, type OptionCodec } from '@tinkerbell/bytes';

// Value = place in the list, from 1. 9: RFC 3203; 10–13: RFC 4388; 14–15: RFC 6926; 16–18: RFC 7724.
const names = [
  'discover',
  'offer',
  'request',
  'decline',
  'ack',
  'nak',
  'release',
  'inform',
  'force-renew',
  'lease-query',
  'lease-unassigned',
  'lease-unknown',
  'lease-active',
  'bulk-lease-query',
  'lease-query-done',
  'active-lease-query',
  'lease-query-status',
  'tls',
] as const;

export type MessageType = (typeof names)[number];

const encoded = new Map(names.map((name, i) => [name, Uint8Array.of(i + 1)]));

/** RFC 2132 §9.6. */
export const messageType: OptionCodec<MessageType> = {
  code: 53,
  name: 'message-type',
  decode(raw) {
    expectLength(53, raw, 1);
    const name = names[(raw[0] ?? 0) - 1];
    if (name === undefined) throw new MalformedOptionError({ option: 53, reason: `unknown message type ${raw[0]}` });
    return name;
  },
  encode: (name) => encoded.get(name) ?? new Uint8Array(1),
};
