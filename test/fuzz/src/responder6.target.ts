import { associationOf, type Dhcp6Context, isWithin6, parseSubnets6, respond6 } from '@tinkerbell/boots';
import {
  clientId,
  decodeMessage,
  type Dhcp6Message,
  encodeMessage,
  iaAddress,
  iaNa,
  iaTa,
  option,
  type Option,
  optionRequest,
  rapidCommit,
  readOption,
  readOptions,
  serverId,
  unwrapRelays,
} from '@tinkerbell/dhcp6';
import {
  addressesOf,
  holder6Of,
  isFree6,
  type Lease6Command,
  lease6Decider,
  type Lease6State,
} from '@tinkerbell/domain';
import type { LeaseEvent } from '@tinkerbell/events';
import { dhcp6 } from './dhcp6.target';
import type { Random } from './random';
import { interfaceOf, readable } from './responder.target';
import { BrokenPromiseError, expectSame, type Target } from './target';

const types = [
  'solicit',
  'request',
  'confirm',
  'renew',
  'rebind',
  'release',
  'decline',
  'information-request',
] as const;
const toOne: readonly string[] = ['request', 'renew', 'release', 'decline'];
const reserved = 'fd99::20';
const own = 'fd99::1';
const now = '2026-01-01T00:00:00.000Z';
const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const ours = hex('0004000000000000000000000000000000ff');
const [duid, other] = [hex('00030001020000000001'), hex('00030001020000000002')];
const associations = [0, 7] as const;
/** Held by `other`, and by `duid`. */
const [taken, held] = ['fd99::a001', 'fd99::a002'];

/** The answer to any DHCPv6 message, to machines with and without a record, by unicast and not. */
export const responder6: Target = {
  name: 'responder6',
  about: 'answers to DHCPv6 messages',
  longest: dhcp6.longest,
  /** Messages that reach further than chance alone would bring them. */
  generate: (random) => encodeMessage(randomMessage(random)),
  check(bytes) {
    const request = readable(() => unwrapRelays(decodeMessage(bytes)).message);
    if (!request) return false;
    const verdicts = contexts.map((context) => readable(() => checked(request, context)));
    return verdicts.some((isAnswered) => isAnswered === true);
  },
};

function checked(request: Dhcp6Message, context: Dhcp6Context): boolean {
  const decision = respond6(request, context);
  if (decision.kind !== 'reply') return false;
  const { message, leases } = decision;
  const id = readOption(request.options, clientId);
  expectSame('transaction', message.transactionId, request.transactionId);
  expectSame(
    'DUIDs',
    [serverId, clientId].map((codec) => readOption(message.options, codec)),
    [ours, id],
  );
  expectSame('what comes back', decodeMessage(encodeMessage(message)), message);
  if (message.type === 'advertise') expectSame('leases of an offer', leases, []);
  const after = stateAfter(leases);
  for (const { iaid, options } of readOptions(message.options, iaNa)) {
    for (const { address, validSeconds } of readOptions(options, iaAddress)) {
      if (validSeconds === 0) continue;
      const client = associationOf(id ?? new Uint8Array(), iaid);
      expectGiven(address, client, context);
      if (message.type === 'reply')
        expectSame(`holder of ${address}`, holder6Of(after, address, now)?.clientId ?? 'nobody', client);
    }
  }
  return true;
}

/** What is leased once the facts of an answer are stored, all of which have to be possible. */
function stateAfter(commands: readonly Lease6Command[]): Lease6State {
  return commands.reduce(
    (state, command) =>
      lease6Decider.decide(command, state).reduce((at, event) => lease6Decider.evolve(at, event), state),
    before,
  );
}

/** Only what is the client's to have. */
function expectGiven(address: string, client: string, { subnet, machine, leases, server }: Dhcp6Context): void {
  const fault = (why: string) => new BrokenPromiseError(`${address} is given to ${client}: ${why}`);
  if (address === server.address) throw fault('it is our own');
  if (subnet && !isWithin6(subnet, address)) throw fault('of another network');
  if (address === reserved && !machine) throw fault('it is reserved');
  const holder = leases.holderOf(address, now);
  if (holder && holder.clientId !== client) throw fault(`${holder.clientId} has it`);
}

