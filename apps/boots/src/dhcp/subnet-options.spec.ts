import {
  dnsServers,
  leaseTime,
  ntpServers,
  option,
  parameterRequestList,
  readOption,
  routers,
  subnetMask,
} from '@tinkerbell/dhcp';
import { describe, expect, it } from 'vitest';
import { dhcpModes } from '../settings';
import { BootsConfig } from '../boots.config';
import { respond } from './dhcp.responder';
import { PooledInterfaces } from './pooled-interfaces';
import { readSubnets } from './read-subnets';
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

const file = (mode: string) =>
  readSubnets(
    `
classes:
  - { name: uefi, arch: [7], options: [{ code: 150, type: ip, value: 192.168.1.9 }, { code: 26, type: uint16, value: 9000 }] }
  - { name: phones, vendorClass: [Acme], options: [{ code: 151, type: uint8, value: 1 }] }
subnets:
  - subnet: 127.0.0.0/24
    name: wire
    mode: reservation
    sharedNetwork: one
  - subnet: 192.168.1.0/24
    sharedNetwork: one
    ${mode}
    router: 192.168.1.254
    nameServers: [192.168.1.53]
    timeServers: [192.168.1.123]
    leaseSeconds: 900
    options: [{ code: 26, type: uint16, value: 1400 }, { code: 224, type: hex, value: "0a" }]
`,
    'dhcp.yaml',
  );
const asked = [...firmware(7), option(parameterRequestList, [1, 3, 6, 42, 26, 150, 151, 224])];

/** What a machine with this record is offered on the wire of the file. */
function offered(over: Parameters<typeof reservation>[0], mode = 'mode: reservation') {
  const { server } = contextOf();
  const machine = { mac, hardwareId, interface: reservation(over) };
  const modes = dhcpModes(new BootsConfig(), file(mode));
  const decision = respond(requestOf('discover', asked), contextOf({ machine, server: { ...server, modes } }));
  if (decision.kind !== 'reply') throw new Error(JSON.stringify(decision));
  return decision.packet.options;
}
const bare = {
  ...{ lease_time: 0, name_servers: [], time_servers: [] },
  ip: { address: reserved, netmask: '', gateway: '', family: 4 as const },
};

describe('a machine with a reservation in a subnet of the file', () => {
  it.each(['mode: reservation', 'pools: [{ ranges: [192.168.1.10-192.168.1.20] }]'])(
    'is told by the subnet what its record leaves open: %s',
    (mode) => {
      const options = offered(bare, mode);
      expect(readOption(options, subnetMask)).toBe('255.255.255.0');
      expect(readOption(options, routers)).toEqual(['192.168.1.254']);
      expect(readOption(options, dnsServers)).toEqual(['192.168.1.53']);
      expect(readOption(options, ntpServers)).toEqual(['192.168.1.123']);
      expect(readOption(options, leaseTime)).toBe(900);
      expect(options.get(224)).toEqual(Uint8Array.of(10));
    },
  );
  it('is told by its record first', () => {
    const options = offered({ ...bare, name_servers: ['1.1.1.1'], lease_time: 60 });
    expect(readOption(options, dnsServers)).toEqual(['1.1.1.1']);
    expect(readOption(options, leaseTime)).toBe(60);
  });
  it('is told by its subnet where its record has servers of IPv6 only', () => {
    const options = offered({ ...bare, name_servers: ['fd00::53'], time_servers: ['fd00::123', '10.0.0.3'] });
    expect(readOption(options, dnsServers)).toEqual(['192.168.1.53']);
    expect(readOption(options, ntpServers)).toEqual(['10.0.0.3']);
  });
  it('is told by its classes before its subnet, and by no other class', () => {
    const options = offered(bare);
    expect(options.get(26)).toEqual(Uint8Array.of(0x23, 0x28));
    expect(options.get(150)).toEqual(Uint8Array.of(192, 168, 1, 9));
    expect(options.has(151)).toBe(false);
    const own = offered({ ...bare, options: [{ code: 26, type: 'uint16', value: 1500 }] });
    expect(own.get(26)).toEqual(Uint8Array.of(0x05, 0xdc));
  });
});

describe('a machine without a record, with an address of a pool', () => {
  /** What it is offered where the subnet sets these options. */
  const offeredTo = (options: string, boots = false) => {
    const { subnets } = readSubnets(
      `subnets: [{ subnet: 192.168.1.0/24, pools: [{ ranges: [192.168.1.10] }], options: ${options} }]`,
      'dhcp.yaml',
    );
    const [subnet] = subnets;
    if (!subnet?.pooled) throw new Error('no pool');
    const on = { ...subnet, pooled: subnet.pooled };
    const pooled = {
      ...{ subnet: on, address: '192.168.1.10', interface: new PooledInterfaces().of(on, [], undefined) },
      ...{ clientId: null, refusal: undefined, isForeign: false, boots, isHeldOff: false },
    };
    const decision = respond(requestOf('discover', firmware(0)), contextOf({ machine: undefined, pooled }));
    if (decision.kind !== 'reply') throw new Error(JSON.stringify(decision));
    return decision.packet;
  };
  const [server, file] = ['{ code: 66, type: text, value: 192.168.1.9 }', '{ code: 67, type: text, value: x.0 }'];

  it.each([false, true])('boots what 66 and 67 of its subnet name (discovery: %s)', (boots) => {
    expect(offeredTo(`[${server}, ${file}]`, boots)).toMatchObject({ siaddr: '192.168.1.9', file: 'x.0' });
    expect(offeredTo(`[${file}]`, boots)).toMatchObject({ siaddr: serverAddress, file: 'x.0' });
  });
  it('boots nothing where neither they nor discovery say what', () =>
    expect(offeredTo('[]')).toMatchObject({ siaddr: '0.0.0.0', file: '' }));
});
