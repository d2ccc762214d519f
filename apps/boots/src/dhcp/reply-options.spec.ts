import {
  classlessRoutes,
  decodePacket,
  dnsServers,
  encodePacket,
  ntpServers,
  option,
  parameterRequestList,
  readOption,
  requestedAddress,
  vendorClass,
} from '@tinkerbell/dhcp';
import type { HardwareDhcp, HardwareDhcpOption } from '@tinkerbell/events';
import { describe, expect, it } from 'vitest';
import { respond } from './dhcp.responder';
import { recordOptions } from './record-options';
import {
  contextOf,
  firmware,
  hardwareId,
  mac,
  requestOf,
  reservation,
  reserved,
  serverAddress,
} from './requests.testing';

type Entries = readonly (readonly [number, Uint8Array])[];

function reply(
  asked: readonly number[] | undefined,
  record: Partial<HardwareDhcp> = {},
  more: Entries = [],
  over = {},
) {
  const options = [...(asked ? [option(parameterRequestList, asked)] : []), ...more];
  const machine = { mac, hardwareId, interface: reservation(record) };
  const decision = respond(requestOf('discover', options, over), contextOf({ machine }));
  if (decision.kind !== 'reply') throw new Error(decision.kind);
  return decision;
}
const codes = (...given: Parameters<typeof reply>) => [...reply(...given).packet.options.keys()];
const routes = (...destinations: readonly string[]): HardwareDhcpOption => ({
  code: 121,
  type: 'routes',
  value: destinations.map((destination) => ({ destination, router: '192.168.1.9' })),
});

describe('order (RFC 2132 §9.8)', () => {
  const mandatory = [53, 54, 51, 58, 59, 1];
  it.each([
    ['as asked', [28, 6, 12, 3], [28, 6, 12, 3]],
    ['the other way round', [3, 12, 6, 28], [3, 12, 6, 28]],
    ['the mask before the gateway, whatever was asked (§3.3)', [3, 1], [3]],
    ['asked twice, sent once', [6, 3, 6], [6, 3]],
    ['what we have not is not sent', [249, 6, 0, 255, 77], [6]],
    ['nothing asked, nothing but what is mandatory', [], []],
  ])('%s', (_, asked, wanted) => expect(codes(asked)).toEqual([...mandatory, ...wanted]));

  it('of firmware: boot options where they were asked for, then those that nobody asks for, client id, relay', () => {
    const more = [...firmware(7), [61, Uint8Array.of(1, 2)], [82, Uint8Array.of(1, 1, 65)]] as const;
    const wanted = [67, 3, 43, 66, 43, 93, 94, 61, 82];
    expect(codes([67, 3, 43, 66], {}, more)).toEqual([...mandatory, ...new Set(wanted)]);
  });

  it('without option 55 everything, in the order of importance', () =>
    expect(codes(undefined)).toEqual([...mandatory, 3, 6, 12, 15, 28, 42, 119]));
});

describe('small messages (RFC 2132 §9.3, §9.10)', () => {
  const dns = Array.from({ length: 5 }, (_, i) => `10.0.0.${i + 1}`);
  const crowded = { name_servers: dns, hostname: 'h'.repeat(60), domain_name: `${'d'.repeat(60)}.${'e'.repeat(60)}` };
  it.each([576, 640, 1024, 1472])('of %i bytes at most', (size) => {
    const wanted = [119, 15, 12, 6, 3, 28, 42];
    const options = [...firmware(7), [57, Uint8Array.of(size >> 8, size & 255)], [82, new Uint8Array(100)]] as const;
    const { packet, maxSize } = reply(wanted, crowded, options);
    const bytes = encodePacket(packet, { maxSize });
    expect(bytes.length).toBeLessThanOrEqual(size - 28);
    const { options: sent } = decodePacket(bytes);
    for (const code of [53, 54, 51, 58, 59, 1, 119, 82]) expect(sent.get(code)).toEqual(packet.options.get(code));
  });

  it('use file and sname where no boot file stands', () => {
    const { packet, maxSize } = reply([119, 15, 12, 6, 3, 28, 42], crowded, [[82, new Uint8Array(100)]]);
    const { options, file, sname } = decodePacket(encodePacket(packet, { maxSize }));
    expect([...options.keys()].sort()).toEqual([...packet.options.keys()].sort());
    expect({ file, sname }).toEqual({ file: '', sname: '' });
  });

  it.each([
    ['nonsense', Uint8Array.of(1), 576],
    ['too small', Uint8Array.of(0, 100), 576],
    ['larger than a frame, as OVMF says', Uint8Array.of(255, 0), 1500],
  ])('a size that is %s', (_, raw, size) => expect(reply([], {}, [[57, raw]]).maxSize).toBe(size));
});

