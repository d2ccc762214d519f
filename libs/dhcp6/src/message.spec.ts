import { describe, expect, it } from 'vitest';
import {
  clientId,
  decodeMessage,
  type Dhcp6Message,
  elapsedTime,
  encodeMessage,
  iaNa,
  interfaceId,
  MalformedPacketError,
  maxRelays,
  option,
  readOption,
  readOptions,
  type RelayMessage,
  relayMessage,
  unwrapRelays,
  wrapReply,
} from './index';

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const duid = hex('0001000130eec38f525400990001');

const solicit: Dhcp6Message = {
  type: 'solicit',
  transactionId: 0x10f2a3,
  options: [
    option(clientId, duid),
    option(elapsedTime, 100),
    option(iaNa, { iaid: 7, t1: 0, t2: 0, options: [] }),
    option(iaNa, { iaid: 8, t1: 0, t2: 0, options: [] }),
    { code: 4711, value: Uint8Array.of(1, 2) },
  ],
};
const wire = hex(`01 10f2a3
  0001 000e 0001000130eec38f525400990001
  0008 0002 0064
  0003 000c 00000007 00000000 00000000
  0003 000c 00000008 00000000 00000000
  1267 0002 0102`);

const relay = (inner: Dhcp6Message | RelayMessage, hops: number, id: string): RelayMessage => ({
  ...{ type: 'relay-forward', hops, link: '2001:db8::1', peer: 'fe80::1' },
  options: [
    option(interfaceId, new TextEncoder().encode(id)),
    { code: 37, value: Uint8Array.of(9) },
    option(relayMessage, encodeMessage(inner)),
  ],
});

describe('a DHCPv6 message', () => {
  it('is written as RFC 8415 §8 says, and read as it was written', () => {
    expect(encodeMessage(solicit)).toEqual(wire);
    expect(decodeMessage(wire)).toEqual(solicit);
  });
  it('keeps options that come twice, and those that nobody knows, in their order', () => {
    const { options } = decodeMessage(wire);
    expect(readOptions(options, iaNa).map(({ iaid }) => iaid)).toEqual([7, 8]);
    expect(readOption(options, iaNa)?.iaid).toBe(7);
    expect(options.at(-1)).toEqual({ code: 4711, value: Uint8Array.of(1, 2) });
  });
  it('cut off at any byte is malformed, or a message with fewer options', () => {
    const ends = new Set<number>();
    for (let length = 0; length < wire.length; length++) {
      try {
        const { options } = decodeMessage(wire.subarray(0, length));
        ends.add(options.length);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedPacketError);
      }
    }
    expect([...ends]).toEqual([0, 1, 2, 3, 4]);
  });
  it.each([
    ['', 'no bytes at all (at byte 0)'],
    ['00112233', 'message type 0 is none of RFC 8415 (at byte 0)'],
    ['0e112233', 'message type 14 is none of RFC 8415 (at byte 0)'],
    ['0111', '2 bytes, such a message has at least 4 (at byte 2)'],
    ['0c00', '2 bytes, such a message has at least 34 (at byte 2)'],
    ['01112233 0001', '2 bytes are no option (at byte 4)'],
    ['01112233 0008 0002 00', 'option 8 wants 2 bytes, 1 are left (at byte 4)'],
  ])('%s is none: %s', (bytes, message) => expect(() => decodeMessage(hex(bytes))).toThrow(message));
  it('with too large an id is not written', () =>
    expect(() => encodeMessage({ ...solicit, transactionId: 0x1000000 })).toThrow(RangeError));
});

describe('a relayed message', () => {
  const near = relay(solicit, 0, 'port7');
  const far = relay(near, 1, 'uplink');

  it('is written as RFC 8415 §9 says, and read as it was written', () => {
    const bytes = encodeMessage(far);
    expect(Buffer.from(bytes.subarray(0, 34)).toString('hex')).toBe(
      '0c0120010db8000000000000000000000001fe800000000000000000000000000001',
    );
    expect(decodeMessage(bytes)).toEqual(far);
  });
  it('is found inside of all its relays', () => {
    const { message, relays } = unwrapRelays(decodeMessage(encodeMessage(far)));
    expect(message).toEqual(solicit);
    expect(relays).toEqual([far, near]);
    expect(unwrapRelays(solicit)).toEqual({ message: solicit, relays: [] });
  });
  it('is answered through all its relays, each with its own interface-id and nothing else of its options', () => {
    const reply: Dhcp6Message = { ...solicit, type: 'advertise' };
    const outer = wrapReply(reply, [far, near]);
    expect(outer).toMatchObject({ type: 'relay-reply', hops: 1, link: '2001:db8::1', peer: 'fe80::1' });
    const { message, relays } = unwrapRelays(decodeMessage(encodeMessage(outer)));
    expect(message).toEqual(reply);
    expect(relays.map(({ hops, options }) => [hops, options.map(({ code }) => code)])).toEqual([
      [1, [18, 9]],
      [0, [18, 9]],
    ]);
    expect(relays.map(({ options }) => new TextDecoder().decode(readOption(options, interfaceId)))).toEqual([
      'uplink',
      'port7',
    ]);
  });
  it(`may have come through ${maxRelays} relays, not through more`, () => {
    let message: Dhcp6Message | RelayMessage = solicit;
    for (let i = 0; i < maxRelays; i++) message = relay(message, i, `r${i}`);
    expect(unwrapRelays(message).relays).toHaveLength(maxRelays);
    const tooFar = relay(message, maxRelays, 'r');
    expect(() => unwrapRelays(tooFar)).toThrow('more than 9 relays inside each other');
  });
  it.each([
    [{ ...near, options: [] }, 'relay 1 carries no message (option 9)'],
    [{ ...near, options: [option(relayMessage, new Uint8Array())] }, 'no bytes at all'],
    [relay({ ...near, type: 'relay-reply' }, 1, 'x'), 'relay-reply inside of relay-forward'],
  ])('%#: %s', (message, text) => expect(() => unwrapRelays(message)).toThrow(text));
  it('cut off at any byte is malformed', () => {
    const whole = encodeMessage(far);
    for (let length = 0; length < whole.length; length++) {
      expect(() => unwrapRelays(decodeMessage(whole.subarray(0, length)))).toThrow(MalformedPacketError);
    }
  });
});
