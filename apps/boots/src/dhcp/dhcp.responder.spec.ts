import {
  broadcastFlag,
  clientIdentifier,
  encodePacket,
  leaseTime,
  message,
  messageType,
  option,
  parameterRequestList,
  readOption,
  rebindingTime,
  renewalTime,
  serverIdentifier,
} from '@tinkerbell/dhcp';
import { describe, expect, it } from 'vitest';
import type { DhcpDecision, DhcpReply } from './decision';
import { replyDestination } from './destination';
import { respond } from './dhcp.responder';
import {
  chosen,
  contextOf,
  firmware,
  hardwareId,
  mac,
  requestOf,
  reservation,
  reserved,
  serverAddress,
  wants,
} from './requests.testing';

function replyOf(decision: DhcpDecision): DhcpReply {
  if (decision.kind !== 'reply') throw new Error(`no reply: ${JSON.stringify(decision)}`);
  return decision;
}
const typeOf = ({ packet }: DhcpReply) => readOption(packet.options, messageType);

const holder = { mac, hardwareId, clientId: null, ip: reserved, subnet: '', origin: 'reservation' };

describe('DISCOVER', () => {
  it('is offered the reserved address, and nothing is recorded', () => {
    const offer = replyOf(respond(requestOf('discover'), contextOf()));
    expect(typeOf(offer)).toBe('offer');
    expect(offer.packet).toMatchObject({ yiaddr: reserved, siaddr: serverAddress, xid: 0xfeed });
    expect(readOption(offer.packet.options, leaseTime)).toBe(60);
    expect(readOption(offer.packet.options, renewalTime)).toBe(30);
    expect(readOption(offer.packet.options, rebindingTime)).toBe(52);
    expect(offer).toMatchObject({ leases: [] });
    expect(offer.boot).toBeUndefined();
  });

  it('of an unknown machine is not answered', () => {
    const { machine: _, ...unknown } = contextOf();
    expect(respond(requestOf('discover'), unknown)).toEqual({ kind: 'ignore', reason: 'unknown-machine' });
  });

  it('is not answered while another machine with the same reservation holds the address', () => {
    const holder = { mac: '0a-00-00-00-00-01', hardwareId: 'other', clientId: null, isReserved: true };
    expect(respond(requestOf('discover'), contextOf({ holder }))).toEqual({ kind: 'ignore', reason: 'address-in-use' });
  });

  it.each([null, { address: 'fd00::5', netmask: '', gateway: '', family: 6 }])(
    'without an IPv4 reservation: %j',
    (ip) => {
      const machine = { mac, hardwareId, interface: reservation({ ip }) };
      expect(respond(requestOf('discover'), contextOf({ machine }))).toMatchObject({ reason: 'no-reserved-address' });
    },
  );

  it('gets the time to live of the site when the record says 0', () => {
    const machine = { mac, hardwareId, interface: reservation({ lease_time: 0 }) };
    const { packet } = replyOf(respond(requestOf('discover'), contextOf({ machine })));
    expect(readOption(packet.options, leaseTime)).toBe(172_800);
  });

  it('gets what option 55 lists, and what every client needs', () => {
    const asked = requestOf('discover', [option(parameterRequestList, [3, 6])]);
    const { packet } = replyOf(respond(asked, contextOf()));
    expect([...packet.options.keys()]).toEqual([53, 54, 51, 58, 59, 1, 3, 6]);
  });
});

