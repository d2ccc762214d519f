import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import flat from '../../fixtures/hegel-cacherDataModel.json';
import bare from '../../fixtures/hegel-tinkerbellNoMetadata.json';
import textual from '../../fixtures/hegel-tinkerbellDataModel.json';
import ec2 from '../../fixtures/hegel-tinkerbellFilterMetadata.json';
import normalisation from '../../fixtures/hardware-normalisation.json';
import seed from '../../fixtures/tink-db-testdata.json';
import flat2 from '../../fixtures/tink-test-hardware_1.json';
import { InvalidDocumentError, type Fault } from '../errors';
import { hardwareConflicts } from './hardware-conflicts';
import { parseHardware } from './parse-hardware';
import { presentHardware } from './present-hardware';

const id = '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a95';
const dhcp = {
  mac: '08:00:27:00:00:01',
  hostname: 'server001',
  lease_time: 86400,
  name_servers: ['8.8.8.8'],
  time_servers: ['10.0.0.1'],
  arch: 'x86_64',
  uefi: false,
  iface_name: 'eth0',
  ip: { address: '192.168.1.5', netmask: '255.255.255.248', gateway: '192.168.1.1', family: 4 },
};
const netboot = {
  allow_pxe: true,
  allow_workflow: true,
  ipxe: { url: 'http://boot/menu.ipxe', contents: '#!ipxe\nshell\n' },
  osie: { base_url: 'http://boot/osie', kernel: 'vmlinuz-x86_64', initrd: 'initramfs-x86_64' },
};
const valid = { id, version: 1, metadata: { state: 'x' }, network: { interfaces: [{ dhcp, netboot }] } };

