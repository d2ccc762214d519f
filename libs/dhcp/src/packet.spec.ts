import { describe, expect, it } from 'vitest';
import { captures, readCapture } from '@tinkerbell/testing';
import {
  bootFileName,
  broadcastFlag,
  clientArch,
  clientIdentifier,
  clientInterface,
  clientMachineId,
  decodePacket,
  type DhcpPacket,
  encodePacket,
  ipxeOptions,
  macOf,
  MalformedPacketError,
  maxMessageSize,
  messageType,
  option,
  parameterRequestList,
  readOption,
  relayAgent,
  userClass,
  vendorClass,
} from './index';

const reply: DhcpPacket = {
  op: 'reply',
  htype: 1,
  hops: 0,
  xid: 7,
  secs: 0,
  flags: 0,
  ciaddr: '0.0.0.0',
  yiaddr: '10.0.0.5',
  siaddr: '10.0.0.1',
  giaddr: '0.0.0.0',
  chaddr: Uint8Array.of(2, 0, 0, 0, 0, 1),
  sname: '',
  file: '',
  options: new Map([option(messageType, 'offer')]),
};
const withOptions = (...options: readonly (readonly [number, Uint8Array])[]): DhcpPacket => ({
  ...reply,
  options: new Map([option(messageType, 'offer'), ...options]),
});

describe.each(captures)('%s', (name) => {
  const packets = readCapture(name);

  it('has messages', () => expect(packets.length).toBeGreaterThanOrEqual(2));

  it('is encoded as it came, byte for byte, filled up to 300 (RFC 1542 §2.1)', () => {
    for (const bytes of packets) {
      const filled = new Uint8Array(Math.max(bytes.length, 300));
      filled.set(bytes);
      expect(encodePacket(decodePacket(bytes), { maxSize: 1500 })).toEqual(filled);
    }
  });

  it('is decoded or refused as malformed at every length', () => {
    for (const bytes of packets) {
      for (let length = 0; length < bytes.length; length++) {
        try {
          decodePacket(bytes.subarray(0, length));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedPacketError);
        }
      }
    }
  });

  it('is decoded or refused as malformed with any byte changed', () => {
    for (const bytes of packets.slice(0, 2)) {
      for (let at = 0; at < bytes.length; at++) {
        for (const value of [0, 1, 52, 127, 255]) {
          const changed = bytes.slice();
          changed[at] = value;
          try {
            decodePacket(changed);
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedPacketError);
          }
        }
      }
    }
  });
});

describe('decodePacket', () => {
  it('reads what iPXE sends', () => {
    const packet = decodePacket(readCapture('bios-virtio-rom.pcap')[0] ?? new Uint8Array());
    const { options } = packet;
    expect(macOf(packet)).toBe('52-54-00-99-00-01');
    expect(readOption(options, messageType)).toBe('discover');
    expect(readOption(options, maxMessageSize)).toBe(1472);
    expect(readOption(options, clientArch)).toEqual([0]);
    expect(readOption(options, clientInterface)).toEqual({ type: 1, major: 2, minor: 1 });
    expect(readOption(options, vendorClass)).toBe('PXEClient:Arch:00000:UNDI:002001');
    expect(readOption(options, userClass)).toEqual({ form: 'raw', classes: ['iPXE'] });
    expect(readOption(options, clientIdentifier)?.type).toBe(1);
    expect(readOption(options, clientMachineId)?.type).toBe(0);
    expect(readOption(options, ipxeOptions)?.has(235)).toBe(true);
  });

  it('reads what UEFI HTTP boot sends', () => {
    const { options, flags } = decodePacket(readCapture('efi-x64-httpboot.pcap')[0] ?? new Uint8Array());
    expect(flags).toBe(broadcastFlag);
    expect(readOption(options, vendorClass)).toBe('HTTPClient:Arch:00016:UNDI:003000');
    expect(readOption(options, clientArch)).toEqual([16]);
    expect(readOption(options, parameterRequestList)).toContain(67);
  });

  it('joins an option that came in parts, pads between them', () => {
    const bytes = encodePacket(reply);
    const options = [53, 1, 2, 67, 3, 97, 98, 99, 0, 0, 12, 1, 104, 67, 2, 100, 101, 255];
    bytes.fill(0, 240);
    bytes.set(options, 240);
    expect(readOption(decodePacket(bytes).options, bootFileName)).toBe('abcde');
  });

  it('reads options out of file and sname when they are overloaded', () => {
    const bytes = encodePacket(reply);
    bytes.set([52, 1, 3, 255], 243);
    bytes.set([67, 1, 97, 255], 108);
    bytes.set([67, 1, 98, 255], 44);
    const packet = decodePacket(bytes);
    expect(readOption(packet.options, bootFileName)).toBe('ab');
    expect(packet).toMatchObject({ file: '', sname: '' });
    expect(packet.options.has(52)).toBe(false);
  });

  it('does not take an overload inside an overloaded field for an option', () => {
    const bytes = encodePacket(reply);
    bytes.set([52, 1, 1, 255], 243);
    bytes.set([52, 1, 2, 67, 1, 97, 255], 108);
    const packet = decodePacket(bytes);
    expect([...packet.options.keys()]).toEqual([53, 67]);
    expect(decodePacket(encodePacket(packet))).toEqual(packet);
  });

  it.each([
    ['op', 0, 3, /op 3/],
    ['hlen', 2, 17, /17 bytes/],
    ['cookie', 239, 0, /cookie/],
  ])('names a bad %s', (_, at, value, message) => {
    const bytes = encodePacket(reply);
    bytes[at] = value;
    expect(() => decodePacket(bytes)).toThrow(message);
  });
});

