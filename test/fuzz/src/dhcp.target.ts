import {
  decodePacket,
  type DhcpPacket,
  encodePacket,
  MalformedPacketError,
  type OptionCodec,
  optionCodecs,
  relayInformation,
} from '@tinkerbell/dhcp';
import type { Random } from './random';
import { BrokenPromiseError, expectSame, type Target } from './target';

const largest = 65_535;
const overhead = 28;

/** DHCPv4: packets, and every option that has a codec. */
export const dhcp: Target = {
  name: 'dhcp',
  about: 'DHCPv4 packets and their options',
  longest: 2048,
  generate(random) {
    const packet = randomPacket(random);
    const whole = encodePacket(packet, { maxSize: largest });
    expectSame('decode(encode(packet))', decodePacket(whole), packet);
    const maxSize = 576 + random.below(925);
    const bytes = encodePacket(packet, { maxSize });
    expectWithin(bytes, packet, maxSize);
    return random.chance(2) ? whole : bytes;
  },
  check(bytes) {
    const packet = refusable(() => decodePacket(bytes));
    if (!packet) return false;
    for (const [code, raw] of packet.options) {
      for (const codec of optionCodecs) if (codec.code === code) checkOption(codec, raw);
    }
    const relay = packet.options.get(82);
    if (relay) refusable(() => relayInformation(relay));
    const whole = encodePacket(packet, { maxSize: largest });
    // A `file` of all its 128 bytes has no room for its NUL and goes to option 67.
    if (packet.file.length < 128) expectSame('decode(encode(decode(bytes)))', decodePacket(whole), packet);
    expectSame('encode(decode(encode(decode(bytes))))', encodePacket(decodePacket(whole), { maxSize: largest }), whole);
    const small = decodePacket(encodePacket(packet));
    // Without room for its type it is of BOOTP, which knows no overload.
    if (small.options.has(53) === packet.options.has(53))
      expectSame('the same in a small message', decodePacket(encodePacket(small)), small);
    return true;
  },
};

function checkOption(codec: OptionCodec<unknown>, raw: Uint8Array): void {
  const value = refusable(() => codec.decode(raw));
  if (value === undefined) return;
  const written = codec.encode(value);
  expectSame(`option ${codec.code}: decode(encode(value))`, codec.decode(written), value);
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

/** Where room is short options are left out whole; none is changed, and what the relay added stays. */
function expectWithin(bytes: Uint8Array, packet: DhcpPacket, maxSize: number): void {
  const relay = packet.options.get(82) ?? new Uint8Array();
  if (relay.length < 200 && bytes.length + overhead > maxSize) {
    throw new BrokenPromiseError(`${bytes.length} bytes, ${maxSize - overhead} are allowed`);
  }
  const { options } = decodePacket(bytes);
  for (const [code, value] of options) expectSame(`option ${code}`, value, packet.options.get(code));
  expectSame('option 82', options.get(82), packet.options.get(82));
}

function randomPacket(random: Random): DhcpPacket {
  const address = () => (random.chance(2) ? '0.0.0.0' : random.bytes(4).join('.'));
  const options = Array.from({ length: random.below(24) }, () => randomOption(random));
  return {
    op: random.pick(['request', 'reply']),
    htype: random.below(256),
    hops: random.below(256),
    xid: random.below(2 ** 32),
    secs: random.below(65_536),
    flags: random.below(65_536),
    ...{ ciaddr: address(), yiaddr: address(), siaddr: address(), giaddr: address() },
    chaddr: random.bytes(random.chance(4) ? random.below(17) : 6),
    sname: text(random, 64),
    file: text(random, 127),
    options: new Map(options),
  };
}

function randomOption(random: Random): readonly [number, Uint8Array] {
  const code = 1 + random.below(254);
  const length = random.chance(20) ? random.below(700) : random.below(random.chance(4) ? 256 : 24);
  return [code === 52 ? 53 : code, random.bytes(length)];
}

function text(random: Random, longest: number): string {
  const length = random.chance(2) ? 0 : random.below(longest + 1);
  return Array.from({ length }, () => String.fromCharCode(1 + random.below(255))).join('');
}
