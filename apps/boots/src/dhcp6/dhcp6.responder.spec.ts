import {
  bootFileUrl,
  clientArch,
  clientId,
  dnsServers,
  iaNa,
  iaPd,
  iaTa,
  linkLayerAddress,
  option,
  type Option,
  optionRequest,
  preference,
  rapidCommit,
  readOption,
  readOptions,
  type RelayMessage,
  serverId,
  statusCode,
  userClass,
  vendorClass,
} from '@tinkerbell/dhcp6';
import { describe, expect, it } from 'vitest';
import { macOfAddress, macsOf } from './client6';
import {
  now,
  hex,
  duid,
  mac,
  client,
  subnet,
  reservations,
  machineAt,
  machine,
  leased,
  bound,
  context,
  known,
  ia,
  message,
  toUs,
  replied,
  ignored,
} from './requests6.testing';

describe('a Solicit', () => {
  it('is answered with the reservation, and nothing is leased by that', () => {
    const { type, associations, leases } = replied(message('solicit', ia()), known());
    expect(type).toBe('advertise');
    expect(associations).toMatchObject([{ iaid: 7, t1: 1800, t2: 2880, addresses: [['fd99::20', 3600]] }]);
    expect(leases).toEqual([]);
  });
  it('with rapid commit is a lease at once', () => {
    const { type, options, leases } = replied(message('solicit', ia(), option(rapidCommit, true)), known());
    expect(type).toBe('reply');
    expect(readOption(options, rapidCommit)).toBe(true);
    expect(leases).toMatchObject([{ type: 'BindAddress', holder: { ip: 'fd99::20', clientId: client, mac } }]);
  });
  it('carries our preference when there is one', () => {
    const plain = known();
    const first = { ...plain, server: { ...plain.server, preference: 255 } };
    expect(readOption(replied(message('solicit', ia()), first).options, preference)).toBe(255);
    expect(readOption(replied(message('solicit', ia()), plain).options, preference)).toBeUndefined();
  });
  it('of a machine without a record gets an address of the range, never a reserved or a leased one, nor ours', () => {
    const taken = new Set<string>();
    const stranger = context({ isReserved: (address) => taken.has(address) });
    for (let i = 0; i < 5; i++) {
      const [address = ''] = replied(message('solicit', ia()), stranger).associations[0]?.addresses[0] ?? [];
      expect(address).toMatch(/^fd99::a[0-9a-f]{3}$/);
      expect(taken.has(String(address))).toBe(false);
      taken.add(String(address));
    }
  });
  it('gets what it had before, or what it asks for, where that is free', () => {
    const had = bound('fd99::a777', { origin: 'pool', expiresAt: '2025-01-01T00:00:00.000Z' });
    const back = replied(message('solicit', ia()), context({ leases: leased(had) }));
    expect(back.associations[0]?.addresses).toEqual([['fd99::a777', 7200]]);
    const wish = replied(message('solicit', ia('fd99::a123')), context());
    expect(wish.associations[0]?.addresses).toEqual([['fd99::a123', 7200]]);
    const other = bound('fd99::a123', { origin: 'pool', clientId: 'bb:1' });
    const taken = replied(message('solicit', ia('fd99::a123')), context({ leases: leased(other) }));
    expect(taken.associations[0]?.addresses[0]?.[0]).not.toBe('fd99::a123');
  });
  it('gets the lease time and the name servers of its network, where its record says nothing', () => {
    const lab = subnet && { ...subnet, leaseSeconds: 600, nameServers: ['fd99::99'] };
    const asking = message('solicit', ia(), option(optionRequest, [dnsServers.code]));
    const { associations, options } = replied(asking, context(lab ? { subnet: lab } : {}));
    expect(associations[0]?.addresses[0]?.[1]).toBe(600);
    expect(readOption(options, dnsServers)).toEqual(['fd99::99']);
    expect(readOption(replied(asking, context()).options, dnsServers)).toEqual(['fd99::53']);
  });
  it('for two associations gets two addresses', () => {
    const second = option(iaNa, { iaid: 8, t1: 0, t2: 0, options: [] });
    const { associations } = replied(message('solicit', ia(), second), known());
    expect(associations[0]?.addresses[0]?.[0]).toBe('fd99::20');
    expect(associations[1]?.addresses[0]?.[0]).toMatch(/^fd99::a/);
  });
  it('is told that there are no prefixes and no temporary addresses', () => {
    const wants = [option(iaPd, { iaid: 1, t1: 0, t2: 0, options: [] }), option(iaTa, { iaid: 2, options: [] })];
    const { options } = replied(message('solicit', ia(), ...wants), known());
    expect(readOption(readOption(options, iaPd)?.options ?? [], statusCode)?.code).toBe(6);
    expect(readOption(readOption(options, iaTa)?.options ?? [], statusCode)?.code).toBe(2);
  });
  it('that we have no address for is not ours', () => {
    expect(ignored(message('solicit', ia()), context({ subnet: undefined }))).toBe('unknown-machine');
    const otherFamily = context({ subnet: undefined, machine: machineAt('10.0.0.9', 4) });
    expect(ignored(message('solicit', ia()), otherFamily)).toBe('no-address');
    const elsewhere = { machine: machineAt('fd98::20'), ...(reservations ? { subnet: reservations } : {}) };
    expect(ignored(message('solicit', ia()), context(elsewhere))).toBe('no-address');
  });
});