function faultsOf(input: unknown): readonly Fault[] {
  try {
    parseHardware(input);
  } catch (error) {
    if (error instanceof InvalidDocumentError) return error.faults;
    throw error;
  }
  return [];
}
/** The valid record with another value at the path; undefined takes it away. */
function changed(path: string, value: unknown): unknown {
  const copy = structuredClone(valid) as Record<string, unknown>;
  const keys = path.match(/[^.[\]]+/g) ?? [];
  const last = keys.pop() ?? '';
  const parent = keys.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

describe('hardware JSON', () => {
  it('has all its faults told at once, of an address too', () => {
    const ip = { address: '192.168.1.5', netmask: '255.255.255', gateway: '192.168' };
    expect(faultsOf(changed('network.interfaces[0].dhcp.ip', ip)).map(({ path }) => path)).toEqual([
      'network.interfaces[0].dhcp.ip.gateway',
      'network.interfaces[0].dhcp.ip.netmask',
    ]);
  });
  it('becomes a record with every default', () => {
    const { network, ...rest } = parseHardware({
      id,
      network: { interfaces: [{ dhcp: { mac: '52-54-00-AB-cd-01' } }] },
    });
    expect(rest).toEqual({ id, version: 0, metadata: {} });
    expect(network.interfaces).toEqual([
      {
        dhcp: {
          mac: '52-54-00-ab-cd-01',
          hostname: '',
          lease_time: 172_800,
          name_servers: [],
          time_servers: [],
          arch: 'x86_64',
          uefi: false,
          iface_name: '',
          domain_name: '',
          ip: null,
          options: [],
          options6: [],
          vlan_id: 0,
        },
        netboot: {
          allow_pxe: false,
          allow_workflow: false,
          ipxe: { url: '', contents: '', binary: '' },
          osie: { base_url: '', kernel: '', initrd: '', kernel_params: [], console: '' },
          rescue: false,
        },
      },
    ]);
  });
  it('comes as text too, and metadata as text in it', () => {
    expect(parseHardware(JSON.stringify(valid))).toEqual(parseHardware(valid));
    expect(parseHardware(changed('metadata', '{"state":"x"}'))).toEqual(parseHardware(valid));
    expect(parseHardware(changed('metadata', '')).metadata).toEqual({});
    expect(parseHardware(changed('metadata', null)).metadata).toEqual({});
  });
  it('may have int64 as digits, as proto3 JSON writes them', () => {
    const record = parseHardware(changed('network.interfaces[0].dhcp.lease_time', '3600'));
    expect(record.network.interfaces[0]?.dhcp.lease_time).toBe(3600);
    expect(parseHardware(changed('version', '7')).version).toBe(7);
  });
  it('may have IPv6, written in one way', () => {
    const ip = { address: '2001:DB8::0:1', gateway: 'fe80:0:0:0::1', family: 6 };
    expect(parseHardware(changed('network.interfaces[0].dhcp.ip', ip)).network.interfaces[0]?.dhcp.ip).toEqual({
      address: '2001:db8::1',
      netmask: '',
      gateway: 'fe80::1',
      family: 6,
    });
  });
  it.each([
    ['network', null],
    ['network', undefined],
    ['network.interfaces', null],
    ['network.interfaces', [null]],
    ['network.interfaces', [{}]],
    ['network.interfaces', [{ dhcp: null }]],
    ['network.interfaces', [{ dhcp: null, netboot: null }]],
  ])('may have %s %j: no interface', (path, value) =>
    expect(parseHardware(changed(path, value)).network.interfaces).toEqual([]),
  );
  it.each([null, {}, { address: '', netmask: '', gateway: '' }, { family: 0 }])(
    'may have the address %j: none',
    (value) =>
      expect(parseHardware(changed('network.interfaces[0].dhcp.ip', value)).network.interfaces[0]?.dhcp.ip).toBeNull(),
  );
  it.each([seed, ec2, textual, bare].map((fixture) => [fixture.id, fixture] as const))(
    'takes the original’s sample %s',
    (_id, fixture) => expect(faultsOf(fixture)).toEqual([]),
  );
  it.each(normalisation.cases.filter(({ macs }) => Array.isArray(macs)))('MACs: $name', ({ macs, want }) => {
    const interfaces = (macs as string[]).map((mac, i) => ({
      dhcp: { ...dhcp, mac, ip: { ...dhcp.ip, address: `192.168.1.${i + 2}` } },
    }));
    const shown = presentHardware(parseHardware({ ...valid, network: { interfaces } }));
    expect(shown.network.interfaces.map((item) => item.dhcp.mac)).toEqual(want);
  });
  it('may say how the in-memory OS is booted, and is shown as it was pushed', () => {
    const osie = {
      base_url: '',
      kernel: '',
      initrd: '',
      kernel_params: ['iommu=pt', 'a.b=1,2'],
      console: 'ttyS1,115200n8',
    };
    const path = 'network.interfaces[0].netboot';
    const { network } = changed(path, { ...netboot, osie, rescue: true }) as typeof valid;
    const pushed = {
      ...valid,
      network: { interfaces: [{ ...network.interfaces[0], dhcp: { ...dhcp, vlan_id: 100 } }] },
    };
    expect(presentHardware(parseHardware(pushed))).toEqual(pushed);
    expect(parseHardware(pushed).network.interfaces[0]?.netboot).toMatchObject({ osie, rescue: true });
  });
  it('is shown as it was pushed', () => {
    const shown = presentHardware(parseHardware(valid));
    expect(shown).toEqual(valid);
    expect(parseHardware(shown)).toEqual(parseHardware(valid));
  });
});

const i0 = 'network.interfaces[0]';
const single: readonly (readonly [string, unknown, string, string?])[] = [
  ['id', undefined, 'id must be set to a UUID, got id: '],
  ['id', null, 'id must be set to a UUID, got id: '],
  ['id', '', 'id must be set to a UUID, got id: '],
  ['id', 'server1', 'id must be set to a UUID, got id: server1'],
  ['id', 5, 'id must be set to a UUID, got id: 5'],
  ['version', -1, 'must be 0 to 9007199254740991, got -1'],
  ['version', 'x', 'must be a whole number, got "x"'],
  ['metadata', [], 'must be a JSON object or a string that holds one, got a list'],
  ['metadata', '[1]', 'must be a JSON object or a string that holds one, got a list'],
  ['metadata', '{"a":', 'is not JSON: '],
  ['metadata', 3, 'must be a JSON object or a string that holds one, got a number'],
  ['metadata.big', Number.POSITIVE_INFINITY, 'Infinity is not a JSON value'],
  ['metadata', '{"big":1e999}', 'Infinity is not a JSON value', 'metadata.big'],
  ['network.interfaces[0].dhcp.vlan_id', 4095, 'must be 0 to 4094, got 4095'],
  ['network.interfaces[0].netboot.rescue', 'on', 'must be true or false, got "on"'],
  ['network.interfaces[0].netboot.osie.console', 'ttyS0 quiet', '"ttyS0 quiet" is not a console such as ttyS1,115200'],
  ...['a b', 'a"b', "a'b", 'a\\b', '${x}', '--', '||', '#x', 'ü'].map(
    (word): readonly [string, unknown, string, string] => [
      'network.interfaces[0].netboot.osie.kernel_params',
      ['quiet', word],
      `${JSON.stringify(word)} is not one kernel argument: no spaces, quotes, backslashes or "\${"`,
      'network.interfaces[0].netboot.osie.kernel_params[1]',
    ],
  ),
  ['nic', 1, 'unknown key; known are id, version, metadata, network'],
  ['network', [], 'must be an object, got a list'],
  ['network.nics', [], 'unknown key; known are interfaces'],
  ['network.interfaces', {}, 'must be a list, got an object'],
  [i0, 'eth0', 'must be an object, got a string'],
  [`${i0}.name`, 'eth0', 'unknown key; known are dhcp, netboot'],
  [`${i0}.dhcp`, undefined, 'is required: netboot belongs to a MAC'],
  [`${i0}.dhcp`, 'x', 'must be an object, got a string', `${i0}.dhcp`],
  [`${i0}.dhcp.adress`, 1, 'unknown key; known are mac, hostname'],
  [`${i0}.dhcp.mac`, undefined, 'is required'],
  [`${i0}.dhcp.mac`, '', 'is required'],
  [`${i0}.dhcp.mac`, '08:00:27:00:00', '"08:00:27:00:00" is not a MAC address'],
  [`${i0}.dhcp.mac`, '08:00-27:00:00:01', 'is not a MAC address'],
  [`${i0}.dhcp.mac`, '00:00:00:00:00:00', 'is not the address of one machine'],
  [`${i0}.dhcp.mac`, 'FF:ff:ff:ff:ff:ff', 'is not the address of one machine'],
  [`${i0}.dhcp.mac`, 12, 'must be a string, got a number'],
  [`${i0}.dhcp.hostname`, 'a b', '"a b" is not a host name'],
  [`${i0}.dhcp.hostname`, '-a', '"-a" is not a host name'],
  [`${i0}.dhcp.hostname`, 'a'.repeat(256), 'is 256 characters long, more than 255'],
  [`${i0}.dhcp.hostname`, 'a'.repeat(64), 'is not a host name'],
  [`${i0}.dhcp.hostname`, 'a\nb', 'contains a control character'],
  [`${i0}.dhcp.lease_time`, -1, 'must be 0 to 4294967295, got -1'],
  [`${i0}.dhcp.lease_time`, 4294967296, 'must be 0 to 4294967295, got 4294967296'],
  [`${i0}.dhcp.lease_time`, 1.5, 'must be a whole number, got 1.5'],
  [`${i0}.dhcp.lease_time`, true, 'must be a whole number, got true'],
  [`${i0}.dhcp.name_servers`, '8.8.8.8', 'must be a list, got a string'],
  [`${i0}.dhcp.name_servers`, ['dns'], '"dns" is not an IP address', `${i0}.dhcp.name_servers[0]`],
  [`${i0}.dhcp.name_servers`, ['8.8.8.8', ''], 'is empty', `${i0}.dhcp.name_servers[1]`],
  [`${i0}.dhcp.name_servers`, Array(17).fill('8.8.8.8'), 'has 17 items, more than 16'],
  [`${i0}.dhcp.time_servers`, [1], 'must be a string, got a number', `${i0}.dhcp.time_servers[0]`],
  [`${i0}.dhcp.arch`, 'x 86', 'is not an architecture'],
  [`${i0}.dhcp.uefi`, 'yes', 'must be true or false, got "yes"'],
  [`${i0}.dhcp.iface_name`, 'a/b', 'is not an interface name'],
  [`${i0}.dhcp.domain_name`, '..', 'is not a domain name'],
  [`${i0}.dhcp.ip`, '192.168.1.5', 'must be an object, got a string'],
  [`${i0}.dhcp.ip.cidr`, 24, 'unknown key; known are address, netmask, gateway, family'],
  [`${i0}.dhcp.ip.address`, undefined, 'is required'],
  [`${i0}.dhcp.ip.address`, '192.168.1.256', 'is not an IP address'],
  [`${i0}.dhcp.ip.address`, '192.168.01.5', 'is not an IP address'],
  [`${i0}.dhcp.ip.address`, '192.168.1.5/29', 'is not an IP address'],
  [`${i0}.dhcp.ip.address`, '192.168.1.0', 'is the network address of its network'],
  [`${i0}.dhcp.ip.address`, '192.168.1.7', 'is the broadcast address of its network'],
  [`${i0}.dhcp.ip.address`, '127.0.0.2', 'cannot be the address of a machine'],
  [`${i0}.dhcp.ip.address`, '224.0.0.5', 'cannot be the address of a machine'],
  [`${i0}.dhcp.ip.netmask`, undefined, 'is required'],
  [`${i0}.dhcp.ip.netmask`, '255.0.255.0', 'is not a netmask'],
  [`${i0}.dhcp.ip.netmask`, '24', 'is not a netmask'],
  [`${i0}.dhcp.ip.netmask`, '0.0.0.0', 'is not a netmask'],
  [`${i0}.dhcp.ip.gateway`, 'router', 'is not an IP address'],
  [`${i0}.dhcp.ip.gateway`, 'fe80::1', 'is not of the family of 192.168.1.5'],
  [`${i0}.dhcp.ip.family`, 6, 'must be 4, the family of 192.168.1.5, got 6'],
  [`${i0}.dhcp.ip.family`, 9, 'must be 0 to 6, got 9'],
  [
    `${i0}.dhcp.options6`,
    [{ code: 3, type: 'hex', value: '00' }],
    'option 3 cannot be set',
    `${i0}.dhcp.options6[0].code`,
  ],
  [`${i0}.dhcp.options6`, {}, 'must be a list, got an object'],
  [`${i0}.netboot`, true, 'must be an object, got a boolean'],
  [`${i0}.netboot.pxe`, true, 'unknown key; known are allow_pxe'],
  [`${i0}.netboot.allow_pxe`, 'true', 'must be true or false, got "true"'],
  [`${i0}.netboot.allow_workflow`, 1, 'must be true or false, got a number'],
  [`${i0}.netboot.ipxe.script`, '', 'unknown key; known are url, contents, binary'],
  [`${i0}.netboot.ipxe.url`, 'ftp://x', 'is not an http, https or tftp URL'],
  [`${i0}.netboot.ipxe.url`, 'http://x/ y', 'is not an http, https or tftp URL'],
  [`${i0}.netboot.ipxe.contents`, 'x'.repeat(65_537), 'is 65537 characters long, more than 65536'],
  [`${i0}.netboot.ipxe.binary`, '../undionly', 'is not the name of a file to serve'],
  [`${i0}.netboot.osie.base_url`, 'boot/osie', 'is not an http or https URL'],
  [`${i0}.netboot.osie.kernel`, '/etc/passwd', 'is not the name of a file to serve'],
  [`${i0}.netboot.osie.kernel`, 'vmlinuz init=/bin/sh', 'is not the name of a file to serve'],
  [
    `${i0}.netboot`,
    { osie: { kernel_params: Array(9).fill('x'.repeat(200)) } },
    'the kernel command line would have at least 2119 characters, with what boots adds, and 2047 fit',
    `${i0}.netboot.osie.kernel_params`,
  ],
  [`${i0}.netboot.osie.initrd`, 'a/../../b', 'is not the name of a file to serve'],
  [`${i0}.netboot.osie.initrd`, 'a,../b', 'is not the name of a file to serve'],
  [`${i0}.netboot.osie.initrd`, 'a,,b', 'is not the name of a file to serve'],
  [`${i0}.netboot.osie.initrd`, 'a/', 'is not the name of a file to serve'],
  [`${i0}.netboot.osie.kernel`, 'a,b', 'is not the name of a file to serve'],
  [`${i0}.netboot.osie.kernel`, 'a${net0/mac}', 'is not the name of a file to serve'],
  [`${i0}.netboot.osie.base_url`, 'http://boot/${net0/mac}', 'is not an http or https URL'],
  [`${i0}.netboot.osie.base_url`, `http://${'x'.repeat(1018)}`, 'is 1025 characters long, more than 1024'],
  [`${i0}.netboot.ipxe.url`, 'http://boot/ü', 'is not an http, https or tftp URL'],
  [`${i0}.netboot.ipxe.binary`, 'folder/undionly.kpxe', 'is not the name of a file to serve'],
];

describe('one fault in hardware JSON', () => {
  it.each(single.map(([path, value, message, at = path]) => ({ path, value, message, at })))(
    '$path: $value',
    ({ path, value, message, at }) =>
      expect(faultsOf(changed(path, value))).toEqual([
        { path: at, message: expect.stringContaining(message) as string },
      ]),
  );

  it.each([undefined, null, 'x', '', '[]', '{', 5, [], true])('%j is no hardware', (input) =>
    expect(faultsOf(input)).toMatchObject([{ path: '' }]),
  );
  it.each([flat, flat2])('the flat model is refused by name', (input) =>
    expect(faultsOf(input)).toMatchObject([
      { path: '', message: expect.stringContaining('flat (cacher) hardware model, which is not accepted') as string },
    ]),
  );

  it('the same MAC twice in one record', () => {
    const twin = { dhcp: { ...dhcp, mac: '08-00-27-00-00-01', ip: null }, netboot };
    expect(faultsOf({ ...valid, network: { interfaces: [{ dhcp, netboot }, twin] } })).toEqual([
      { path: 'network.interfaces[1].dhcp.mac', message: `MAC address 08:00:27:00:00:01 is also at ${i0}.dhcp.mac` },
    ]);
  });
  it('the same address twice in one record', () => {
    const twin = { dhcp: { ...dhcp, mac: '08:00:27:00:00:02' }, netboot };
    expect(faultsOf({ ...valid, network: { interfaces: [{ dhcp, netboot }, twin] } })).toEqual([
      {
        path: 'network.interfaces[1].dhcp.ip.address',
        message: `IP address 192.168.1.5 is also at ${i0}.dhcp.ip.address`,
      },
    ]);
  });
  it('too large, as text and as object', () => {
    const metadata = { x: 'x'.repeat(524_288) };
    expect(faultsOf({ ...valid, metadata })).toMatchObject([
      { path: '', message: expect.stringMatching(/hardware is \d+ bytes/) as string },
    ]);
    expect(faultsOf(JSON.stringify({ ...valid, metadata }))).toHaveLength(1);
    expect(faultsOf({ ...valid, network: { interfaces: Array(65).fill(null) } })).toMatchObject([
      { path: 'network.interfaces' },
    ]);
  });
  it('too deep', () => {
    const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
    expect(
      faultsOf({ ...valid, metadata: JSON.parse(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`) as unknown }),
    ).toHaveLength(1);
    expect(faultsOf({ ...valid, metadata: deep })).toHaveLength(1);
  });
  it('names all faults together, and the first as its field', () => {
    const input = { id: 'x', network: { interfaces: [{ dhcp: { mac: 'y' } }] } };
    expect(() => parseHardware(input)).toThrow(
      expect.objectContaining({
        code: 'INVALID',
        field: 'id',
        faults: [{}, {}].map(() => expect.anything() as Fault),
      }) as Error,
    );
  });
  it('does not fall for the names of JavaScript', () => {
    const input = JSON.parse(`{"id":"${id}","metadata":{"__proto__":{"polluted":1},"constructor":2}}`) as unknown;
    expect(JSON.stringify(parseHardware(input).metadata)).toBe('{"__proto__":{"polluted":1},"constructor":2}');
    expect(faultsOf(JSON.parse(`{"id":"${id}","__proto__":1}`))).toMatchObject([{ path: '__proto__' }]);
  });
});

describe('conflicts with other hardware', () => {
  const record = hardwareRecord({
    network: { interfaces: [hardwareInterface(), hardwareInterface('08-00-27-00-00-02', '192.168.1.6')] },
  });
  const nobody = () => undefined;
  it('none when nobody, or the record itself, has its addresses', () => {
    expect(hardwareConflicts(record, nobody, nobody)).toEqual([]);
    expect(
      hardwareConflicts(
        record,
        () => record,
        () => record,
      ),
    ).toEqual([]);
  });
  it('each MAC and each address, by its path', () => {
    const conflicts = hardwareConflicts(
      record,
      (mac) => (mac === '08-00-27-00-00-02' ? { id: 'other' } : undefined),
      (address) => (address === '192.168.1.5' ? { id: 'third' } : undefined),
    );
    expect(conflicts.map(({ code, field, message }) => [code, field, message])).toEqual([
      [
        'CONFLICT',
        'network.interfaces[0].dhcp.ip.address',
        'conflicting hardware IP address 192.168.1.5 provided with hardware data/info: it belongs to hardware third',
      ],
      [
        'CONFLICT',
        'network.interfaces[1].dhcp.mac',
        'conflicting hardware MAC address 08:00:27:00:00:02 provided with hardware data/info: it belongs to hardware other',
      ],
    ]);
  });
});