function randomMessage(random: Random): Dhcp6Message {
  const some = (make: () => Option) => (random.chance(2) ? [make()] : []);
  const address = () => random.pick([reserved, own, taken, held, 'fd99::a003', 'fd98::1', '::'] as const);
  const addresses = () =>
    Array.from({ length: random.below(3) }, () =>
      option(iaAddress, { address: address(), preferredSeconds: 60, validSeconds: random.below(2) * 60, options: [] }),
    );
  const iaid = () => random.pick(associations);
  const type = random.pick(types);
  return {
    type,
    transactionId: random.below(2 ** 24),
    options: [
      ...(random.chance(8)
        ? []
        : [option(clientId, random.chance(8) ? random.bytes(random.below(20)) : random.pick([duid, other] as const))]),
      ...(toOne.includes(type) !== random.chance(8)
        ? [option(serverId, random.chance(16) ? random.bytes(8) : ours)]
        : []),
      ...some(() => option(iaNa, { iaid: iaid(), t1: 0, t2: 0, options: addresses() })),
      ...some(() => option(iaNa, { iaid: iaid(), t1: 0, t2: 0, options: addresses() })),
      ...some(() => option(iaTa, { iaid: iaid(), options: addresses() })),
      ...some(() => option(rapidCommit, true)),
      ...some(() => option(optionRequest, Array.from(random.bytes(random.below(20))))),
      ...Array.from({ length: random.chance(3) ? random.below(4) : 0 }, () => ({
        code: random.pick([13, 15, 16, 61, 62, 79] as const),
        value: random.bytes(random.below(30)),
      })),
    ],
  };
}

const bound = (ip: string, client: Uint8Array): LeaseEvent => ({
  type: 'LeaseBound',
  v: 2,
  data: {
    ...{ mac: null, hardwareId: null, clientId: associationOf(client, 7), ip, subnet: 'fd99::/64', origin: 'pool' },
    ...{ hostname: '', leaseSeconds: 3600, expiresAt: '2026-01-01T01:00:00.000Z', giaddr: null },
  },
});

const before = [bound(taken, other), bound(held, duid)].reduce(lease6Decider.evolve, lease6Decider.initial);
const leases: Dhcp6Context['leases'] = {
  holderOf: (address, at) => holder6Of(before, address, at),
  isFree: (address, at) => isFree6(before, address, at),
  addressesOf: (id) => addressesOf(before, id),
};

const usual = interfaceOf([]);
const machine: NonNullable<Dhcp6Context['machine']> = {
  ...{ hardwareId: '00000000-0000-4000-8000-000000000001', mac: '02-00-00-00-00-01' },
  interface: {
    ...usual,
    dhcp: { ...usual.dhcp, ip: { address: reserved, netmask: '', gateway: '', family: 6 } },
  },
};
const parsed = parseSubnets6('fd99::/64=fd99::a000/120');
if (typeof parsed === 'string') throw new Error(parsed);
const subnets = parsed;

const contexts: readonly Dhcp6Context[] = [machine, undefined].flatMap((known) =>
  [false, true].flatMap((isUnicast) =>
    [subnets[0], undefined].map((subnet) => ({
      server: {
        ...{ address: own, nameServers: [own], leaseSeconds: 3600, preference: 7, quarantineSeconds: 60 },
        urls: { tftp: `[${own}]`, http: `http://[${own}]`, macFormat: 'colon' as const, binaries: {} },
        ...{ ticketSeconds: 600, subnets, classes: [] },
      },
      ...{ duid: ours, leases, mac: machine.mac, relay: null },
      ...(known && { machine: known }),
      ...(subnet && { subnet }),
      wire: subnet ? [subnet] : [],
      isReserved: (address: string) => address === reserved,
      hasReservation: () => false,
      isHeldOff: false,
      ...{ options: [], pools: subnet?.pools ?? [], isUnicast, mayNetboot: true, chained: '', now },
    })),
  ),
);