describe('a Request', () => {
  it('binds the address', () => {
    const { type, leases, associations } = replied(message('request', toUs, ia('fd99::20')), known());
    expect(type).toBe('reply');
    expect(associations[0]?.addresses).toEqual([['fd99::20', 3600]]);
    expect(leases).toMatchObject([
      { type: 'BindAddress', leaseSeconds: 3600, clientState: 'selecting', holder: { origin: 'reservation' } },
    ]);
  });
  it('for an address of another link is told so', () => {
    const { associations, leases } = replied(message('request', toUs, ia('fd98::5')), known());
    expect(associations).toMatchObject([{ addresses: [], status: 4 }]);
    expect(leases).toEqual([]);
  });
  it('that nothing is left for is told so', () => {
    const bare = context({ subnet: undefined });
    expect(replied(message('request', toUs, ia()), bare).associations).toMatchObject([{ addresses: [], status: 2 }]);
  });
  it('to another server is not ours', () =>
    expect(ignored(message('request', option(serverId, duid), ia()), known())).toBe('other-server'));
  it('for ever needs no renewal', () => {
    const dhcp = { ...machine.interface.dhcp, lease_time: 0xffffffff };
    const lasting = known({ machine: { ...machine, interface: { ...machine.interface, dhcp } } });
    const { associations } = replied(message('request', toUs, ia()), lasting);
    expect(associations[0]).toMatchObject({ t1: 0xffffffff, t2: 0xffffffff });
  });
});

describe('Renew and Rebind', () => {
  const held = { leases: leased(bound('fd99::20')) };
  it.each([
    ['renew', [toUs], 'renewing'],
    ['rebind', [], 'rebinding'],
  ] as const)('%s: the lease goes on', (type, more, clientState) => {
    const { leases, associations } = replied(message(type, ...more, ia('fd99::20')), known(held));
    expect(associations[0]?.addresses).toEqual([['fd99::20', 3600]]);
    expect(leases).toMatchObject([{ type: 'BindAddress', clientState }]);
  });
  it('end an address that is not the client’s any more, beside the one that is', () => {
    const { associations } = replied(message('renew', toUs, ia('fd99::99')), known(held));
    expect(associations[0]?.addresses).toEqual([
      ['fd99::20', 3600],
      ['fd99::99', 0],
    ]);
  });
  it('of what we know nothing of', () => {
    const { associations, leases } = replied(message('renew', toUs, ia('fd99::99')), known());
    expect(associations).toMatchObject([{ addresses: [], status: 3 }]);
    expect(leases).toEqual([]);
    expect(ignored(message('rebind', ia('fd99::99')), known())).toBe('no-address');
  });
  it('of an association that is named twice leaves nothing that the Reply gives', () => {
    const { leases, associations } = replied(message('renew', toUs, ia('fd99::20'), ia('fd99::20')), known(held));
    expect(associations[0]?.addresses).toEqual([['fd99::20', 3600]]);
    expect(leases.map(({ type }) => type)).toEqual(['BindAddress', 'BindAddress']);
  });
  it('of what we lost but would give again', () =>
    expect(replied(message('rebind', ia('fd99::20')), known()).associations[0]?.addresses).toEqual([
      ['fd99::20', 3600],
    ]));
});

