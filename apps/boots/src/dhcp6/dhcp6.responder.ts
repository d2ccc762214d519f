import {
  clientId,
  type Dhcp6Message,
  iaAddress,
  iaNa,
  iaPd,
  iaTa,
  option,
  type Option,
  preference,
  rapidCommit,
  readOption,
  readOptions,
  serverId,
  status,
  statusCode,
} from '@tinkerbell/dhcp6';
import type { Lease6Command } from '@tinkerbell/domain';
import { Assignments, heldBy, holderOf } from './assignments';
import { bootFact6, bootOf6 } from './boot6';
import { associationOf } from './client6';
import { type Dhcp6Context, type Dhcp6Decision, ignore6 } from './decision6';
import { infoOptions } from './info-options';
import { isWithin6 } from './subnet6';

/** What one message has to be answered with, RFC 8415 §18.3. Throws MalformedOptionError for an option that it needs and cannot read. */
export function respond6(request: Dhcp6Message, context: Dhcp6Context): Dhcp6Decision {
  const refused = invalid(request, context);
  if (refused) return refused;
  if (context.isUnicast) return answerUnicast(request, context);
  switch (request.type) {
    case 'solicit':
      return solicit(request, context);
    case 'request':
      return assign(request, context, 'request');
    case 'renew':
      return assign(request, context, 'renew');
    case 'rebind':
      return assign(request, context, 'rebind');
    case 'confirm':
      return confirm(request, context);
    case 'release':
    case 'decline':
      return giveUp(request, context, request.type);
    case 'information-request':
      return inform(request, context);
    default:
      return ignore6('message-type');
  }
}

/** A client has one for each interface or so; thousands fit into a message, and would take a lease each. */
const mostAssociations = 16;
const toOneServer: readonly string[] = ['request', 'renew', 'release', 'decline'];

