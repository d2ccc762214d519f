import type { OptionCodec } from '@tinkerbell/bytes';

/** RFC 8415 §7.3, in the order of their numbers, from 1. */
export const messageTypes = [
  ...(['solicit', 'advertise', 'request', 'confirm', 'renew', 'rebind', 'reply', 'release'] as const),
  ...(['decline', 'reconfigure', 'information-request'] as const),
] as const;
export type MessageType = (typeof messageTypes)[number];

/** Numbers 12 and 13. */
export const relayTypes = ['relay-forward', 'relay-reply'] as const;
export type RelayType = (typeof relayTypes)[number];

export interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

/** In the order of the message; the same code may come more than once (an IA each). */
export type Options = readonly Option[];

/** Between client and server (RFC 8415 §8). */
export interface Dhcp6Message {
  readonly type: MessageType;
  /** 24 bits. */
  readonly transactionId: number;
  readonly options: Options;
}

/** Between relay and server (§9). Addresses as text (RFC 5952); `::` = none. */
export interface RelayMessage {
  readonly type: RelayType;
  readonly hops: number;
  /** An address of the link that the client is on. */
  readonly link: string;
  /** Who sent what is relayed. */
  readonly peer: string;
  readonly options: Options;
}

export function isRelayed(message: Dhcp6Message | RelayMessage): message is RelayMessage {
  return message.type === 'relay-forward' || message.type === 'relay-reply';
}

/** The value of the first option with this code, undefined when there is none. Throws MalformedOptionError. */
export function readOption<T>(options: Options, codec: OptionCodec<T>): T | undefined {
  const found = options.find(({ code }) => code === codec.code);
  return found && codec.decode(found.value);
}

/** Of every option with this code. Throws MalformedOptionError. */
export function readOptions<T>(options: Options, codec: OptionCodec<T>): readonly T[] {
  return options.filter(({ code }) => code === codec.code).map(({ value }) => codec.decode(value));
}

export function option<T>(codec: OptionCodec<T>, value: T): Option {
  return { code: codec.code, value: codec.encode(value) };
}
