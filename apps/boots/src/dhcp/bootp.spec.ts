import { decodePacket, type DhcpPacket, encodePacket } from '@tinkerbell/dhcp';
import { describe, expect, it } from 'vitest';
import type { DhcpContext } from './decision';
import { respond } from './dhcp.responder';
import { contextOf, firmware, hardwareId, mac, requestOf, reservation, reserved } from './requests.testing';

const tail = (bytes: Uint8Array) =>
  Buffer.from(bytes.subarray(236))
    .toString('hex')
    .replace(/(00)+$/, '');

function bootp(over: Partial<DhcpPacket> = {}, options: DhcpPacket['options'] = new Map()): DhcpPacket {
  return { ...requestOf('discover', [], over), options };
}

function answered(request: DhcpPacket, over: Partial<DhcpContext> = {}) {
  const decision = respond(request, contextOf(over));
  if (decision.kind !== 'reply') throw new Error(`${decision.kind} in the place of a reply`);
  return { ...decision, bytes: encodePacket(decision.packet, { maxSize: decision.maxSize }) };
}

function recorded(
  over: Parameters<typeof reservation>[0],
  netboot: Partial<ReturnType<typeof reservation>['netboot']> = {},
) {
  const base = reservation(over);
  return { machine: { mac, hardwareId, interface: { ...base, netboot: { ...base.netboot, ...netboot } } } };
}

describe('a BOOTP client', () => {
  it('gets the address of its record for good, in the vendor area of RFC 1497 and no option of DHCP', () => {
    const { packet, bytes, destination, leases, boot } = answered(bootp({ secs: 7 }));
    expect(packet).toMatchObject({
      op: 'reply',
      xid: 0xfeed,
      yiaddr: reserved,
      siaddr: '127.0.0.1',
      ciaddr: '0.0.0.0',
    });
    expect(destination).toEqual({ address: '255.255.255.255', port: 'client' });
    expect(bytes.length).toBe(300);
    // Mask, router, name server, host name, domain; broadcast, time server and search list as far as there is room.
    expect(tail(bytes)).toBe(
      [
        ...['63825363', '0104ffffff00', '0304c0a80101', '060401010101', '0c09746573742d686f7374'],
        ...['0f0c6d79646f6d61696e2e636f6d', '1c04c0a801ff', '2a0484a36002', 'ff'],
      ].join(''),
    );
    const bound = { type: 'BindLease', mac, hardwareId, ip: reserved, origin: 'reservation' };
    expect(leases).toMatchObject([{ ...bound, leaseSeconds: 0xffff_ffff, clientState: 'bootp', clientId: null }]);
    expect(boot).toBeUndefined();
  });

  it('is told no more than it has room for, and that in whole options', () => {
    const names = Array.from({ length: 30 }, (_, i) => `10.0.0.${i}`);
    const long = recorded({ name_servers: names });
    const small = answered(bootp(), long);
    expect(small.bytes.length).toBe(300);
    expect([...decodePacket(small.bytes).options.keys()]).toEqual([1, 3, 12, 15, 28, 42]);
    const large = answered(bootp(), { ...long, size: 576 });
    expect(decodePacket(large.bytes).options.get(6)).toHaveLength(120);
  });

  it('through a relay has as much room as without, and the relay gets back what it added', () => {
    const added = Uint8Array.of(1, 60, ...new Uint8Array(60).fill(7));
    const request = bootp({ giaddr: '192.168.1.1' }, new Map([[82, added]]));
    const { bytes, destination, leases } = answered(request, { size: 364 });
    const { options } = decodePacket(bytes);
    expect([...options.keys()]).toEqual([1, 3, 6, 12, 15, 28, 42, 82]);
    expect(options.get(82)).toEqual(added);
    expect(destination).toEqual({ address: '192.168.1.1', port: 'server' });
    expect(leases).toMatchObject([{ giaddr: '192.168.1.1', relayed: { circuitId: '07'.repeat(60) } }]);
  });

  it.each([
    ['option 67 of its record', recorded({ options: [{ code: 67, type: 'text', value: 'pxelinux.0' }] }), 'pxelinux.0'],
    ['the program of its record', recorded({}, { ipxe: { url: '', contents: '', binary: 'old.zpxe' } }), 'old.zpxe'],
    ['the file that it wants', {}, 'unix'],
  ])('boots %s', (_, over, file) => {
    const { packet, boot } = answered(bootp({ file: 'unix' }), over);
    expect(packet.file).toBe(file);
    expect(boot).toEqual({
      ...{ mac, hardwareId, ip: reserved, arch: null, client: 'BOOTP', userClass: '', bootFile: file },
      ...{ ticketHash: null, ticketExpiresAt: null },
    });
    expect(packet.options.has(67)).toBe(false);
  });

  it('that is firmware of PXE gets what it would get by DHCP', () => {
    const { packet, boot } = answered(bootp({}, new Map(firmware(0))));
    expect([packet.file, boot?.client]).toEqual(['undionly.kpxe', 'PXEClient']);
    expect(packet.options.has(60)).toBe(false);
  });

  it('that has its address asks for the rest, at that address', () => {
    const { packet, destination } = answered(bootp({ ciaddr: reserved }));
    expect([packet.ciaddr, packet.yiaddr, destination.address]).toEqual([reserved, reserved, reserved]);
  });

  const off = { ...contextOf().server, bootp: false };
  const proxy = { ...contextOf().server, modes: { mode: 'auto-proxy' as const, subnets: [] } };
  const other = { mac: '02-00-00-00-00-01', hardwareId: null, clientId: null, isReserved: true };
  it.each([
    ['that no record has', { machine: undefined }, 'unknown-machine'],
    ['without a reservation', recorded({ ip: null }), 'no-reserved-address'],
    ['whose address is with another machine', { holder: other }, 'address-in-use'],
    ['on a wire where another server gives addresses', { server: proxy }, 'not-for-proxy'],
    ['where BOOTP is switched off', { server: off }, 'no-message-type'],
  ] as const)('%s is not answered', (_, over, reason) =>
    expect(respond(bootp(), contextOf(over))).toEqual({ kind: 'ignore', reason }),
  );
  it('is not answered with an address other than its own', () =>
    expect(respond(bootp({ ciaddr: '192.168.1.7' }), contextOf())).toMatchObject({ reason: 'other-address' }));
});