describe('Confirm', () => {
  it.each([
    ['fd99::20', 0],
    ['fd98::20', 4],
  ])('%s: status %i', (address, code) => {
    const { status, leases } = replied(message('confirm', ia(address)), known());
    expect(status).toBe(code);
    expect(leases).toEqual([]);
  });
  it('is not answered where we do not know the link, or without addresses', () => {
    expect(ignored(message('confirm', ia('fd99::20')), known({ subnet: undefined }))).toBe('other-network');
    expect(ignored(message('confirm', ia()), known())).toBe('other-network');
  });
});

describe('Release and Decline', () => {
  const held = { leases: leased(bound('fd99::20')) };
  it('are facts, and are acknowledged', () => {
    const release = replied(message('release', toUs, ia('fd99::20')), known(held));
    expect(release.leases).toMatchObject([{ type: 'ReleaseAddress', holder: { ip: 'fd99::20', clientId: client } }]);
    expect([release.status, release.associations]).toEqual([0, []]);
    const decline = replied(message('decline', toUs, ia('fd99::20')), known(held));
    expect(decline.leases).toMatchObject([{ type: 'DeclineAddress', quarantineSeconds: 60 }]);
  });
  it('of what we never give out is told that there is none', () => {
    const temporary = option(iaTa, { iaid: 8, options: [] });
    const { options } = replied(message('release', toUs, temporary), known());
    expect(readOptions(options, iaTa).map((found) => readOption(found.options, statusCode)?.code)).toEqual([3]);
  });
  it('of an address that its association has not is passed over, as long as that has one', () => {
    const { status, leases, associations } = replied(message('release', toUs, ia('fd99::99')), known(held));
    expect([status, leases, associations]).toEqual([0, [], []]);
  });
  it('of another’s address change nothing', () => {
    const others = { leases: leased(bound('fd99::20', { clientId: 'bb:1' })) };
    for (const type of ['release', 'decline'] as const) {
      const { leases, associations } = replied(message(type, toUs, ia('fd99::20')), known(others));
      expect(leases).toEqual([]);
      expect(associations).toMatchObject([{ iaid: 7, status: 3 }]);
    }
  });
});

describe('an Information-request', () => {
  it('gets what it asks for, in its order, and when to ask again', () => {
    const wants = option(optionRequest, [24, 23, 9999]);
    const dhcp = { ...machine.interface.dhcp, domain_name: 'rack.example', name_servers: ['8.8.8.8', 'fd99::8'] };
    const named = known({ machine: { ...machine, interface: { ...machine.interface, dhcp } } });
    const { options } = replied(message('information-request', wants), named);
    expect(options.map(({ code }) => code)).toEqual([1, 2, 24, 23, 32]);
    expect(Buffer.from(options[3]?.value ?? []).toString('hex')).toBe('fd990000000000000000000000000008');
  });
  it('may come without a DUID, not with an association', () => {
    const anonymous = { ...message('information-request'), options: [] };
    expect(replied(anonymous, known()).type).toBe('reply');
    expect(ignored(message('information-request', ia()), known())).toBe('association');
  });
  it('of a stranger in a network that is not ours is not ours', () =>
    expect(ignored(message('information-request'), context({ subnet: undefined }))).toBe('unknown-machine'));
});

describe('what RFC 8415 §16 tells to discard', () => {
  it.each([
    ['solicit', [toUs, ia()], 'server-id'],
    ['rebind', [toUs, ia()], 'server-id'],
    ['confirm', [toUs, ia('fd99::20')], 'server-id'],
    ['request', [ia()], 'server-id'],
    ['renew', [ia()], 'server-id'],
    ['advertise', [toUs], 'message-type'],
    ['reply', [toUs], 'message-type'],
    ['reconfigure', [toUs], 'message-type'],
  ] as const)('%s %#', (type, options, reason) => expect(ignored(message(type, ...options), known())).toBe(reason));
  it('without a DUID', () => expect(ignored({ ...message('solicit'), options: [ia()] }, known())).toBe('no-client-id'));
  it('sent to our address alone: told to use the group, with no other option (§18.4), or not answered', () => {
    const alone = known({ isUnicast: true });
    for (const type of ['request', 'renew', 'release', 'decline'] as const) {
      const told = replied(message(type, toUs, ia('fd99::20'), option(optionRequest, [23])), alone);
      expect(told).toMatchObject({ status: 5, leases: [] });
      expect(told.options.map(({ code }) => code)).toEqual([clientId.code, serverId.code, statusCode.code]);
    }
    expect(ignored(message('solicit', ia()), alone)).toBe('unicast');
  });
});

