import {
  decodeMessage,
  type Dhcp6Message,
  duidBytes,
  encodeMessage,
  iaAddress,
  iaNa,
  MalformedPacketError,
  messageTypes,
  option,
  type Option,
  optionCodecs,
  parseDuid,
  readAddress,
  relayMessage,
  type RelayMessage,
  unwrapRelays,
  wrapReply,
} from '@tinkerbell/dhcp6';
import type { Random } from './random';
import { expectSame, type Target } from './target';

/** DHCPv6: messages, relays around them, and every option that has a codec. */
export const dhcp6: Target = {
  name: 'dhcp6',
  about: 'DHCPv6 messages, relays and options',
  longest: 2048,
  generate(random) {
    const message = random.chance(3) ? randomRelay(random, random.below(10)) : randomMessage(random);
    const bytes = encodeMessage(message);
    expectSame('decode(encode(message))', decodeMessage(bytes), message);
    return bytes;
  },
  check(bytes) {
    const message = refusable(() => decodeMessage(bytes));
    if (!message) return false;
    expectSame('encode(decode(bytes))', encodeMessage(message), bytes);
    checkOptions(message.options, 0);
    const whole = refusable(() => unwrapRelays(message));
    if (!whole) return true;
    checkOptions(whole.message.options, 0);
    const back = unwrapRelays(wrapReply(whole.message, whole.relays));
    expectSame('the way back', back.message, whole.message);
    expectSame('its relays', back.relays.length, whole.relays.length);
    return true;
  },
};

function checkOptions(options: readonly Option[], depth: number): void {
  for (const { code, value: raw } of options) {
    for (const codec of optionCodecs) {
      if (codec.code !== code) continue;
      const value = refusable(() => codec.decode(raw));
      if (value === undefined) continue;
      const written = codec.encode(value);
      expectSame(`option ${code}: decode(encode(value))`, codec.decode(written), value);
      if (code <= 2) expectSame(`option ${code}: DUID`, duidBytes(parseDuid(raw, code)), raw);
      if (isNest(value) && depth < 4) checkOptions(value.options, depth + 1);
    }
  }
}

function isNest(value: unknown): value is { readonly options: readonly Option[] } {
  return typeof value === 'object' && value !== null && 'options' in value && Array.isArray(value.options);
}

/** undefined: refused as malformed. Any other error is ours. */
function refusable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedPacketError) return undefined;
    throw error;
  }
}

function randomMessage(random: Random): Dhcp6Message {
  const options = Array.from({ length: random.below(12) }, () => randomOption(random, 0));
  return { type: random.pick(messageTypes), transactionId: random.below(2 ** 24), options };
}

function randomRelay(random: Random, layers: number): RelayMessage {
  const type = random.chance(4) ? 'relay-reply' : 'relay-forward';
  const inner = (depth: number): RelayMessage => ({
    ...{ type, hops: depth, link: address(random), peer: address(random) },
    options: [
      ...Array.from({ length: random.below(3) }, () => randomOption(random, 0)),
      option(relayMessage, encodeMessage(depth === 0 ? randomMessage(random) : inner(depth - 1))),
    ],
  });
  return inner(layers);
}

function randomOption(random: Random, depth: number): Option {
  const code = random.chance(3) ? random.below(65_536) : (random.pick(optionCodecs)?.code ?? 0);
  if (depth < 2 && random.chance(4)) return randomAssociation(random, depth);
  // An inner message would have to be one: that is what relays are for.
  return {
    code: code === relayMessage.code ? 1 : code,
    value: random.bytes(random.below(random.chance(8) ? 300 : 40)),
  };
}

function randomAssociation(random: Random, depth: number): Option {
  const options = Array.from({ length: random.below(4) }, () => randomOption(random, depth + 1));
  const number = () => random.below(2 ** 32);
  if (random.chance(2)) return option(iaNa, { iaid: number(), t1: number(), t2: number(), options });
  const times = { preferredSeconds: number(), validSeconds: number() };
  return option(iaAddress, { address: address(random), ...times, options });
}

function address(random: Random): string {
  return random.chance(3) ? '::' : readAddress(random.bytes(16), 0);
}