/** RFC 8415 §16: what has to be discarded. */
function invalid({ type, options }: Dhcp6Message, { duid }: Dhcp6Context): Dhcp6Decision | undefined {
  if (readOption(options, clientId) === undefined && type !== 'information-request') return ignore6('no-client-id');
  const server = readOption(options, serverId);
  if (toOneServer.includes(type) && server === undefined) return ignore6('server-id');
  if (['solicit', 'confirm', 'rebind'].includes(type) && server !== undefined) return ignore6('server-id');
  if (server && !isSame(server, duid)) return ignore6('other-server');
  const associations = options.filter(({ code }) => [iaNa.code, iaTa.code, iaPd.code].includes(code)).length;
  if (type === 'information-request' && associations > 0) return ignore6('association');
  if (associations > mostAssociations) return ignore6('associations');
  return undefined;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** §18.4: we never said that a client may do so. */
function answerUnicast(request: Dhcp6Message, context: Dhcp6Context): Dhcp6Decision {
  if (!toOneServer.includes(request.type)) return ignore6('unicast');
  // "and no other options"
  const told = option(statusCode, { code: status.useMulticast, message: 'send to ff02::1:2' });
  const message = messageOf(request, context, 'reply', [told]);
  return { kind: 'reply', message, leases: [], boot: undefined, refused: undefined };
}

function solicit(request: Dhcp6Message, context: Dhcp6Context): Dhcp6Decision {
  const isRapid = readOption(request.options, rapidCommit) ?? false;
  if (isRapid) return assign(request, context, 'rapid');
  const assignments = new Assignments(request, context);
  const offered = assignments.all('offer');
  if (assignments.given === 0) return ignore6(assignments.isInUse ? 'address-in-use' : nothingFor(context));
  const { preference: weight } = context.server;
  const liked = weight > 0 ? [option(preference, weight)] : [];
  return reply(request, at(assignments.firstAddress, context), 'advertise', [...liked, ...offered]);
}

function nothingFor({ machine, pools, isHeldOff }: Dhcp6Context) {
  if (isHeldOff) return 'declined-too-often';
  return machine || pools.length > 0 ? 'no-address' : 'unknown-machine';
}

type Reply6 = Extract<Dhcp6Decision, { readonly kind: 'reply' }>;
type Asking = 'rapid' | 'request' | 'renew' | 'rebind';

function assign(request: Dhcp6Message, context: Dhcp6Context, asking: Asking): Dhcp6Decision {
  const assignments = new Assignments(request, context);
  const options = assignments.all(asking);
  const { given, ended, isInUse, commands, firstAddress } = assignments;
  // §18.3.5, and a quick answer to a client that another server can serve would be no service.
  if (given + ended === 0 && (asking === 'rebind' || asking === 'rapid')) {
    return ignore6(isInUse ? 'address-in-use' : nothingFor(context));
  }
  const rapid = asking === 'rapid' ? [option(rapidCommit, true)] : [];
  const where = at(firstAddress, context);
  const answer = reply(request, where, 'reply', [...rapid, ...options], commands);
  if (given > 0) return { ...answer, boot: bootFact6(request, where, firstAddress) };
  if (isInUse) return { ...answer, refused: 'address-in-use' };
  return context.isHeldOff ? { ...answer, refused: 'declined-too-often' } : answer;
}

/** A client is told what the network of its address says, whichever of the link that is. */
function at(address: string, context: Dhcp6Context): Dhcp6Context {
  const subnet = address === '' ? undefined : context.wire.find((one) => isWithin6(one, address));
  return subnet && subnet !== context.subnet ? { ...context, subnet } : context;
}

/** §18.3.3: whether the addresses are right for the link that the client is on now. */
function confirm(request: Dhcp6Message, context: Dhcp6Context): Dhcp6Decision {
  const { subnet, wire } = context;
  const associations = [...readOptions(request.options, iaNa), ...readOptions(request.options, iaTa)];
  const addresses = associations.flatMap(({ options }) => readOptions(options, iaAddress));
  if (!subnet || addresses.length === 0) return ignore6('other-network');
  const isRight = addresses.every(({ address }) => wire.some((one) => isWithin6(one, address)));
  const told = isRight
    ? { code: status.success, message: 'all addresses are of this link' }
    : { code: status.notOnLink, message: `this link is ${subnet.name}` };
  return reply(request, context, 'reply', [option(statusCode, told)]);
}

/** §18.3.7, §18.3.8. */
function giveUp(request: Dhcp6Message, context: Dhcp6Context, type: 'release' | 'decline'): Dhcp6Decision {
  const { leases, now, server } = context;
  const duid = readOption(request.options, clientId) ?? new Uint8Array();
  const commands: Lease6Command[] = [];
  const missing: Option[] = [];
  for (const { iaid, options } of readOptions(request.options, iaNa)) {
    const client = associationOf(duid, iaid);
    const held = readOptions(options, iaAddress).flatMap(({ address }) => {
      const lease = leases.holderOf(address, now);
      return lease?.clientId === client ? [lease] : [];
    });
    for (const holder of held.map(holderOf)) {
      if (type === 'release') commands.push({ type: 'ReleaseAddress', holder });
      else {
        const { quarantineSeconds } = server;
        commands.push({ type: 'DeclineAddress', holder, message: declinedText(request), quarantineSeconds, now });
      }
    }
    // Of an association that we know, addresses that are not its own are passed over.
    if (heldBy(client, context).length > 0) continue;
    const told = option(statusCode, { code: status.noBinding, message: 'no such lease' });
    missing.push(option(iaNa, { iaid, t1: 0, t2: 0, options: [told] }));
  }
  // We give out neither temporary addresses nor prefixes: whoever says so of one has it from elsewhere.
  const none = [option(statusCode, { code: status.noBinding, message: 'no such lease' })];
  const others = [
    ...readOptions(request.options, iaTa).map(({ iaid }) => option(iaTa, { iaid, options: none })),
    ...readOptions(request.options, iaPd).map(({ iaid }) => option(iaPd, { iaid, t1: 0, t2: 0, options: none })),
  ];
  const told = option(statusCode, { code: status.success, message: '' });
  return reply(request, context, 'reply', [told, ...missing, ...others], commands);
}

function declinedText({ options }: Dhcp6Message): string {
  return (readOption(options, statusCode)?.message ?? '').slice(0, 200);
}

/** §18.3.6: the client has its address from elsewhere. */
function inform(request: Dhcp6Message, context: Dhcp6Context): Dhcp6Decision {
  if (!context.machine && !context.subnet) return ignore6('unknown-machine');
  return reply(request, context, 'reply', []);
}

function reply(
  request: Dhcp6Message,
  context: Dhcp6Context,
  type: 'advertise' | 'reply',
  options: readonly Option[],
  leases: readonly Lease6Command[] = [],
): Reply6 {
  const info = infoOptions(request, context, bootOf6(request, context));
  const message = messageOf(request, context, type, [...options, ...info]);
  return { kind: 'reply', message, leases, boot: undefined, refused: undefined };
}

function messageOf(
  { transactionId, options: asked }: Dhcp6Message,
  { duid }: Dhcp6Context,
  type: 'advertise' | 'reply',
  options: readonly Option[],
): Dhcp6Message {
  const id = readOption(asked, clientId);
  return {
    ...{ type, transactionId },
    options: [...(id ? [option(clientId, id)] : []), option(serverId, duid), ...options],
  };
}