describe('boot files', () => {
  const urlOf = (...options: readonly Option[]) =>
    readOption(replied(message('solicit', ia(), ...options), known()).options, bootFileUrl);
  const vendor = (name: string) => option(vendorClass, { enterprise: 343, classes: [name] });

  it('of firmware: a program by TFTP or HTTP, as a whole URL', () => {
    expect(urlOf(vendor('PXEClient:Arch:00007:UNDI:003001'), option(clientArch, [7]))).toBe(
      'tftp://[fd99::1]/ipxe.efi',
    );
    expect(urlOf(vendor('HTTPClient:Arch:00016:UNDI:003001'), option(clientArch, [16]))).toBe(
      'http://[fd99::1]/52:54:00:99:00:01/ipxe.efi',
    );
    expect(urlOf()).toBeUndefined();
    expect(urlOf(vendor('MSFT 5.0'))).toBeUndefined();
    expect(urlOf(vendor('PXEClient'), option(clientArch, [999]))).toBeUndefined();
  });
  it('of HTTP boot carry the class back, without which UEFI does not take them', () => {
    const { options } = replied(
      message('solicit', ia(), vendor('HTTPClient:Arch:00016'), option(clientArch, [16])),
      known(),
    );
    expect(readOption(options, vendorClass)).toEqual({ enterprise: 343, classes: ['HTTPClient'] });
  });
  it('of iPXE: its script', () =>
    expect(urlOf(option(userClass, ['iPXE']), option(clientArch, [7]))).toBe(
      'http://[fd99::1]/52:54:00:99:00:01/auto.ipxe',
    ));
  it('are a fact once the client has an address', () => {
    const options = [ia(), vendor('PXEClient'), option(clientArch, [7])];
    expect(replied(message('solicit', ...options), known()).boot).toBeUndefined();
    expect(replied(message('request', toUs, ...options), known()).boot).toEqual({
      ...{ hardwareId: 'h1', mac, ip: 'fd99::20', arch: 7, client: 'PXEClient', userClass: '' },
      ...{ bootFile: 'tftp://[fd99::1]/ipxe.efi', ticketHash: null, ticketExpiresAt: null },
    });
  });
  it('of iPXE carry a ticket, of which the log keeps the hash', () => {
    const ticket = { text: 'secret', hash: 'abc', expiresAt: now };
    const asked = message('request', toUs, ia(), option(userClass, ['iPXE']));
    const { options, boot } = replied(asked, known({ ticket }));
    const url = 'http://[fd99::1]/52:54:00:99:00:01/auto.ipxe';
    expect(readOption(options, bootFileUrl)).toBe(`${url}?ticket=secret`);
    expect(boot).toMatchObject({ bootFile: url, ticketHash: 'abc', ticketExpiresAt: now });
  });
  it('are for machines with a record only', () => {
    const { options } = replied(message('solicit', ia(), vendor('PXEClient'), option(clientArch, [7])), context());
    expect(readOption(options, bootFileUrl)).toBeUndefined();
  });
});

describe('the MAC of a client', () => {
  const relay = (options: readonly Option[], peer = 'fe80::5054:ff:fe99:3'): RelayMessage => ({
    ...{ type: 'relay-forward', hops: 0, link: 'fd99::2', peer, options },
  });
  const ll = message('solicit');
  const withLl = { ...ll, options: [option(clientId, hex('00030001525400990004'))] };

  it('is what the relay heard, what its address shows, what its DUID says', () => {
    const heard = option(linkLayerAddress, { hardware: 1, address: hex('525400990002') });
    expect(macsOf(withLl, [relay([heard])], 'fd97::2')).toEqual([
      ...['52-54-00-99-00-02', '52-54-00-99-00-03', '52-54-00-99-00-04'],
    ]);
    expect(macsOf(withLl, [], 'fe80::5054:ff:fe99:4%br0')).toEqual(['52-54-00-99-00-04']);
    expect(macsOf(ll, [], 'fe80::1%br0')).toEqual([]);
  });
  it.each([
    ['fe80::5054:ff:fe99:1', '52-54-00-99-00-01'],
    ['fe80::5054:ff:fe99:1%eth0', '52-54-00-99-00-01'],
    ['fe80::1', undefined],
    ['fd99::5054:ff:fe99:1', undefined],
    ['nonsense', undefined],
  ])('%s: %s', (address, found) => expect(macOfAddress(address)).toBe(found));
});
