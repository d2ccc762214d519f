import { describe, expect, it } from 'vitest';
import {
  bootFileName,
  broadcastAddress,
  circuitId,
  classlessRoutes,
  clientArch,
  clientIdentifier,
  clientInterface,
  clientMachineId,
  dnsServers,
  domainName,
  domainSearch,
  hostName,
  ipxeOptions,
  leaseTime,
  logServers,
  MalformedOptionError,
  maxMessageSize,
  message,
  messageType,
  ntpServers,
  type OptionCodec,
  optionOverload,
  parameterRequestList,
  rebindingTime,
  relayAgent,
  relayInformation,
  renewalTime,
  requestedAddress,
  routers,
  serverIdentifier,
  subnetMask,
  tftpServerName,
  userClass,
  vendorClass,
  vendorSpecific,
} from '../index';

const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

interface Case {
  readonly code: number;
  readonly name: string;
  readonly raw: string;
  readonly value: unknown;
  readonly decoded: () => unknown;
  readonly encoded: () => Uint8Array;
  readonly decodeRaw: (raw: Uint8Array) => unknown;
}
function sample<T>(codec: OptionCodec<T>, raw: string, value: T): Case {
  return {
    code: codec.code,
    name: codec.name,
    raw,
    value,
    decoded: () => codec.decode(hex(raw)),
    encoded: () => codec.encode(value),
    decodeRaw: (bytes) => codec.decode(bytes),
  };
}

const samples: readonly Case[] = [
  sample(subnetMask, 'ffffff00', '255.255.255.0'),
  sample(routers, '0a0000010a000002', ['10.0.0.1', '10.0.0.2']),
  sample(dnsServers, '08080808', ['8.8.8.8']),
  sample(logServers, '0a000001', ['10.0.0.1']),
  sample(hostName, '6e31', 'n1'),
  sample(domainName, '612e62', 'a.b'),
  sample(broadcastAddress, '0a0000ff', '10.0.0.255'),
  sample(ntpServers, '0a000001', ['10.0.0.1']),
  sample(vendorSpecific, '060108ff', new Map([[6, Uint8Array.of(8)]])),
  sample(requestedAddress, '0a000005', '10.0.0.5'),
  sample(leaseTime, '00015180', 86400),
  sample(optionOverload, '03', { file: true, sname: true }),
  sample(messageType, '08', 'inform'),
  sample(serverIdentifier, '0a000001', '10.0.0.1'),
  sample(parameterRequestList, '0103ff', [1, 3, 255]),
  sample(message, '6e6f', 'no'),
  sample(maxMessageSize, '05c0', 1472),
  sample(renewalTime, 'ffffffff', 0xffffffff),
  sample(rebindingTime, '00000001', 1),
  sample(vendorClass, '505845436c69656e74', 'PXEClient'),
  sample(clientIdentifier, '01525400990001', { type: 1, id: hex('525400990001') }),
  sample(tftpServerName, '31302e302e302e31', '10.0.0.1'),
  sample(bootFileName, '61', 'a'),
  sample(userClass, '69505845', { form: 'raw', classes: ['iPXE'] }),
  sample(userClass, '0469505845', { form: 'rfc3004', classes: ['iPXE'] }),
  sample(userClass, '016102626302', { form: 'raw', classes: ['\x01a\x02bc\x02'] }),
  sample(userClass, '0161026263', { form: 'rfc3004', classes: ['a', 'bc'] }),
  sample(
    relayAgent,
    '010141020142',
    new Map([
      [1, hex('41')],
      [2, hex('42')],
    ]),
  ),
  sample(clientArch, '00070009', [7, 9]),
  sample(clientInterface, '010300', { type: 1, major: 3, minor: 0 }),
  sample(clientMachineId, `00${'11'.repeat(16)}`, { type: 0, guid: hex('11'.repeat(16)) }),
  sample(domainSearch, '03656e67056170706c6503636f6d00096d61726b6574696e67c004', [
    'eng.apple.com',
    'marketing.apple.com',
  ]),
  sample(classlessRoutes, '080ac0a8010a0cac10c0a80114', [
    { destination: '10.0.0.0/8', router: '192.168.1.10' },
    { destination: '172.16.0.0/12', router: '192.168.1.20' },
  ]),
  sample(classlessRoutes, '000a000001', [{ destination: '0.0.0.0/0', router: '10.0.0.1' }]),
  sample(ipxeOptions, 'b00101ff', new Map([[176, Uint8Array.of(1)]])),
];

describe.each(samples)('option $code $name $raw', ({ raw, value, decoded, encoded, decodeRaw }) => {
  it('reads', () => expect(decoded()).toEqual(value));
  it('writes', () => expect(encoded()).toEqual(hex(raw)));
  it('reads every shorter or changed value, or refuses it as malformed', () => {
    const whole = hex(raw);
    const variants = Array.from(whole, (_, length) => whole.subarray(0, length));
    whole.forEach((_, at) => {
      for (const byte of [0, 63, 64, 192, 193, 255]) {
        const changed = whole.slice();
        changed[at] = byte;
        variants.push(changed);
      }
    });
    for (const variant of variants) {
      try {
        decodeRaw(variant);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedOptionError);
      }
    }
  });
});

