import {
  clientId,
  type Dhcp6Message,
  iaAddress,
  iaNa,
  type MessageType,
  option,
  type Option,
  readOption,
  readOptions,
  serverId,
  statusCode,
} from '@tinkerbell/dhcp6';
import { lease6Decider, addressesOf, holder6Of, isFree6 } from '@tinkerbell/domain';
import type { LeaseEvent } from '@tinkerbell/events';
import { expect } from 'vitest';
import { reservation } from '../dhcp/requests.testing';
import type { Machine } from '../machines';
import { associationOf } from './client6';
import type { Dhcp6Context, Leases6 } from './decision6';
import { respond6 } from './dhcp6.responder';
import { parseSubnets6, type Subnet6 } from './subnet6';

/** For specs: a machine with a reservation in a network with a pool, and what it sends. */
export const now = '2026-01-01T00:00:00.000Z';
export const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
export const duid = hex('0004aabbccddeeff00112233445566778899');
export const ours = hex('0004000000000000000000000000000000ff');
export const mac = '52-54-00-99-00-01';
export const client = associationOf(duid, 7);
export const [subnet] = parseSubnets6('fd99::/64=fd99::a000/116') as readonly Subnet6[];

export const [reservations] = parseSubnets6('fd99::/64=reservation') as readonly Subnet6[];

export const base = reservation({ mac, hostname: 'server001', name_servers: [], time_servers: [], domain_name: '' });
export const machineAt = (address: string, family = 6): Machine => ({
  ...{ hardwareId: 'h1', mac },
  interface: { ...base, dhcp: { ...base.dhcp, lease_time: 3600, ip: { address, netmask: '', gateway: '', family } } },
});
export const machine = machineAt('fd99::20');

export function leased(...events: readonly LeaseEvent[]): Leases6 {
  const state = events.reduce((before, event) => lease6Decider.evolve(before, event), lease6Decider.initial);
  return {
    holderOf: (address, at) => holder6Of(state, address, at),
    isFree: (address, at) => isFree6(state, address, at),
    addressesOf: (id) => addressesOf(state, id),
  };
}
export const bound = (ip: string, over: object = {}): LeaseEvent => ({
  type: 'LeaseBound',
  v: 2,
  data: {
    ...{ mac, hardwareId: 'h1', clientId: client, ip, subnet: 'fd99::/64', origin: 'reservation' },
    ...{ hostname: '', leaseSeconds: 3600, expiresAt: '2026-01-01T01:00:00.000Z', giaddr: null, ...over },
  },
});

export const context = (over: Partial<Dhcp6Context> = {}): Dhcp6Context => ({
  server: {
    ...{
      address: 'fd99::1',
      nameServers: ['fd99::53'],
      leaseSeconds: 7200,
      preference: 0,
      quarantineSeconds: 60,
      ticketSeconds: 600,
    },
    urls: { tftp: '[fd99::1]', http: 'http://[fd99::1]', macFormat: 'colon', binaries: {} },
    subnets: subnet ? [subnet] : [],
    classes: [],
  },
  ...{ duid: ours, leases: leased(), mac, relay: null, isUnicast: false, mayNetboot: true, chained: '', now },
  ...(subnet ? { subnet } : {}),
  isReserved: (address) => address === 'fd99::20',
  hasReservation: () => false,
  isHeldOff: false,
  options: [],
  wire: [('subnet' in over ? over.subnet : subnet) ?? []].flat(),
  pools: ('subnet' in over ? over.subnet : subnet)?.pools ?? [],
  ...over,
});
export const known = (over: Partial<Dhcp6Context> = {}) => context({ machine, ...over });

export const ia = (...addresses: readonly string[]): Option =>
  option(iaNa, {
    ...{ iaid: 7, t1: 0, t2: 0 },
    options: addresses.map((address) =>
      option(iaAddress, { address, preferredSeconds: 0, validSeconds: 0, options: [] }),
    ),
  });
export const message = (type: MessageType, ...options: readonly Option[]): Dhcp6Message => ({
  ...{ type, transactionId: 0x123456 },
  options: [option(clientId, duid), ...options],
});
export const toUs = option(serverId, ours);

export function replied(request: Dhcp6Message, to: Dhcp6Context) {
  const decision = respond6(request, to);
  if (decision.kind !== 'reply') throw new Error(`ignored: ${decision.reason}`);
  const { options, type, transactionId } = decision.message;
  expect(transactionId).toBe(0x123456);
  expect(readOption(options, serverId)).toEqual(ours);
  expect(readOption(options, clientId)).toEqual(readOption(request.options, clientId));
  const associations = readOptions(options, iaNa).map((found) => ({
    ...found,
    addresses: readOptions(found.options, iaAddress).map((item) => [item.address, item.validSeconds]),
    status: readOption(found.options, statusCode)?.code,
  }));
  return { ...decision, type, options, associations, status: readOption(options, statusCode)?.code };
}
export const ignored = (request: Dhcp6Message, to: Dhcp6Context) => {
  const decision = respond6(request, to);
  return decision.kind === 'ignore' ? decision.reason : decision.message.type;
};