describe('REQUEST (RFC 2131 §4.3.2)', () => {
  it('SELECTING us is acknowledged and bound', () => {
    const ack = replyOf(respond(requestOf('request', [chosen, wants(reserved)]), contextOf()));
    expect(typeOf(ack)).toBe('ack');
    expect(ack.leases).toEqual([
      {
        type: 'BindLease',
        ...holder,
        ...{ hostname: 'test-host', leaseSeconds: 60, giaddr: null },
        ...{ clientState: 'selecting', now: '2026-01-01T00:00:00.000Z' },
      },
    ]);
  });

  it('SELECTING another server is none of our business', () =>
    expect(respond(requestOf('request', [option(serverIdentifier, '10.9.9.9'), wants(reserved)]), contextOf())).toEqual(
      {
        kind: 'ignore',
        reason: 'other-server',
      },
    ));

  it.each([[chosen], []])('without any address can only mean the reserved one', (...options) => {
    const ack = replyOf(respond(requestOf('request', options), contextOf()));
    expect(ack.packet.yiaddr).toBe(reserved);
    expect(ack.leases).toMatchObject([{ clientState: 'selecting' }]);
  });

  it.each([
    ['INIT-REBOOT', 'init-reboot', [wants(reserved)], {}, 'broadcast'],
    ['RENEWING', 'renewing', [], { ciaddr: reserved }, 'unicast'],
    ['REBINDING', 'rebinding', [], { ciaddr: reserved }, 'broadcast'],
    ['relayed RENEWING', 'rebinding', [], { ciaddr: reserved, giaddr: '192.168.1.1' }, 'unicast'],
  ] as const)('%s is acknowledged', (_, clientState, options, over, arrival) => {
    const ack = replyOf(respond(requestOf('request', options, over), contextOf({ arrival })));
    expect(typeOf(ack)).toBe('ack');
    expect(ack.leases).toMatchObject([{ type: 'BindLease', clientState }]);
    expect(ack.packet.ciaddr).toBe('ciaddr' in over ? reserved : '0.0.0.0');
  });

  it.each([
    ['SELECTING', [chosen, wants('192.168.1.7')], {}],
    ['INIT-REBOOT', [wants('10.0.0.7')], {}],
    ['RENEWING', [], { ciaddr: '192.168.1.7' }],
  ] as const)('%s with another address is refused, to everybody, and recorded', (_, options, over) => {
    const nak = replyOf(respond(requestOf('request', options, over), contextOf({ arrival: 'unicast' })));
    expect(typeOf(nak)).toBe('nak');
    expect(nak.packet).toMatchObject({ yiaddr: '0.0.0.0', ciaddr: '0.0.0.0', siaddr: '0.0.0.0', file: '' });
    expect([...nak.packet.options.keys()]).toEqual([53, 54, 56]);
    expect(readOption(nak.packet.options, message)).toBe(`this machine has ${reserved}`);
    expect(nak.destination).toEqual({ address: '255.255.255.255', port: 'client' });
    expect(nak.leases).toMatchObject([{ type: 'RefuseLease', ip: reserved, reason: `this machine has ${reserved}` }]);
    expect(nak.boot).toBeUndefined();
  });

  it('a relayed refusal goes to the relay, which has to broadcast it', () => {
    const nak = replyOf(respond(requestOf('request', [wants('10.0.0.7')], { giaddr: '192.168.1.1' }), contextOf()));
    expect(nak.destination).toEqual({ address: '192.168.1.1', port: 'server' });
    expect(nak.packet.flags & broadcastFlag).toBe(broadcastFlag);
  });

  it('is refused while another machine with the same reservation holds the address', () => {
    const holder = { mac: '0a-00-00-00-00-01', hardwareId: 'other', clientId: null, isReserved: true };
    expect(typeOf(replyOf(respond(requestOf('request', [wants(reserved)]), contextOf({ holder }))))).toBe('nak');
  });

  it('ends the lease of a machine that lost the reservation to this one', () => {
    const holder = { mac: '0a-00-00-00-00-01', hardwareId: 'other', clientId: null, isReserved: false };
    const ack = replyOf(respond(requestOf('request', [wants(reserved)]), contextOf({ holder })));
    expect(ack.leases).toMatchObject([
      { type: 'MoveLease', mac: holder.mac, ip: reserved },
      { type: 'BindLease', mac },
    ]);
  });
});

describe('the same REQUEST once more (RFC 2131 §4.1)', () => {
  const granted = { ip: reserved, expiresAt: '2026-01-01T00:00:56.500Z' };
  const again = (over: Partial<typeof granted> = {}) =>
    replyOf(
      respond(
        requestOf('request', [chosen, wants(reserved), ...firmware(7)]),
        contextOf({ granted: { ...granted, ...over } }),
      ),
    );

  it('is acknowledged for what is left of the lease, and nothing is recorded', () => {
    const ack = again();
    expect(typeOf(ack)).toBe('ack');
    expect(readOption(ack.packet.options, leaseTime)).toBe(56);
    expect(readOption(ack.packet.options, renewalTime)).toBe(28);
    expect(ack.packet).toMatchObject({ yiaddr: reserved, file: 'ipxe.efi' });
    expect(ack).toMatchObject({ leases: [], boot: undefined });
  });

  it.each([
    ['another address', { ip: '192.168.1.7' }],
    ['a lease that has run out', { expiresAt: '2025-12-31T23:59:59.000Z' }],
  ])('is a new one: %s', (_, over) => expect(again(over).leases).toMatchObject([{ type: 'BindLease' }]));

  it('is never one that renews: busybox takes the old xid for that', () => {
    const renewal = respond(requestOf('request', [], { ciaddr: reserved }), contextOf({ granted, arrival: 'unicast' }));
    expect(renewal).toMatchObject({ leases: [{ type: 'BindLease', clientState: 'renewing' }] });
  });

  it('does not help a machine that has lost the address', () => {
    const holder = { mac: '0a-00-00-00-00-01', hardwareId: 'other', clientId: null, isReserved: true };
    const nak = replyOf(respond(requestOf('request', [chosen, wants(reserved)]), contextOf({ granted, holder })));
    expect(typeOf(nak)).toBe('nak');
  });
});

