import {
  clientId,
  type Dhcp6Message,
  iaAddress,
  iaNa,
  iaPd,
  iaTa,
  type IdentityAssociation,
  option,
  type Option,
  readOption,
  readOptions,
  status,
  statusCode,
} from '@tinkerbell/dhcp6';
import type { Holder6, Lease6, Lease6Command } from '@tinkerbell/domain';
import type { LeaseRenewed } from '@tinkerbell/events';
import { associationOf } from './client6';
import type { Dhcp6Context } from './decision6';
import { chooseAddress, isInPools, isWithin6, type Subnet6 } from './subnet6';

type Asking = 'offer' | 'rapid' | 'request' | 'renew' | 'rebind';

const clientStates: Readonly<Record<Asking, LeaseRenewed['data']['clientState']>> = {
  ...{ offer: 'selecting', rapid: 'selecting', request: 'selecting', renew: 'renewing', rebind: 'rebinding' },
};
const forever = 0xffffffff;

interface Choice {
  readonly address: string;
  readonly origin: 'reservation' | 'pool';
  /** Whose record had the reserved address before, where the lease of that still runs. */
  readonly from?: Lease6 | undefined;
}

/** What each identity association of one message gets, and the facts that follow. */
export class Assignments {
  readonly commands: Lease6Command[] = [];
  /** Associations that got an address. */
  given = 0;
  firstAddress = '';
  /** Addresses that the client is told not to use any more, and that it gets no other for. */
  ended = 0;
  /** Another client has the reserved address. */
  isInUse = false;
  readonly #taken = new Set<string>();
  readonly #duid: Uint8Array;

  constructor(
    private readonly request: Dhcp6Message,
    private readonly context: Dhcp6Context,
  ) {
    this.#duid = readOption(request.options, clientId) ?? new Uint8Array();
  }

