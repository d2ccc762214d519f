// Relays: RFC 3046, 3527 (link selection), 5010 (flags), 5107 (server identifier override).
import {
  broadcastFlag,
  type DhcpPacket,
  option,
  readOption,
  relayAgent,
  requestedAddress,
  serverIdentifier,
} from '@tinkerbell/dhcp';
import { describe, expect, it } from 'vitest';
import { respond } from './dhcp.responder';
import { originOf } from './origin';
import { contextOf, requestOf, reserved, serverAddress } from './requests.testing';

const relay = '192.168.1.1';
const bytes = (text: string) => Uint8Array.from(text.split('.'), Number);
const added = (...subOptions: readonly (readonly [number, Uint8Array])[]) => option(relayAgent, new Map(subOptions));
const circuit = [1, Uint8Array.of(65)] as const;
const link = (address: string) => added(circuit, [5, bytes(address)]);
const override = added(circuit, [11, bytes('192.168.1.1')]);
const relayed = { giaddr: relay, hops: 1 };

describe('where a request comes from', () => {
  it.each([
    ['itself', [], {}, serverAddress],
    ['the client', [], { ciaddr: reserved }, reserved],
    ['the relay', [], relayed, relay],
    ['the relay, rather than the client', [], { ...relayed, ciaddr: reserved }, relay],
    ['the link that the relay selects', [link('10.7.0.0')], relayed, '10.7.0.0'],
    ['the relay, when it selects nothing', [link('0.0.0.0')], relayed, relay],
    ['no link of a switch that is no relay', [link('10.7.0.0')], {}, serverAddress],
    ['the relay, when its option cannot be read', [[82, Uint8Array.of(5, 9)] as const], relayed, relay],
    ['the relay, when its link is no address', [added([5, Uint8Array.of(1)])], relayed, relay],
  ] as const)('%s', (_, options, over, wanted) =>
    expect(originOf(requestOf('discover', options, over), serverAddress, 'broadcast').link).toBe(wanted),
  );
});

describe('link selection', () => {
  const request = (address: string) => requestOf('discover', [link(address)], { giaddr: '172.16.0.1' });
  it('of the network of the reservation is offered', () =>
    expect(respond(request('192.168.1.0'), contextOf())).toMatchObject({ kind: 'reply' }));
  it('of another network is not', () =>
    expect(respond(request('192.168.2.0'), contextOf())).toEqual({ kind: 'ignore', reason: 'other-network' }));
  it('of another network refuses a machine that comes back (§4.3.2)', () => {
    const back = requestOf('request', [link('192.168.2.0'), option(requestedAddress, reserved)], relayed);
    expect(respond(back, contextOf())).toMatchObject({
      packet: { giaddr: relay },
      leases: [{ type: 'RefuseLease', reason: `${reserved} is not of this network` }],
    });
  });
});

describe('a configured subnet', () => {
  const subnets = [{ name: 'seven', address: '10.7.0.0', prefix: 24, mode: 'reservation' as const }];
  const { server } = contextOf();
  const context = contextOf({ server: { ...server, modes: { mode: 'reservation', subnets } } });
  it('that the reservation is not of gets no offer', () =>
    expect(respond(requestOf('discover', [], { giaddr: '10.7.0.1' }), context)).toMatchObject({
      reason: 'other-network',
    }));
  it('does not concern other relays, whose address may be of another network on the same wire', () =>
    expect(respond(requestOf('discover', [], { giaddr: '10.8.0.1' }), context)).toMatchObject({ kind: 'reply' }));
});

describe('server identifier override', () => {
  const ask = (
    type: 'discover' | 'request' | 'release',
    options: readonly (readonly [number, Uint8Array])[],
    over = {},
  ) => respond(requestOf(type, [override, ...options], { ...relayed, ...over }), contextOf());
  it.each(['discover', 'request'] as const)('is what the answer to %s names, siaddr stays ours', (type) => {
    const reply = ask(type, type === 'request' ? [option(requestedAddress, reserved)] : []);
    if (reply.kind !== 'reply') throw new Error(reply.kind);
    expect(readOption(reply.packet.options, serverIdentifier)).toBe(relay);
    expect(reply.packet.siaddr).toBe(serverAddress);
  });
  it('is what a client selects, and releases at', () => {
    const chosen = option(serverIdentifier, relay);
    expect(ask('request', [chosen, option(requestedAddress, reserved)])).toMatchObject({ kind: 'reply' });
    expect(ask('release', [chosen], { ciaddr: reserved })).toMatchObject({ kind: 'record' });
  });
  it('is in a refusal too', () => {
    const reply = ask('request', [option(requestedAddress, '10.9.9.9')]);
    if (reply.kind !== 'reply') throw new Error(reply.kind);
    expect(readOption(reply.packet.options, serverIdentifier)).toBe(relay);
  });
  it('does not hold without a relay', () => {
    const options = [override, option(serverIdentifier, relay), option(requestedAddress, reserved)];
    expect(respond(requestOf('request', options), contextOf())).toMatchObject({ reason: 'other-server' });
  });
});

