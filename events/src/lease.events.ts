import { dhcpServiceCatalogue, type DhcpServiceEvent } from './dhcp-service.events';
import type { Catalogue, Event } from './event';

/** A lease pool is one aggregate with one writer, boots; leases that arrive together share a commit. `mac` is `aa-bb-cc-dd-ee-ff`. */
interface LeaseHolder {
  readonly mac: string;
  readonly hardwareId: string;
  readonly ip: string;
}

/** First ACK to this machine, or the first after a release, decline or expiry. `giaddr`: the relay's address, null without one. */
export type LeaseBound = Event<
  'LeaseBound',
  1,
  LeaseHolder & { hostname: string; leaseSeconds: number; expiresAt: string; giaddr: string | null }
>;
/** RFC 2131 §4.3.2: the client state that the request was recognised by. */
export type LeaseRenewed = Event<
  'LeaseRenewed',
  1,
  LeaseHolder & {
    leaseSeconds: number;
    expiresAt: string;
    clientState: 'selecting' | 'init-reboot' | 'renewing' | 'rebinding';
  }
>;
export type LeaseReleased = Event<'LeaseReleased', 1, LeaseHolder>;
/** The client found the address in use by another machine (RFC 2131 §4.3.3). */
export type LeaseDeclined = Event<'LeaseDeclined', 1, LeaseHolder & { message: string }>;
/** A DHCPNAK: the machine asked for an address that is not its own. */
export type LeaseRefused = Event<'LeaseRefused', 1, LeaseHolder & { requested: string; reason: string }>;

export type LeaseEvent = LeaseBound | LeaseRenewed | LeaseReleased | LeaseDeclined | LeaseRefused;

export const leaseCatalogue = {
  LeaseBound: { version: 1 },
  LeaseRenewed: { version: 1 },
  LeaseReleased: { version: 1 },
  LeaseDeclined: { version: 1 },
  LeaseRefused: { version: 1 },
  ...dhcpServiceCatalogue,
} satisfies Catalogue<LeaseEvent | DhcpServiceEvent>;