  all(asking: Asking): readonly Option[] {
    const { options } = this.request;
    const without = (code: number, message: string) => [option(statusCode, { code, message })];
    return [
      ...readOptions(options, iaNa).map((association) => option(iaNa, this.#answer(association, asking))),
      ...readOptions(options, iaTa).map(({ iaid }) =>
        option(iaTa, { iaid, options: without(status.noAddrsAvail, 'no temporary addresses here') }),
      ),
      ...readOptions(options, iaPd).map(({ iaid }) =>
        option(iaPd, { iaid, t1: 0, t2: 0, options: without(status.noPrefixAvail, 'no prefixes here') }),
      ),
    ];
  }

  #answer({ iaid, options }: IdentityAssociation, asking: Asking): IdentityAssociation {
    const { subnet, wire } = this.context;
    const asked = readOptions(options, iaAddress).map(({ address }) => address);
    const client = associationOf(this.#duid, iaid);
    if (asking === 'request' && subnet && asked.some((address) => !wire.some((one) => isWithin6(one, address)))) {
      return refusal(iaid, status.notOnLink, `this link is ${subnet.name}`);
    }
    const choice = this.#choose(client, asked);
    const isExtension = asking === 'renew' || asking === 'rebind';
    if (isExtension && !(choice && (asked.includes(choice.address) || this.#holds(client)))) {
      return this.#end(iaid, client, asked);
    }
    if (choice) return this.#grant(iaid, client, choice, asked, asking);
    return refusal(iaid, status.noAddrsAvail, 'no address for this client');
  }

  /** What the client had and has no longer, or what another has, it must not go on with: lifetimes of 0. Of all else we know nothing (§18.3.4). */
  #end(iaid: number, client: string, asked: readonly string[]): IdentityAssociation {
    const { leases, now } = this.context;
    const lost = this.#holds(client) ? asked : asked.filter((address) => leases.holderOf(address, now));
    this.#leave(client);
    if (lost.length === 0) return refusal(iaid, status.noBinding, 'no such lease');
    this.ended += lost.length;
    return { iaid, t1: 0, t2: 0, options: lost.map(endOf) };
  }

  /** It is told so by the same Reply, or asks anew because it has nothing. */
  #leave(client: string): void {
    const { now } = this.context;
    const ips = heldBy(client, this.context).filter((address) => !this.#taken.has(address));
    if (ips.length > 0) this.commands.push({ type: 'LeaveAddresses', clientId: client, ips, now });
  }

  #grant(iaid: number, client: string, choice: Choice, asked: readonly string[], asking: Asking): IdentityAssociation {
    const { address, origin, from } = choice;
    const { machine, mac, relay, now } = this.context;
    const subnet = this.#subnetOf(address);
    const leaseSeconds = machine?.interface.dhcp.lease_time || subnet?.leaseSeconds || this.context.server.leaseSeconds;
    this.given++;
    this.firstAddress ||= address;
    this.#taken.add(address);
    if (asking !== 'offer') {
      const holder = {
        mac,
        hardwareId: machine?.hardwareId ?? null,
        clientId: client,
        ip: address,
        subnet: subnet?.name ?? '',
        origin,
      };
      const hostname = machine?.interface.dhcp.hostname ?? '';
      const clientState = clientStates[asking];
      if (from) this.commands.push({ type: 'ReleaseAddress', holder: holderOf(from) });
      this.#leave(client);
      this.commands.push({ type: 'BindAddress', holder, hostname, leaseSeconds, giaddr: relay, clientState, now });
    }
    const times = { preferredSeconds: leaseSeconds, validSeconds: leaseSeconds };
    // What it has no longer ends at once: it is told so, or would use both.
    const ended = asking === 'renew' || asking === 'rebind' ? asked.filter((other) => other !== address) : [];
    return {
      ...{ iaid, ...renewalTimes(leaseSeconds) },
      options: [option(iaAddress, { address, ...times, options: [] }), ...ended.map(endOf)],
    };
  }

  /** The reservation, what it has, what it asks for, what it had, what its name leads to: the first of these that is free. */
  #choose(client: string, asked: readonly string[]): Choice | undefined {
    const { wire, pools, leases, now } = this.context;
    const reserved = this.#reservation();
    if (reserved !== undefined && !this.#taken.has(reserved)) {
      const from = this.#otherHolder(reserved, client);
      if (!from || !this.#keeps(from)) return { address: reserved, origin: 'reservation', from };
      this.isInUse = true;
    }
    // Who has an address goes on with that.
    if (this.context.isHeldOff && !this.#holds(client)) return undefined;
    const isFree = (address: string) =>
      !this.#taken.has(address) &&
      address !== this.context.server.address &&
      !this.context.isReserved(address) &&
      (leases.isFree(address, now) || leases.holderOf(address, now)?.clientId === client);
    const known = [...leases.addressesOf(client).toReversed(), ...asked];
    const address =
      known.find((candidate) => isInPools(pools, candidate) && isFree(candidate)) ??
      chooseAddress(wire, pools, client, isFree);
    return address === undefined ? undefined : { address, origin: 'pool' };
  }

  /** Where a subnet is known, it has to be the reservation's. */
  #reservation(): string | undefined {
    const { machine, subnet } = this.context;
    const ip = machine?.interface.dhcp.ip;
    if (ip?.family !== 6 || (subnet && !isWithin6(subnet, ip.address))) return undefined;
    return ip.address;
  }

  #otherHolder(address: string, client: string): Lease6 | undefined {
    const { leases, mac, now } = this.context;
    const lease = leases.holderOf(address, now);
    if (!lease || lease.clientId === client) return undefined;
    return lease.mac !== null && lease.mac === mac ? undefined : lease;
  }

  /** Until its lease is over: no address is on two machines. What it had by a record goes with the record, as by IPv4. */
  #keeps({ origin, mac, ip }: Lease6): boolean {
    return origin === 'pool' || mac === null || this.context.hasReservation(mac, ip);
  }

  #holds(client: string): boolean {
    return heldBy(client, this.context).length > 0;
  }

  #subnetOf(address: string): Subnet6 | undefined {
    const { wire, subnet } = this.context;
    return wire.find((one) => isWithin6(one, address)) ?? subnet;
  }
}

/** §21.4: at half and at four fifths; what is for ever needs neither. */
function renewalTimes(leaseSeconds: number): { readonly t1: number; readonly t2: number } {
  if (leaseSeconds === forever) return { t1: forever, t2: forever };
  return { t1: Math.floor(leaseSeconds / 2), t2: Math.floor((leaseSeconds * 4) / 5) };
}

export function heldBy(client: string, { leases, now }: Dhcp6Context): readonly string[] {
  return leases.addressesOf(client).filter((address) => leases.holderOf(address, now)?.clientId === client);
}

function endOf(address: string): Option {
  return option(iaAddress, { address, preferredSeconds: 0, validSeconds: 0, options: [] });
}

export function holderOf({ mac, hardwareId, clientId: held, ip, subnet, origin }: Lease6): Holder6 {
  return { mac, hardwareId, clientId: held, ip, subnet, origin };
}

function refusal(iaid: number, code: number, message: string): IdentityAssociation {
  return { iaid, t1: 0, t2: 0, options: [option(statusCode, { code, message })] };
}