describe('what was read is written so that it is read again', () => {
  it('text of NULs only', () => {
    expect(hostName.decode(hex('0000'))).toBe('');
    expect(hostName.decode(hostName.encode(''))).toBe('');
  });
  it('a padded user class', () => {
    expect(userClass.decode(hex('016100'))).toEqual({ form: 'rfc3004', classes: ['a'] });
    expect(userClass.decode(hex('6950584500'))).toEqual({ form: 'raw', classes: ['iPXE'] });
  });
  it('a sub-option in parts', () => {
    const value = new Uint8Array(300).fill(7);
    const values = new Map([[1, value]]);
    expect(relayAgent.decode(relayAgent.encode(values))).toEqual(values);
  });
  it('domains that differ in case only', () => {
    const domains = ['Example.COM', 'example.com'];
    expect(domainSearch.decode(domainSearch.encode(domains))).toEqual(domains);
  });
});

describe('what cannot be written', () => {
  const long = Array.from({ length: 5 }, () => 'x'.repeat(60)).join('.');
  it.each([
    ['a route without a prefix', () => classlessRoutes.encode([{ destination: '10.0.0.0', router: '10.0.0.1' }])],
    ['a route with a bad prefix', () => classlessRoutes.encode([{ destination: '10.0.0.0/33', router: '10.0.0.1' }])],
    ['a long domain', () => domainSearch.encode([long])],
    ['an empty user class', () => userClass.encode({ form: 'rfc3004', classes: [''] })],
    ['a long user class', () => userClass.encode({ form: 'rfc3004', classes: ['x'.repeat(256)] })],
    ['a sub-option 255', () => vendorSpecific.encode(new Map([[255, Uint8Array.of(1)]]))],
  ])('%s', (_, write) => expect(write).toThrow(RangeError));
});

describe('relayInformation', () => {
  it('has circuit, remote end, link and server', () =>
    expect(relayInformation(hex('010141' + '020142' + '05040a000100' + '0a0180' + '0b040a000101'))).toEqual({
      ...{ circuitId: hex('41'), remoteId: hex('42'), linkSelection: '10.0.1.0' },
      ...{ wasUnicast: true, serverIdOverride: '10.0.1.1' },
    }));
  it('knows a relay with a port of its own (RFC 8357)', () =>
    expect(relayInformation(hex('020142' + '1300'))).toEqual({ remoteId: hex('42'), hasOwnPort: true }));
  it('has what is there, and ignores what it does not know', () =>
    expect(relayInformation(hex('020142' + '970201ff'))).toEqual({ remoteId: hex('42') }));
  it.each(['05030a0001', '0b050a00010101', '0504'])('refuses %s', (raw) =>
    expect(() => relayInformation(hex(raw))).toThrow(/option 82: sub-option/),
  );
});

describe('quirks', () => {
  it('refuses a domain of more than 255 bytes, which pointers make of few', () => {
    const label = '3f' + '61'.repeat(63);
    expect(() => domainSearch.decode(hex(`${label}${label}${label}00${label}c000`))).toThrow(/longer than 255 bytes/);
  });
  it('refuses a label with a dot', () => expect(() => domainSearch.decode(hex('03612e6200'))).toThrow(/dot at byte 0/));
  it('takes text with a NUL at its end', () => expect(bootFileName.decode(hex('6100'))).toBe('a'));
  it('takes sub-options with pads and without an end mark', () =>
    expect(vendorSpecific.decode(hex('0000060108'))).toEqual(new Map([[6, Uint8Array.of(8)]])));
  it('refuses a domain name that points at itself', () =>
    expect(() => domainSearch.decode(hex('c000'))).toThrow(MalformedOptionError));
  it.each(['256.1.1.1', '1.2.3', '', '1.2.3.4.5', '1.2.3.x'])('does not write %j as an address', (text) =>
    expect(() => requestedAddress.encode(text)).toThrow(RangeError),
  );
});

describe('circuitId', () => {
  const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  it('is sub-option 1 without the logical unit', () =>
    expect(circuitId(bytes('\x01\x19esr1.d11.lab1:ge-1/0/47.0\x02\x0bge-1/0/47.0'))).toBe('esr1.d11.lab1:ge-1/0/47'));
  it('refuses one that is cut off', () =>
    expect(() => circuitId(bytes('\x01\x19esr1.d11.la'))).toThrow(/sub-option 1 at byte 0 is cut off/));
  it('refuses an option without it', () => expect(() => circuitId(bytes('\x02\x01a'))).toThrow(/no circuit id/));
});
