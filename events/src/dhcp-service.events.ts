import type { Event } from './event';

/**
 * Begins a lease pool's term of office: boots at `address` answers from here on. It moves the stream's head, so nothing that whoever
 * answered before still has in flight can be stored any more. `epoch` goes up with every take-over.
 */
export type PoolTaken = Event<'PoolTaken', 1, { address: string; epoch: number }>;
/**
 * Another DHCP server is on the wire: told when it is first seen, and again when it is still there a day later. `sign`: what it was seen by;
 * `request`: a client asked for the address that it had offered.
 */
export type DhcpServerFound = Event<
  'DhcpServerFound',
  1,
  {
    server: string;
    sign: 'offer' | 'ack' | 'nak' | 'request';
    clientMac: string;
    offered: string | null;
    seenAt: string;
  }
>;

/** What is told in a lease pool's stream about those that answer, not about leases. */
export type DhcpServiceEvent = PoolTaken | DhcpServerFound;

export const dhcpServiceCatalogue = {
  PoolTaken: { version: 1 },
  DhcpServerFound: { version: 1 },
} as const;