// RFC 2131, tables 3 and 5: every field and option that must, or must not, be there.
describe.each([
  ['OFFER', 'discover', [], {}, { ciaddr: '0.0.0.0', yiaddr: reserved }, [51, 53, 54]],
  ['ACK, SELECTING', 'request', [chosen, wants(reserved)], {}, { ciaddr: '0.0.0.0', yiaddr: reserved }, [51, 53, 54]],
  ['ACK, RENEWING', 'request', [], { ciaddr: reserved }, { ciaddr: reserved, yiaddr: reserved }, [51, 53, 54]],
  ['ACK, INFORM', 'inform', [], { ciaddr: reserved }, { ciaddr: reserved, yiaddr: '0.0.0.0' }, [53, 54]],
  [
    'NAK',
    'request',
    [chosen, wants('10.9.9.9')],
    {},
    { ciaddr: '0.0.0.0', yiaddr: '0.0.0.0', siaddr: '0.0.0.0' },
    [53, 54],
  ],
] as const)('table 3: %s', (name, type, options, over, fields, must) => {
  const id = option(clientIdentifier, { type: 1, id: Uint8Array.of(9) });
  const request = requestOf(type, [...options, id], { ...over, flags: broadcastFlag, secs: 7, hops: 2 });
  const { packet } = replyOf(respond(request, contextOf({ arrival: 'unicast' })));
  it('fields', () => {
    const { xid, chaddr, htype } = request;
    expect(packet).toMatchObject({
      op: 'reply',
      htype,
      xid,
      chaddr,
      flags: broadcastFlag,
      giaddr: '0.0.0.0',
      ...fields,
    });
    expect(packet).toMatchObject({ hops: 0, secs: 0, sname: '' });
  });
  it('options', () => {
    for (const code of must) expect(packet.options.has(code), String(code)).toBe(true);
    for (const code of [50, 55, 57]) expect(packet.options.has(code), String(code)).toBe(false);
    if (name === 'NAK' || name === 'ACK, INFORM')
      for (const code of [51, 58, 59]) expect(packet.options.has(code)).toBe(false);
    expect(packet.options.get(61)).toEqual(id[1]);
    // All others MUST NOT be in it.
    if (name === 'NAK') expect([...packet.options.keys()].toSorted((a, b) => a - b)).toEqual([53, 54, 56, 61]);
  });
});

// RFC 2131 §4.1: giaddr, then ciaddr, then everybody.
describe.each([
  ['offer', {}, '255.255.255.255', 'client'],
  ['offer', { flags: broadcastFlag }, '255.255.255.255', 'client'],
  ['offer', { giaddr: '10.0.0.1' }, '10.0.0.1', 'server'],
  ['ack', { ciaddr: reserved }, reserved, 'client'],
  ['ack', { ciaddr: reserved, flags: broadcastFlag }, reserved, 'client'],
  ['ack', { ciaddr: reserved, giaddr: '10.0.0.1' }, '10.0.0.1', 'server'],
  ['ack', {}, '255.255.255.255', 'client'],
  ['nak', { ciaddr: reserved }, '255.255.255.255', 'client'],
  ['nak', { ciaddr: reserved, giaddr: '10.0.0.1' }, '10.0.0.1', 'server'],
] as const)('%s of %j', (reply, over, address, port) => {
  it(`goes to ${address}`, () =>
    expect(replyDestination(requestOf('request', [], over), reply)).toEqual({ address, port }));
});

