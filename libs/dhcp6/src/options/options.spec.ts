import { describe, expect, it } from 'vitest';
import {
  bootFileParameters,
  bootFileUrl,
  clientArch,
  clientId,
  clientInterface,
  dnsServers,
  domainSearch,
  duidBytes,
  elapsedTime,
  iaAddress,
  iaNa,
  iaPd,
  iaTa,
  informationRefreshTime,
  interfaceId,
  linkLayerAddress,
  linkLayerMac,
  macOfDuid,
  MalformedOptionError,
  MalformedPacketError,
  ntpServers,
  type OptionCodec,
  optionCodecs,
  optionRequest,
  parseDuid,
  preference,
  rapidCommit,
  relayMessage,
  relaySourcePort,
  serverId,
  sntpServers,
  statusCode,
  userClass,
  vendorClass,
  vendorOptions,
} from '../index';

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const db8 = '20010db8000000000000000000000001';

interface Sample {
  readonly codec: OptionCodec<unknown>;
  readonly raw: string;
  readonly value: unknown;
}
const sample = <T>(codec: OptionCodec<T>, raw: string, value: T): Sample => ({
  codec: codec as OptionCodec<unknown>,
  raw: raw.replaceAll(/\s/g, ''),
  value,
});

const address = { address: '2001:db8::1', preferredSeconds: 3000, validSeconds: 4000, options: [] };
const samples: readonly Sample[] = [
  sample(clientId, '00030001525400990001', hex('00030001525400990001')),
  sample(serverId, '00040123456789abcdef0123456789abcdef', hex('00040123456789abcdef0123456789abcdef')),
  sample(iaNa, `00000007 00000384 000005a0 0005 0018 ${db8} 00000bb8 00000fa0`, {
    ...{ iaid: 7, t1: 900, t2: 1440 },
    options: [{ code: 5, value: iaAddress.encode(address) }],
  }),
  sample(iaTa, '00000007', { iaid: 7, options: [] }),
  sample(iaAddress, `${db8} 00000bb8 00000fa0`, address),
  sample(iaPd, 'ffffffff 00000000 00000000', { iaid: 0xffffffff, t1: 0, t2: 0, options: [] }),
  sample(optionRequest, '003b003c', [59, 60]),
  sample(optionRequest, '', []),
  sample(preference, 'ff', 255),
  sample(elapsedTime, 'ffff', 65535),
  sample(relayMessage, '01112233', hex('01112233')),
  sample(relaySourcePort, 'c000', 49152),
  sample(statusCode, '0002 6e6f6e65', { code: 2, message: 'none' }),
  sample(rapidCommit, '', true),
  sample(userClass, '0004 69505845', ['iPXE']),
  sample(vendorClass, '00000157 0009 50584543 6c69656e 74', { enterprise: 343, classes: ['PXEClient'] }),
  sample(vendorOptions, '00000157 0001 0001 ff', { enterprise: 343, options: [{ code: 1, value: hex('ff') }] }),
  sample(interfaceId, '65746830', hex('65746830')),
  sample(dnsServers, db8, ['2001:db8::1']),
  sample(domainSearch, '0161 0162 00 0162 00', ['a.b', 'b']),
  sample(sntpServers, `${db8}${db8}`, ['2001:db8::1', '2001:db8::1']),
  sample(informationRefreshTime, '00015180', 86400),
  sample(ntpServers, `0001 0010 ${db8}`, [{ kind: 'address', value: '2001:db8::1' }]),
  sample(ntpServers, '0002 0010 ff05 0000 0000 0000 0000 0000 0000 0101', [{ kind: 'group', value: 'ff05::101' }]),
  sample(ntpServers, '0003 0006 016e 0261 62 00', [{ kind: 'name', value: 'n.ab' }]),
  sample(bootFileUrl, '687474703a2f2f782f', 'http://x/'),
  sample(bootFileParameters, '0001 61 0000', ['a', '']),
  sample(clientArch, '0007 0010', [7, 16]),
  sample(clientInterface, '010310', { type: 1, major: 3, minor: 16 }),
  sample(linkLayerAddress, '0001 525400990001', { hardware: 1, address: hex('525400990001') }),
];

/** What makes sense at any length: bytes and text. */
const anyLength = new Set([9, 18, 59]);

