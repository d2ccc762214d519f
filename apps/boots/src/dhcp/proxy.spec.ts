// PXE 2.1 §2.2: boot information beside another DHCP server.
import {
  bootFileName,
  clientIdentifier,
  clientMachineId,
  type MessageType,
  option,
  readOption,
  requestedAddress,
  serverIdentifier,
  vendorClass,
} from '@tinkerbell/dhcp';
import type { HardwareDhcpOption } from '@tinkerbell/events';
import { describe, expect, it } from 'vitest';
import type { DhcpContext, DhcpReply } from './decision';
import { respond } from './dhcp.responder';
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

const { server } = contextOf();
const proxied = (over: Partial<DhcpContext> = {}) =>
  contextOf({ server: { ...server, modes: { mode: 'proxy', subnets: [] } }, ...over });
const pxe = { arrival: 'pxe', source: { address: '192.168.1.77', port: 68 } } as const;
const uuid = option(clientMachineId, { type: 0, guid: new Uint8Array(16).fill(7) });
const bootClient = [...firmware(7), uuid];

function replyTo(
  type: MessageType,
  context: DhcpContext,
  options: readonly (readonly [number, Uint8Array])[] = bootClient,
  over = {},
): DhcpReply {
  const decision = respond(requestOf(type, options, over), context);
  if (decision.kind !== 'reply') throw new Error(JSON.stringify(decision));
  return decision;
}

describe('DISCOVER of firmware', () => {
  it('is offered a boot file and no address', () => {
    const { packet, leases, boot, destination } = replyTo('discover', proxied());
    expect(packet).toMatchObject({
      ...{ yiaddr: '0.0.0.0', ciaddr: '0.0.0.0', siaddr: serverAddress, sname: serverAddress, file: 'ipxe.efi' },
    });
    expect([...packet.options.keys()]).toEqual([53, 54, 60, 43, 93, 94, 97]);
    expect(readOption(packet.options, vendorClass)).toBe('PXEClient');
    expect(packet.options.get(43)).toEqual(Uint8Array.of(6, 1, 8, 255));
    expect(packet.options.get(97)).toEqual(uuid[1]);
    expect(leases).toEqual([]);
    expect(boot).toMatchObject({ bootFile: 'ipxe.efi', client: 'PXEClient', ip: reserved });
    expect(destination).toEqual({ address: '255.255.255.255', port: 'client' });
  });

  it('comes with the client id (RFC 6842), and through a relay goes back with what that added', () => {
    const more = [option(clientIdentifier, { type: 1, id: Uint8Array.of(1) }), [82, Uint8Array.of(1, 1, 65)]] as const;
    const { packet, destination } = replyTo('discover', proxied(), [...bootClient, ...more], { giaddr: '192.168.1.1' });
    expect([...packet.options.keys()]).toEqual([53, 54, 61, 60, 43, 93, 94, 97, 82]);
    expect(destination).toEqual({ address: '192.168.1.1', port: 'server' });
  });

  it.each([
    ['BIOS', firmware(0), 'undionly.kpxe', 'PXEClient'],
    ['UEFI HTTP boot', firmware(16, 'HTTPClient'), 'http://127.0.0.1/01:02:03:04:05:06/ipxe.efi', 'HTTPClient'],
    ['iPXE', firmware(0, 'PXEClient', 'iPXE'), 'http://127.0.0.1/01:02:03:04:05:06/auto.ipxe', 'PXEClient'],
  ])('%s', (_, options, file, vendor) => {
    const { packet } = replyTo('discover', proxied(), options);
    expect(packet.file).toBe(file);
    expect(readOption(packet.options, vendorClass)).toBe(vendor);
  });

  it('needs no reservation of an address', () => {
    const machine = { mac, hardwareId, interface: reservation({ ip: null }) };
    expect(replyTo('discover', proxied({ machine })).boot).toMatchObject({ ip: '0.0.0.0' });
  });

  it('with a boot file in the record is sent there', () => {
    const options: HardwareDhcpOption[] = [
      { code: 67, type: 'text', value: 'custom.efi' },
      { code: 66, type: 'text', value: '10.0.0.9' },
    ];
    const machine = { mac, hardwareId, interface: reservation({ options }) };
    const { packet, boot } = replyTo('discover', proxied({ machine }));
    expect(packet).toMatchObject({ file: 'custom.efi', siaddr: '10.0.0.9' });
    expect(packet.options.has(bootFileName.code)).toBe(false);
    expect(boot).toBeUndefined();
  });
});

describe('what is not ours in proxy mode', () => {
  const { machine: _, ...unknown } = proxied();
  const chosen = (address: string) => option(serverIdentifier, address);
  it.each([
    ['a DISCOVER of an operating system', 'discover', [], proxied(), 'no-boot-client'],
    ['a DISCOVER of an unknown machine', 'discover', bootClient, unknown, 'unknown-machine'],
    ['a DISCOVER of an architecture without a program', 'discover', firmware(255), proxied(), 'no-boot-file'],
    ['a REQUEST to the other server', 'request', [...bootClient, chosen('192.168.1.1')], proxied(), 'not-for-proxy'],
    [
      'a REQUEST of a machine that comes back',
      'request',
      [...bootClient, option(requestedAddress, reserved)],
      proxied(),
      'not-for-proxy',
    ],
    ['a RELEASE', 'release', bootClient, proxied(), 'not-for-proxy'],
    ['a DECLINE', 'decline', bootClient, proxied(), 'not-for-proxy'],
    ['an INFORM', 'inform', bootClient, proxied(), 'not-for-proxy'],
    ['a DISCOVER at port 4011', 'discover', bootClient, proxied(pxe), 'not-for-proxy'],
    ['an operating system at port 4011', 'request', [], proxied(pxe), 'no-boot-client'],
    ['port 4011 where we give the addresses', 'request', bootClient, contextOf(pxe), 'mode'],
  ] as const)('%s', (_, type, options, context, reason) =>
    expect(respond(requestOf(type, options, { ciaddr: type === 'discover' ? '0.0.0.0' : reserved }), context)).toEqual({
      kind: 'ignore',
      reason,
    }),
  );
});

describe('port 4011', () => {
  it.each(['request', 'inform'] as const)('%s is acknowledged to where it came from', (type) => {
    const { packet, destination, leases, boot } = replyTo(type, proxied(pxe), bootClient, { ciaddr: '192.168.1.77' });
    expect(packet).toMatchObject({ yiaddr: '0.0.0.0', ciaddr: '192.168.1.77', file: 'ipxe.efi' });
    expect(packet.options.get(53)).toEqual(Uint8Array.of(5));
    for (const code of [1, 3, 51, 58, 59]) expect(packet.options.has(code)).toBe(false);
    expect(destination).toEqual({ address: '192.168.1.77', port: 68 });
    expect(leases).toEqual([]);
    expect(boot).toMatchObject({ bootFile: 'ipxe.efi' });
  });
  it('without a source address goes to everybody', () =>
    expect(replyTo('request', proxied({ ...pxe, source: { address: '0.0.0.0', port: 68 } })).destination).toEqual({
      address: '255.255.255.255',
      port: 'client',
    }));
  it('a REQUEST that names us is acknowledged on port 67 too', () =>
    expect(
      replyTo('request', proxied(), [...bootClient, option(serverIdentifier, serverAddress)]).packet.options.get(53),
    ).toEqual(Uint8Array.of(5)));
});