describe('RELEASE, DECLINE, INFORM', () => {
  const own = { address: reserved, port: 68 };

  it('RELEASE is recorded and not answered', () =>
    expect(respond(requestOf('release', [chosen], { ciaddr: reserved }), contextOf({ source: own }))).toEqual({
      kind: 'record',
      leases: [{ type: 'ReleaseLease', ...holder }],
    }));

  it('RELEASE from elsewhere is not the machine’s', () =>
    expect(respond(requestOf('release', [chosen], { ciaddr: reserved }), contextOf())).toMatchObject({
      kind: 'ignore',
      reason: 'other-address',
    }));

  it('DECLINE is recorded with what the client says', () =>
    expect(
      respond(requestOf('decline', [chosen, wants(reserved), option(message, 'answered by ARP')]), contextOf()),
    ).toEqual({
      kind: 'record',
      leases: [{ type: 'DeclineLease', ...holder, message: 'answered by ARP', quarantinedUntil: null }],
    }));

  it('of another address or at another server are not ours', () => {
    const other = option(serverIdentifier, '10.9.9.9');
    expect(respond(requestOf('release', [], { ciaddr: '10.0.0.7' }), contextOf())).toMatchObject({ kind: 'ignore' });
    const elsewhere = respond(requestOf('release', [other], { ciaddr: reserved }), contextOf({ source: own }));
    expect(elsewhere).toMatchObject({ kind: 'ignore', reason: 'other-server' });
    expect(respond(requestOf('decline', [wants('10.0.0.7')]), contextOf())).toMatchObject({ kind: 'ignore' });
    expect(respond(requestOf('decline', [other, wants(reserved)]), contextOf())).toMatchObject({ kind: 'ignore' });
  });

  it('INFORM gets everything but a lease', () => {
    const ack = replyOf(respond(requestOf('inform', [], { ciaddr: reserved }), contextOf()));
    expect(ack.packet).toMatchObject({ yiaddr: '0.0.0.0', ciaddr: reserved });
    for (const code of [51, 58, 59]) expect(ack.packet.options.has(code)).toBe(false);
    expect(ack.packet.options.has(1)).toBe(true);
    expect(ack).toMatchObject({ leases: [], destination: { address: reserved, port: 'client' } });
  });
  it('INFORM through a relay is answered at the address that the client has (§4.3.5)', () => {
    const request = requestOf('inform', [], { ciaddr: reserved, giaddr: '192.168.1.1' });
    expect(replyOf(respond(request, contextOf())).destination).toEqual({ address: reserved, port: 'client' });
  });
  it('INFORM without an address cannot be answered', () =>
    expect(respond(requestOf('inform'), contextOf())).toEqual({ kind: 'ignore', reason: 'no-requested-address' }));

  it.each(['offer', 'ack', 'nak', 'force-renew', 'lease-query'] as const)('%s is not for us', (type) =>
    expect(respond(requestOf(type), contextOf())).toEqual({ kind: 'ignore', reason: 'message-type' }),
  );
  it('nor is a reply', () =>
    expect(respond({ ...requestOf('discover'), op: 'reply' }, contextOf())).toMatchObject({ reason: 'not-a-request' }));
});

describe('what is copied from the request', () => {
  it('is what the relay added, last, the client id, the machine id, flags and relay address', () => {
    const request = requestOf(
      'discover',
      [
        [82, Uint8Array.of(1, 1, 65)],
        option(clientIdentifier, { type: 255, id: Uint8Array.of(1, 2) }),
        [97, new Uint8Array(17)],
        ...firmware(7),
      ],
      { giaddr: '192.168.1.1', flags: broadcastFlag, hops: 1 },
    );
    const offer = replyOf(respond(request, contextOf()));
    expect(offer.packet).toMatchObject({ giaddr: '192.168.1.1', flags: broadcastFlag, hops: 0 });
    for (const code of [61, 82, 93, 94, 97]) expect(offer.packet.options.get(code)).toEqual(request.options.get(code));
    expect([...offer.packet.options.keys()].at(-1)).toBe(82);
    expect(offer.destination).toEqual({ address: '192.168.1.1', port: 'server' });
  });
});

