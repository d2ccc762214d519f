import { describe, expect, it } from 'vitest';
import { acknowledgedBlock, decodeTftp, encodeTftp, MalformedTftpError, type TftpPacket, toNetascii } from './index';

const packets: readonly TftpPacket[] = [
  { op: 'rrq', file: 'undionly.kpxe', mode: 'octet', options: new Map() },
  {
    op: 'rrq',
    file: 'a/b',
    mode: 'netascii',
    options: new Map([
      ['blksize', '1468'],
      ['tsize', '0'],
    ]),
  },
  { op: 'wrq', file: 'x', mode: 'octet', options: new Map() },
  { op: 'data', block: 65535, data: Uint8Array.of(1, 2, 3) },
  { op: 'data', block: 1, data: new Uint8Array() },
  { op: 'ack', block: 513 },
  { op: 'error', code: 1, message: 'no such file' },
  { op: 'oack', options: new Map([['tsize', '7']]) },
];

describe('TFTP packets', () => {
  it.each(packets)('$op is read as it was written, and at every shorter length read or refused', (packet) => {
    const bytes = encodeTftp(packet);
    expect(decodeTftp(bytes)).toEqual(packet);
    for (let length = 0; length < bytes.length; length++) {
      try {
        decodeTftp(bytes.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedTftpError);
      }
    }
  });

  it.each(packets)('$op is an acknowledgement exactly when it is read as one, at every length', (packet) => {
    const bytes = encodeTftp(packet);
    for (let length = 0; length <= bytes.length; length++) {
      const part = bytes.subarray(0, length);
      expect(acknowledgedBlock(part)).toBe(blockOf(part));
    }
    expect(acknowledgedBlock(Uint8Array.of(0, 4, 255, 255, 9))).toBe(65_535);
    expect(acknowledgedBlock(Uint8Array.of(1, 4, 0, 1))).toBeUndefined();
  });

  it('has the bytes of RFC 1350', () => {
    expect([...encodeTftp({ op: 'ack', block: 258 })]).toEqual([0, 4, 1, 2]);
    const request = encodeTftp({ op: 'rrq', file: 'a', mode: 'octet', options: new Map([['tsize', '0']]) });
    expect(String.fromCharCode(...request)).toBe('\0\x01a\0octet\0tsize\x000\0');
  });

  it('takes names of modes and options in any case, the first of two equal options', () => {
    const bytes = Uint8Array.from('\0\x01a\0OCTET\0BlkSize\x008\0BLKSIZE\x009\0', (c) => c.charCodeAt(0));
    expect(decodeTftp(bytes)).toEqual({ op: 'rrq', file: 'a', mode: 'octet', options: new Map([['blksize', '8']]) });
  });

  it.each(['', 'tsize\x000\0'])('takes a request that is filled up with NULs, options %j', (options) => {
    for (let more = 1; more < 40; more++) {
      const bytes = Uint8Array.from(`\0\x01a\0octet\0${options}${'\0'.repeat(more)}`, (c) => c.charCodeAt(0));
      const told = new Map(options === '' ? [] : [['tsize', '0']]);
      expect(decodeTftp(bytes)).toEqual({ op: 'rrq', file: 'a', mode: 'octet', options: told });
    }
  });

  it('takes an error without the final NUL', () =>
    expect(decodeTftp(Uint8Array.of(0, 5, 0, 1, 97))).toEqual({ op: 'error', code: 1, message: 'a' }));

  it.each([
    ['opcode', '\0\x09ab', /opcode 9/],
    ['file name', '\0\x01\0octet\0', /without a file name/],
    ['mode', '\0\x01abc\0', /without a mode/],
    ['value', '\0\x01a\0octet\0blksize\0', /option "blksize" without a value/],
    ['end', '\0\x01a\0octet', /without a NUL/],
    ['length', `\0\x01${'a'.repeat(600)}\0octet\0`, /512 is the limit/],
  ])('names a missing or wrong %s', (_, text, message) =>
    expect(() => decodeTftp(Uint8Array.from(text, (c) => c.charCodeAt(0)))).toThrow(message),
  );
});

describe('netascii', () => {
  it('ends lines with CR LF and marks a bare CR', () =>
    expect([...toNetascii(Uint8Array.of(97, 10, 13, 98))]).toEqual([97, 13, 10, 13, 0, 98]));
});

function blockOf(bytes: Uint8Array): number | undefined {
  try {
    const packet = decodeTftp(bytes);
    return packet.op === 'ack' ? packet.block : undefined;
  } catch {
    return undefined;
  }
}