describe.each(samples)('option $codec.code, $codec.name: $raw', ({ codec, raw, value }) => {
  it('is read', () => expect(codec.decode(hex(raw))).toEqual(value));
  it('is written', () => expect(Buffer.from(codec.encode(value)).toString('hex')).toBe(raw));
  it('cut off at any byte is malformed or read as less, never an error of ours', () => {
    const whole = hex(raw);
    for (let length = 0; length < whole.length; length++) {
      try {
        expect(codec.decode(whole.subarray(0, length))).not.toEqual(value);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedPacketError);
      }
    }
  });
});

describe('the options', () => {
  it('are all sampled', () =>
    expect([...new Set(samples.map(({ codec }) => codec.code))].sort()).toEqual(
      optionCodecs.map(({ code }) => code).sort(),
    ));
  it.each(samples.filter(({ codec, raw }) => raw !== '' && !anyLength.has(codec.code) && codec.code !== 6))(
    '$codec.name without bytes is malformed, but for lists',
    ({ codec }) => {
      const isList = codec === domainSearch || codec === ntpServers;
      if (isList) expect(codec.decode(new Uint8Array())).toEqual([]);
      else expect(() => codec.decode(new Uint8Array())).toThrow(MalformedOptionError);
    },
  );
  it.each([
    [iaNa, '0000', 'option 3: length 2, expected at least 12'],
    [iaNa, '000000070000000000000000 0005', 'option 3: 2 bytes are no option (at byte 12)'],
    [iaAddress, db8, 'option 5: length 16, expected at least 24'],
    [optionRequest, '00', 'option 6: length 1 is odd'],
    [preference, '0102', 'option 7: length 2, expected 1'],
    [rapidCommit, '00', 'option 14: length 1, expected 0'],
    [userClass, '00046950', 'option 15: item at byte 0 is cut off'],
    [vendorClass, '0000015700', 'option 16: item at byte 4 is cut off'],
    [dnsServers, '2001', 'option 23: length 2 is not a positive multiple of 16'],
    [domainSearch, '0161c000', 'option 24: bad label at byte 2'],
    [ntpServers, '0001000101', 'option 56: sub-option 1 of 1 bytes, expected 16'],
    [ntpServers, '00030000', 'option 56: sub-option 3 of 0 names, expected one'],
    [ntpServers, '00030004 0161c000', 'option 56: bad label at byte 2'],
    [clientArch, '00', 'option 61: length 1 is not a positive multiple of 2'],
    [clientId, '0003', 'option 1: length 2, expected at least 3'],
    [clientId, `0003${'00'.repeat(129)}`, 'option 1: a DUID of 131 bytes, 130 is the limit'],
  ] as const)('%# says what is wrong', (codec, raw, message) =>
    expect(() => codec.decode(hex(raw))).toThrow(new MalformedOptionError(fault(message))),
  );
});

function fault(message: string) {
  const [, code = '', reason = ''] = /^option (\d+): (.*)$/.exec(message) ?? [];
  return { option: Number(code), reason };
}

describe('a DUID', () => {
  it.each([
    ['0001000130eec38f525400990001', '52-54-00-99-00-01'],
    ['00030001525400990001', '52-54-00-99-00-01'],
    ['00030006525400990001', undefined],
    ['0003000152540099000102', undefined],
    ['0002000000010203', undefined],
    ['00040123456789abcdef0123456789abcdef', undefined],
    ['000401', undefined],
    ['ffff01', undefined],
    // Too short for its type: as good as any (RFC 8415 §11).
    ['00010001 30eec38f', undefined],
    ['000200000001', undefined],
    ['00030001', undefined],
  ])('%s is of %s', (raw, mac) => {
    const duid = parseDuid(hex(raw), 1);
    expect(macOfDuid(duid)).toBe(mac);
    expect(duidBytes(duid)).toEqual(hex(raw));
  });
  it('is not the only word on the MAC: the relay has one', () => {
    expect(linkLayerMac(linkLayerAddress.decode(hex('0001525400990001')))).toBe('52-54-00-99-00-01');
    expect(linkLayerMac(linkLayerAddress.decode(hex('0020525400990001')))).toBeUndefined();
  });
});
