import { Type } from '@sinclair/typebox';
import type {
  LeaseBound,
  LeaseDeclined,
  LeaseEvent,
  LeaseRefused,
  LeaseReleased,
  LeaseRenewed,
} from '@tinkerbell/events';
import { type Entries, mac, nullable, oneOf, published, time } from '../entry';

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
} satisfies Entries<LeaseEvent>;
