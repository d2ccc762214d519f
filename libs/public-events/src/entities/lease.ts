import { Type } from '@sinclair/typebox';
import type { DhcpServerFound, DhcpServiceEvent, LeaseClient, LeaseEvent } from '@tinkerbell/events';
import { type Entries, mac, nullable, oneOf, published, time, unpublished } from '../entry';

const client = {
  mac: Type.String({ description: "aa-bb-cc-dd-ee-ff; '' = not known (some DHCPv6 clients)." }),
  hardwareId: Type.String({ description: "'' = a machine that is in no hardware record." }),
  clientId: nullable(Type.String({ description: 'Hex: DHCPv4 option 61, DHCPv6 DUID:IAID.' })),
};
const address = {
  ip: Type.String({ description: 'IPv4 or IPv6.' }),
  subnet: Type.String({ description: "Its name in the settings; '' = none that is configured." }),
};
const holder = { ...client, ...address, origin: oneOf(['reservation', 'pool']) };
const term = { leaseSeconds: Type.Integer(), expiresAt: time() };
const pool = { subnet: Type.String(), pool: Type.String(), size: Type.Integer({ description: 'Addresses.' }) };
const quarantinedUntil = time('Given to nobody before.');

/** What was promised to be text stays text. */
const named = <C extends LeaseClient>(data: C) => ({
  ...data,
  mac: data.mac ?? '',
  hardwareId: data.hardwareId ?? '',
});
type Data<T extends LeaseEvent['type']> = Extract<LeaseEvent, { readonly type: T }>['data'];

export const lease = {
  LeaseBound: published({
    name: 'bound',
    summary: 'A machine got an address by DHCP that it did not hold before.',
    schema: Type.Object({
      ...holder,
      ...term,
      hostname: Type.String(),
      giaddr: nullable(Type.String({ description: 'Address of the relay.' })),
    }),
    map: (data: Data<'LeaseBound'>) => named(data),
  }),
  LeaseRenewed: published({
    name: 'renewed',
    summary: 'A machine asked again for the address that it holds.',
    schema: Type.Object({
      ...holder,
      ...term,
      clientState: oneOf(['selecting', 'init-reboot', 'renewing', 'rebinding'], 'RFC 2131 §4.3.2.'),
    }),
    map: (data: Data<'LeaseRenewed'>) => named(data),
  }),
  LeaseReleased: published({
    name: 'released',
    summary: 'A machine gave its address back.',
    schema: Type.Object(holder),
    map: (data: Data<'LeaseReleased'>) => named(data),
  }),
  LeaseDeclined: published({
    name: 'declined',
    summary: 'A machine found its address in use by another one.',
    schema: Type.Object({ ...holder, message: Type.String(), quarantinedUntil: nullable(quarantinedUntil) }),
    map: (data: Data<'LeaseDeclined'>) => named(data),
  }),
  LeaseRefused: published({
    name: 'refused',
    summary: 'A machine asked for an address that is not its own.',
    schema: Type.Object({
      ...client,
      ...address,
      ip: Type.String({ description: "Its own address; '' = it has none." }),
      requested: Type.String(),
      reason: Type.String(),
    }),
    map: (data: Data<'LeaseRefused'>) => ({ ...named(data), ip: data.ip ?? '' }),
  }),
  LeaseExpired: published({
    name: 'expired',
    summary: 'A lease is over without a word of the machine.',
    schema: Type.Object({ ...holder, expiresAt: time(), cause: oneOf(['time', 'moved']) }),
    map: (data: Data<'LeaseExpired'>) => named(data),
  }),
  LeaseEnded: published({
    name: 'ended',
    summary: 'An operator gave an address free before its time: of a lease, or in quarantine.',
    schema: Type.Object({
      ...holder,
      was: oneOf(
        ['bound', 'declined', 'conflict'],
        'Leased, or in quarantine after lease.declined, lease.conflict-found.',
      ),
      expiresAt: time('When that would have been over.'),
    }),
    map: (data: Data<'LeaseEnded'>) => named(data),
  }),
  LeaseRelayed: published({
    name: 'relayed',
    summary:
      'What the relay of a client says about where it is plugged in (option 82); behind lease.bound or lease.renewed.',
    schema: Type.Object({
      ...address,
      giaddr: Type.String({ description: 'Address of the relay.' }),
      circuitId: nullable(Type.String({ description: 'Hex: sub-option 1.' })),
      remoteId: nullable(Type.String({ description: 'Hex: sub-option 2.' })),
    }),
    map: (data: Data<'LeaseRelayed'>) => data,
  }),
  LeaseConflictFound: published({
    name: 'conflict-found',
    summary: 'Somebody answered on an address that was free.',
    schema: Type.Object({
      ...address,
      method: oneOf(['icmp', 'arp', 'nd']),
      answeredBy: nullable(Type.String({ description: 'MAC, when it is known.' })),
      quarantinedUntil,
    }),
    map: (data: Data<'LeaseConflictFound'>) => data,
  }),
  QuarantineEnded: published({
    name: 'quarantine-ended',
    summary: 'A declined address is given out again before its time: no other was left.',
    schema: Type.Object({
      ...address,
      quarantinedUntil,
      probed: Type.Boolean({ description: 'Whether the wire was asked, and nobody answered.' }),
    }),
    map: (data: Data<'QuarantineEnded'>) => data,
  }),
  PoolDefined: published({
    name: 'pool-defined',
    summary: 'A subnet has other addresses to give out than before.',
    schema: Type.Object({ ...pool, ranges: Type.Array(Type.String()) }),
    map: (data: Data<'PoolDefined'>) => data,
  }),
  PoolDropped: published({
    name: 'pool-dropped',
    summary: 'A pool is gone from the settings.',
    schema: Type.Object({ subnet: Type.String(), pool: Type.String() }),
    map: (data: Data<'PoolDropped'>) => data,
  }),
  PoolUtilisationCrossed: published({
    name: 'pool-utilisation-crossed',
    summary: 'More, or less, of a pool is in use than before.',
    schema: Type.Object({
      ...pool,
      level: Type.Integer({ description: 'Per cent that are reached: 80, 90, 100; 0 = below 80.' }),
      before: Type.Integer(),
      used: Type.Integer({ description: 'Addresses, with those in quarantine.' }),
    }),
    map: (data: Data<'PoolUtilisationCrossed'>) => data,
  }),
  ServerNamed: unpublished('what DHCPv6 servers call themselves says nothing about a lease'),
  PoolTaken: unpublished('which of several boots answers is of this engine only; metrics and /healthz say it'),
  DhcpServerFound: published({
    name: 'server-found',
    summary: 'Another DHCP server is on the wire; told again each day that it is.',
    schema: Type.Object({
      server: Type.String({ description: 'Its server identifier (option 54).' }),
      sign: oneOf(['offer', 'ack', 'nak', 'request'], 'What it was seen by; request: a client asked for its offer.'),
      clientMac: mac,
      offered: nullable(Type.String()),
      seenAt: time(),
    }),
    map: (data: DhcpServerFound['data']) => data,
  }),
} satisfies Entries<LeaseEvent | DhcpServiceEvent>;