describe('boot file', () => {
  const ack = (options: readonly (readonly [number, Uint8Array])[], over = {}) =>
    replyOf(respond(requestOf('request', [chosen, wants(reserved), ...options]), contextOf(over)));
  const script = 'http://127.0.0.1/01:02:03:04:05:06/auto.ipxe';

  it('is recorded with the ACK', () =>
    expect(ack(firmware(7)).boot).toEqual({
      ...{ hardwareId, mac, ip: reserved, arch: 7, client: 'PXEClient', userClass: '', bootFile: 'ipxe.efi' },
      ...{ ticketHash: null, ticketExpiresAt: null },
    }));

  it('of iPXE carries the ticket of this boot, of which the log keeps the hash', () => {
    const ticket = { text: 't'.repeat(22), hash: 'a'.repeat(64), expiresAt: '2026-01-01T00:10:00.000Z' };
    const { packet, boot } = ack(firmware(7, 'PXEClient', 'iPXE'), { ticket });
    expect(packet.file).toBe(`${script}?ticket=${ticket.text}`);
    expect(boot).toMatchObject({ bootFile: script, ticketHash: ticket.hash, ticketExpiresAt: ticket.expiresAt });
    expect(ack(firmware(7), { ticket }).boot).toMatchObject({ bootFile: 'ipxe.efi', ticketHash: null });
  });

  it.each([
    ['BIOS', firmware(0), 'undionly.kpxe'],
    ['UEFI', firmware(7), 'ipxe.efi'],
    ['arm64', firmware(11), 'snp-arm64.efi'],
    ['UEFI HTTP boot', firmware(16, 'HTTPClient'), 'http://127.0.0.1/01:02:03:04:05:06/ipxe.efi'],
    ['arm64 HTTP boot', firmware(19, 'HTTPClient'), 'http://127.0.0.1/01:02:03:04:05:06/snp-arm64.efi'],
    ['an unknown architecture', firmware(255), ''],
    ['iPXE', firmware(0, 'PXEClient', 'iPXE'), script],
    ['iPXE over HTTP boot', firmware(16, 'HTTPClient', 'iPXE'), script],
    ['our iPXE', firmware(7, 'PXEClient', 'Tinkerbell'), script],
    ['iPXE without user class', [...firmware(0), [175, Uint8Array.of(235, 1, 1)]], script],
    ['an operating system', [], ''],
  ] as const)('of %s', (_, options, file) => {
    const reply = ack(options);
    expect(reply.packet.file).toBe(file);
    expect(reply.boot?.bootFile ?? '').toBe(file);
  });

  it('is the same when the machine may not netboot: the script says to boot the disk', () => {
    const over = { mayNetboot: false };
    expect(ack(firmware(7), over).packet.file).toBe('ipxe.efi');
    expect(ack(firmware(0, 'PXEClient', 'iPXE'), over).packet.file).toBe(script);
  });

  describe('with a program of its own in the record', () => {
    const machine = { mac, hardwareId, interface: reservation({}, 'my.kpxe') };
    const rom = firmware(0, 'PXEClient', 'iPXE');
    it('is that program, to firmware and to an iPXE ROM', () => {
      expect(ack(firmware(0), { machine }).packet.file).toBe('my.kpxe');
      expect(ack(rom, { machine }).packet.file).toBe('tftp://127.0.0.1:69/01:02:03:04:05:06/my.kpxe');
    });
    it('is the script once that program went out', () =>
      expect(ack(rom, { machine, chained: 'my.kpxe' }).packet.file).toBe(script));
    it('is the script at once when the machine may not netboot', () =>
      expect(ack(rom, { machine, mayNetboot: false }).packet.file).toBe(script));
  });

  it('tells iPXE and firmware not to look for another server, and HTTP boot that it is meant', () => {
    const { options } = ack(firmware(16, 'HTTPClient', 'iPXE')).packet;
    expect(options.get(43)).toEqual(Uint8Array.of(6, 1, 8, 255));
    expect(options.get(175)).toEqual(Uint8Array.of(176, 1, 1, 255));
    expect(new TextDecoder().decode(options.get(60))).toBe('HTTPClient');
    expect(ack(firmware(7)).packet.options.has(175)).toBe(false);
    expect(ack([]).packet.options.has(43)).toBe(false);
  });

  it('fits into what the client takes', () => {
    const reply = ack([...firmware(7), [57, Uint8Array.of(2, 64)], [82, new Uint8Array(200)]]);
    expect(encodePacket(reply.packet, { maxSize: reply.maxSize }).length).toBeLessThanOrEqual(576 - 28);
  });
});
