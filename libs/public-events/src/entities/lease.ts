import { Type } from '@sinclair/typebox';
import type {
  DhcpServerFound,
  DhcpServiceEvent,
  LeaseBound,
  LeaseDeclined,
  LeaseEvent,
  LeaseRefused,
  LeaseReleased,
  LeaseRenewed,
} from '@tinkerbell/events';
import { type Entries, mac, nullable, oneOf, published, time, unpublished } from '../entry';

const holder = { mac, hardwareId: Type.String(), ip: Type.String() };
const term = { leaseSeconds: Type.Integer(), expiresAt: time() };

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
    map: (data: LeaseBound['data']) => data,
  }),
  LeaseRenewed: published({
    name: 'renewed',
    summary: 'A machine asked again for the address that it holds.',
    schema: Type.Object({
      ...holder,
      ...term,
      clientState: oneOf(['selecting', 'init-reboot', 'renewing', 'rebinding'], 'RFC 2131 §4.3.2.'),
    }),
    map: (data: LeaseRenewed['data']) => data,
  }),
  LeaseReleased: published({
    name: 'released',
    summary: 'A machine gave its address back.',
    schema: Type.Object(holder),
    map: (data: LeaseReleased['data']) => data,
  }),
  LeaseDeclined: published({
    name: 'declined',
    summary: 'A machine found its address in use by another one.',
    schema: Type.Object({ ...holder, message: Type.String() }),
    map: (data: LeaseDeclined['data']) => data,
  }),
  LeaseRefused: published({
    name: 'refused',
    summary: 'A machine asked for an address that is not its own.',
    schema: Type.Object({ ...holder, requested: Type.String(), reason: Type.String() }),
    map: (data: LeaseRefused['data']) => data,
  }),
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
