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
import type { Lease6Command } from '@tinkerbell/domain';
import type { LeaseRenewed } from '@tinkerbell/events';
import { associationOf } from './client6';
import type { Dhcp6Context } from './decision6';
import { chooseAddress, isInPools, isWithin6 } from './subnet6';

type Asking = 'offer' | 'rapid' | 'request' | 'renew' | 'rebind';

const clientStates: Readonly<Record<Asking, LeaseRenewed['data']['clientState']>> = {
  ...{ offer: 'selecting', rapid: 'selecting', request: 'selecting', renew: 'renewing', rebind: 'rebinding' },
};
const forever = 0xffffffff;

interface Choice {
  readonly address: string;
  readonly origin: 'reservation' | 'pool';
}

/** What each identity association of one message gets, and the facts that follow. */
export class Assignments {
  readonly commands: Lease6Command[] = [];
  /** Associations that got an address. */
  given = 0;
  firstAddress = '';
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
    const { subnet } = this.context;
    const asked = readOptions(options, iaAddress).map(({ address }) => address);
    const client = associationOf(this.#duid, iaid);
    if (asking === 'request' && subnet && asked.some((address) => !isWithin6(subnet, address))) {
      return refusal(iaid, status.notOnLink, `this link is ${subnet.name}`);
    }
    const choice = this.#choose(client, asked);
    if (!choice) return refusal(iaid, status.noAddrsAvail, 'no address for this client');
    const isExtension = asking === 'renew' || asking === 'rebind';
    // §18.3.4: we know nothing of what it has, and it is not what it would get.
    if (isExtension && !asked.includes(choice.address) && !this.#holds(client)) {
      return refusal(iaid, status.noBinding, 'no such lease');
    }
    return this.#grant(iaid, client, choice, asked, asking);
  }

  #grant(iaid: number, client: string, choice: Choice, asked: readonly string[], asking: Asking): IdentityAssociation {
    const { address, origin } = choice;
    const { machine, mac, subnet, relay, now } = this.context;
    const leaseSeconds = this.#leaseSeconds();
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
      this.commands.push({ type: 'BindAddress', holder, hostname, leaseSeconds, giaddr: relay, clientState, now });
    }
    const times = { preferredSeconds: leaseSeconds, validSeconds: leaseSeconds };
    // What it has no longer ends at once: it is told so, or would use both.
    const ended = asking === 'renew' || asking === 'rebind' ? asked.filter((other) => other !== address) : [];
    return {
      ...{ iaid, ...renewalTimes(leaseSeconds) },
      options: [
        option(iaAddress, { address, ...times, options: [] }),
        ...ended.map((other) =>
          option(iaAddress, { address: other, preferredSeconds: 0, validSeconds: 0, options: [] }),
        ),
      ],
    };
  }

  /** The reservation, what it has, what it asks for, what it had, what its name leads to: the first of these that is free. */
  #choose(client: string, asked: readonly string[]): Choice | undefined {
    const { subnet, pools, leases, now } = this.context;
    const reserved = this.#reservation();
    if (reserved !== undefined && !this.#taken.has(reserved)) return { address: reserved, origin: 'reservation' };
    if (!subnet) return undefined;
    const isFree = (address: string) =>
      !this.#taken.has(address) &&
      address !== this.context.server.address &&
      !this.context.isReserved(address) &&
      (leases.isFree(address, now) || leases.holderOf(address, now)?.clientId === client);
    const known = [...leases.addressesOf(client).toReversed(), ...asked];
    const address =
      known.find((candidate) => isInPools(pools, candidate) && isFree(candidate)) ??
      chooseAddress(subnet, pools, client, isFree);
    return address === undefined ? undefined : { address, origin: 'pool' };
  }

  /** Where a subnet is known, it has to be the reservation's. */
  #reservation(): string | undefined {
    const { machine, subnet } = this.context;
    const ip = machine?.interface.dhcp.ip;
    if (ip?.family !== 6 || (subnet && !isWithin6(subnet, ip.address))) return undefined;
    return ip.address;
  }

  #holds(client: string): boolean {
    const { leases, now } = this.context;
    return leases.addressesOf(client).some((address) => leases.holderOf(address, now)?.clientId === client);
  }

  #leaseSeconds(): number {
    const { machine, subnet, server } = this.context;
    return machine?.interface.dhcp.lease_time || subnet?.leaseSeconds || server.leaseSeconds;
  }
}

/** §21.4: at half and at four fifths; what is for ever needs neither. */
function renewalTimes(leaseSeconds: number): { readonly t1: number; readonly t2: number } {
  if (leaseSeconds === forever) return { t1: forever, t2: forever };
  return { t1: Math.floor(leaseSeconds / 2), t2: Math.floor((leaseSeconds * 4) / 5) };
}

function refusal(iaid: number, code: number, message: string): IdentityAssociation {
  return { iaid, t1: 0, t2: 0, options: [option(statusCode, { code, message })] };
}