describe('classless routes (RFC 3442)', () => {
  const sent = (asked: readonly number[] | undefined, record: Partial<HardwareDhcp>) =>
    readOption(reply(asked, record).packet.options, classlessRoutes);

  it('take the place of the gateway, which becomes the default route', () => {
    const record = { options: [routes('10.0.0.0/8')] };
    expect(codes([121, 3, 6], record).slice(6)).toEqual([121, 6]);
    expect(sent([121, 3], record)).toEqual([
      { destination: '10.0.0.0/8', router: '192.168.1.9' },
      { destination: '0.0.0.0/0', router: '192.168.1.1' },
    ]);
  });
  it('with a default route of their own stay as they are', () =>
    expect(sent([121], { options: [routes('0.0.0.0/0')] })).toEqual([
      { destination: '0.0.0.0/0', router: '192.168.1.9' },
    ]));
  it('to a client that does not ask for them go beside the gateway, with that: busybox ignores option 3 then', () => {
    expect(codes([3], { options: [routes('10.0.0.0/8')] }).slice(6)).toEqual([3, 121]);
    expect(sent([3], { options: [routes('10.0.0.0/8')] })).toEqual([
      { destination: '10.0.0.0/8', router: '192.168.1.9' },
      { destination: '0.0.0.0/0', router: '192.168.1.1' },
    ]);
    expect(sent(undefined, { options: [routes('10.0.0.0/8')] })).toHaveLength(1);
  });
  it('have the router that option 3 names by number as their default route', () => {
    const byNumber: HardwareDhcpOption = { code: 3, type: 'ips', value: ['192.168.1.254', '192.168.1.253'] };
    const ip = { address: '192.168.1.100', netmask: '255.255.255.0', gateway: '', family: 4 } as const;
    for (const record of [{}, { ip }]) {
      expect(sent([121, 3], { ...record, options: [byNumber, routes('10.0.0.0/8')] })?.at(-1)).toEqual({
        ...{ destination: '0.0.0.0/0', router: '192.168.1.254' },
      });
    }
  });
  it('that are no routes go out as the bytes that they are', () => {
    const { options } = reply([121], { options: [{ code: 121, type: 'hex', value: '21' }] }).packet;
    expect(options.get(121)).toEqual(Uint8Array.of(0x21));
  });
  it('that are not there leave the gateway alone', () => expect(codes([121, 3]).slice(6)).toEqual([3]));
});

describe('servers of both families in one record', () => {
  const both = ['fd00::53', '10.99.0.1', 'fe80::1'];
  const servers = (record: Partial<HardwareDhcp>, site: readonly string[] = []) => {
    const { server } = contextOf();
    const machine = { mac, hardwareId, interface: reservation(record) };
    const context = contextOf({ machine, server: { ...server, site: { ...server.site, nameServers: site } } });
    const decision = respond(requestOf('discover', [option(parameterRequestList, [6, 42])]), context);
    if (decision.kind !== 'reply') throw new Error(decision.kind);
    const { options } = decision.packet;
    return [readOption(options, dnsServers), readOption(options, ntpServers)];
  };
  it('are told in DHCPv4 as far as they are of IPv4', () =>
    expect(servers({ name_servers: both, time_servers: both })).toEqual([['10.99.0.1'], ['10.99.0.1']]));
  it('are those of the site where none is of IPv4, and none where that has none', () => {
    const only = { name_servers: ['fd00::53'], time_servers: ['fd00::123'] };
    expect(servers(only, ['10.0.0.53'])).toEqual([['10.0.0.53'], undefined]);
    expect(servers(only)).toEqual([undefined, undefined]);
  });
  it('of an old record that are no addresses are left out', () =>
    expect(servers({ name_servers: ['dns', '10.0.0.300', '10.0.0.3'] })[0]).toEqual(['10.0.0.3']));
});