describe('relay flags', () => {
  it.each([
    [0x80, 'renewing'],
    [0x00, 'rebinding'],
  ])('%i: %s', (flags, clientState) => {
    const request = requestOf('request', [added(circuit, [10, Uint8Array.of(flags)])], {
      ...relayed,
      ciaddr: reserved,
    });
    expect(respond(request, contextOf({ arrival: 'unicast' }))).toMatchObject({ leases: [{ clientState }] });
  });
});

describe('a relay that sends from a port of its own (RFC 8357)', () => {
  const source = { address: relay, port: 4067 };
  it.each([
    ['an offer', 'discover', []],
    ['an ACK', 'request', [[50, bytes(reserved)]]],
    ['a NAK', 'request', [[50, bytes('10.9.9.9')]]],
  ] as const)('gets %s there', (_, type, options) => {
    const request = requestOf(type, [...options, added(circuit, [19, new Uint8Array()])], relayed);
    expect(respond(request, contextOf({ source }))).toMatchObject({ destination: { address: relay, port: 4067 } });
  });
  it('gets it at port 67 when it does not say so', () => {
    const request = requestOf('discover', [added(circuit)], relayed);
    expect(respond(request, contextOf({ source }))).toMatchObject({ destination: { address: relay, port: 'server' } });
  });
});

describe('what the relay added', () => {
  const [port, box] = [Uint8Array.from(Buffer.from('Gi0/12')), Uint8Array.of(0, 6, 0x11)];
  const tell = (raw: Uint8Array, over: Partial<DhcpPacket> = relayed) => {
    const request = requestOf('request', [[82, raw]], { ...over, ciaddr: reserved });
    const decision = respond(request, contextOf({ arrival: 'unicast' }));
    return decision.kind === 'reply'
      ? decision.leases.map((lease) => lease.type === 'BindLease' && (lease.relayed ?? null))
      : [];
  };
  it('is kept: where the client is plugged in', () => {
    expect(tell(Uint8Array.of(1, 6, ...port, 2, 3, ...box))).toEqual([
      { circuitId: '4769302f3132', remoteId: '000611' },
    ]);
    expect(tell(Uint8Array.of(2, 3, ...box))).toEqual([{ circuitId: null, remoteId: '000611' }]);
  });
  it('is not kept when it says nothing of that, is no list, or no relay is there', () => {
    expect(tell(Uint8Array.of(10, 1, 0x80))).toEqual([null]);
    expect(tell(Uint8Array.of(99, 98, 97))).toEqual([null]);
    expect(tell(Uint8Array.of(1, 6, ...port), {})).toEqual([null]);
  });
  it.each([
    ['sub-options that we do not know', Uint8Array.of(1, 1, 65, 200, 2, 9, 9)],
    ['no list of sub-options at all', Uint8Array.of(99, 98, 97)],
    ['more than one part has room for', new Uint8Array(270).fill(0)],
  ])('comes back unchanged and last: %s', (_, raw) => {
    const request = requestOf(
      'discover',
      [
        [82, raw],
        [61, Uint8Array.of(1, 2)],
      ],
      { ...relayed, flags: broadcastFlag },
    );
    const reply = respond(request, contextOf());
    if (reply.kind !== 'reply') throw new Error(reply.kind);
    expect([...reply.packet.options].at(-1)).toEqual([82, raw]);
    expect(reply.packet).toMatchObject({ giaddr: relay, hops: 0, flags: broadcastFlag });
  });
  it('through several relays goes to the first, which is the only one in giaddr', () =>
    expect(respond(requestOf('discover', [added(circuit)], { ...relayed, hops: 4 }), contextOf())).toMatchObject({
      destination: { address: relay, port: 'server' },
    }));
});