describe('encodePacket', () => {
  it('pads to 300 bytes', () => expect(encodePacket(reply).length).toBe(300));

  it('splits a long option and reads it back', () => {
    const long = withOptions([200, Uint8Array.from({ length: 600 }, (_, i) => i & 0xff)]);
    const bytes = encodePacket(long, { maxSize: 1500 });
    expect([...bytes.subarray(243, 245)]).toEqual([200, 255]);
    expect(decodePacket(bytes)).toEqual(long);
  });

  it('moves a file name of more than 127 bytes to option 67', () => {
    const file = `http://10.0.0.1/${'x'.repeat(112)}`;
    const packet = decodePacket(encodePacket({ ...reply, file }));
    expect(packet.file).toBe('');
    expect(readOption(packet.options, bootFileName)).toBe(file);
    expect(decodePacket(encodePacket({ ...reply, file: file.slice(0, 127) })).file).toHaveLength(127);
  });

  it('uses file and sname when the client takes little, and keeps the order of importance', () => {
    const value = (length: number, fill: number) => new Uint8Array(length).fill(fill);
    const crowded = withOptions(
      [200, value(200, 1)],
      [201, value(120, 2)],
      [202, value(60, 3)],
      [203, value(50, 4)],
      [204, value(40, 5)],
    );
    const bytes = encodePacket(crowded);
    expect(bytes.length).toBeLessThanOrEqual(576 - 28);
    const { options } = decodePacket(bytes);
    expect([...options.keys()].sort()).toEqual([200, 201, 202, 203, 53].sort());
    expect(options.get(202)).toEqual(value(60, 3));
  });

  it('does not touch a file name that is in use, and keeps what the relay added', () => {
    const crowded: DhcpPacket = {
      ...withOptions([82, Uint8Array.of(1, 2, 65, 66)], [200, new Uint8Array(200)], [201, new Uint8Array(120)]),
      file: 'undionly.kpxe',
      sname: '10.0.0.1',
    };
    const packet = decodePacket(encodePacket(crowded));
    expect(packet).toMatchObject({ file: 'undionly.kpxe', sname: '10.0.0.1' });
    expect([...packet.options.keys()]).toEqual([53, 200, 82]);
    expect(readOption(packet.options, relayAgent)?.get(1)).toEqual(Uint8Array.of(65, 66));
  });

  it('spreads an option that has to be in parts over options, file and sname, and reads it back (RFC 3396)', () => {
    const long = new Uint8Array(440).map((_, i) => i & 0xff);
    const bytes = encodePacket(withOptions([200, long]));
    expect(bytes.length).toBeLessThanOrEqual(576 - 28);
    expect(bytes[108]).toBe(200);
    expect(bytes[44]).toBe(200);
    const { options, file, sname } = decodePacket(bytes);
    expect(options.get(200)).toEqual(long);
    expect({ file, sname }).toEqual({ file: '', sname: '' });
  });

  it('leaves an option out that all three together have no room for, and does not cut it', () => {
    const missed: (readonly [number, number])[] = [];
    const onLeftOut = (code: number, length: number) => missed.push([code, length]);
    const short = [202, new Uint8Array(230)] as const;
    const more = withOptions([200, new Uint8Array(600)], [201, Uint8Array.of(1)], short, [203, new Uint8Array(231)]);
    const packet = decodePacket(encodePacket(more, { onLeftOut }));
    expect([...packet.options.keys()]).toEqual([53, 201, 202]);
    expect(missed).toEqual([
      [200, 600],
      [203, 231],
    ]);
  });

  it('keeps the message type, whatever the relay added', () => {
    const added = new Uint8Array(300);
    const { options } = decodePacket(encodePacket(withOptions([82, added])));
    expect(options.get(82)).toEqual(added);
    expect(readOption(options, messageType)).toBe('offer');
  });

  it('writes a name that fills its field, as it was read', () => {
    const packet = { ...reply, sname: 'x'.repeat(64) };
    expect(decodePacket(encodePacket(packet))).toEqual(packet);
    expect(() => encodePacket({ ...reply, sname: 'x'.repeat(65) })).toThrow(/longer than 64 bytes/);
  });

  it.each([0, 52, 255, 256, 1.5])('refuses an option %d', (code) =>
    expect(() => encodePacket(withOptions([code, Uint8Array.of(1)]))).toThrow(RangeError),
  );

  it('has larger messages for clients that take them', () => {
    const large = withOptions([200, new Uint8Array(250)], [201, new Uint8Array(250)], [202, new Uint8Array(250)]);
    expect(decodePacket(encodePacket(large, { maxSize: 1472 }))).toEqual(large);
  });
});

describe('BOOTP', () => {
  const { options: _, ...fields } = decodePacket(encodePacket(reply));
  const request = { ...fields, op: 'request' as const, options: new Map<number, Uint8Array>() };

  it('of RFC 951 has no magic cookie where it has no vendor information', () => {
    const bytes = encodePacket(request);
    bytes.fill(0, 236);
    expect(decodePacket(bytes)).toEqual(request);
    bytes[236] = 1;
    expect(() => decodePacket(bytes)).toThrow(/cookie/);
    bytes[236] = 0;
    bytes[0] = 2;
    expect(() => decodePacket(bytes)).toThrow(/cookie/);
  });

  it('takes 300 bytes: what does not fit is left out, and no field serves for it', () => {
    const long = new Map([1, 2, 3].map((code) => [code, new Uint8Array(40)] as const));
    const bytes = encodePacket({ ...request, options: long }, { maxSize: 328 });
    expect(bytes.length).toBe(300);
    expect([...decodePacket(bytes).options.keys()]).toEqual([1]);
  });
});