describe('options of the record', () => {
  it.each<[HardwareDhcpOption, string]>([
    [{ code: 16, type: 'ip', value: '10.0.0.1' }, '0a000001'],
    [{ code: 42, type: 'ips', value: ['10.0.0.1', '10.0.0.2'] }, '0a0000010a000002'],
    [{ code: 100, type: 'text', value: 'CET' }, '434554'],
    [{ code: 224, type: 'hex', value: '00ff' }, '00ff'],
    [{ code: 119, type: 'domains', value: ['a.b', 'c.b'] }, '016101620001' + '63c002'],
    [{ code: 121, type: 'routes', value: [{ destination: '10.0.0.0/8', router: '10.0.0.1' }] }, '080a0a000001'],
    [{ code: 19, type: 'boolean', value: true }, '01'],
    [{ code: 19, type: 'boolean', value: false }, '00'],
    [{ code: 23, type: 'uint8', value: 64 }, '40'],
    [{ code: 26, type: 'uint16', value: 1500 }, '05dc'],
    [{ code: 132, type: 'uint32', value: 100 }, '00000064'],
    [{ code: 2, type: 'uint32', value: 0xffffffff }, 'ffffffff'],
  ])('%j', (given, hex) => {
    const raw = recordOptions([given]).get(given.code) ?? new Uint8Array();
    expect(Buffer.from(raw).toString('hex')).toBe(hex);
  });

  it('are sent whether asked for or not, in the place that was asked for', () => {
    const record: Partial<HardwareDhcp> = { options: [{ code: 132, type: 'uint32', value: 7 }] };
    expect(codes([3, 132, 6], record).slice(6)).toEqual([3, 132, 6]);
    expect(codes([3, 6], record).slice(6)).toEqual([3, 6, 132]);
  });

  it('take the place of what would have been sent', () => {
    const record: Partial<HardwareDhcp> = { options: [{ code: 6, type: 'ips', value: ['9.9.9.9'] }] };
    expect(reply([6], record).packet.options.get(6)).toEqual(Uint8Array.of(9, 9, 9, 9));
    expect(codes([6, 3], record).slice(6)).toEqual([6, 3]);
  });

  describe('66 and 67', () => {
    const file: HardwareDhcpOption = { code: 67, type: 'text', value: 'custom-boot.efi' };
    const server = (value: string): HardwareDhcpOption => ({ code: 66, type: 'text', value });
    it.each([
      [[file], 'custom-boot.efi', serverAddress],
      [[file, server('10.0.0.9')], 'custom-boot.efi', '10.0.0.9'],
      [[file, server('tftp.example')], 'custom-boot.efi', '0.0.0.0'],
      [[server('10.0.0.9')], '', '10.0.0.9'],
    ])('%j: our boot options are left out', (options, wantedFile, siaddr) => {
      const { packet } = reply([66, 67, 43], { options }, firmware(7));
      expect(packet).toMatchObject({ file: wantedFile, siaddr });
      expect(packet.options.has(43)).toBe(false);
    });
    it('are taken by UEFI HTTP boot, which wants option 60 back with them', () => {
      const url: HardwareDhcpOption = { code: 67, type: 'text', value: 'http://10.0.0.9/x.efi' };
      const given = (options: readonly HardwareDhcpOption[], kind: 'PXEClient' | 'HTTPClient') => {
        const { packet } = reply([60, 66, 67, 43], { options }, firmware(kind === 'HTTPClient' ? 16 : 7, kind));
        expect(packet.options.has(43)).toBe(false);
        return packet.options.has(60) ? readOption(packet.options, vendorClass) : undefined;
      };
      expect(given([url], 'HTTPClient')).toBe('HTTPClient');
      expect(given([url, { code: 60, type: 'text', value: 'HTTPClient:own' }], 'HTTPClient')).toBe('HTTPClient:own');
      expect(given([server('10.0.0.9')], 'HTTPClient')).toBeUndefined();
      expect(given([url], 'PXEClient')).toBeUndefined();
    });
    it('are no offer of ours to boot', () => {
      const machine = { mac, hardwareId, interface: reservation({ options: [file] }) };
      const request = requestOf('request', [...firmware(7), option(requestedAddress, reserved)]);
      expect(respond(request, contextOf({ machine }))).toMatchObject({ kind: 'reply', boot: undefined });
    });
  });
});
