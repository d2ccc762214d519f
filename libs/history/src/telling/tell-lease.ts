import { foreverSeconds, formatMac, serverProbeMac } from '@tinkerbell/domain';
import type { DhcpServiceEvent, LeaseClient, LeaseEvent } from '@tinkerbell/events';
import { took } from '../duration-text';
import { bad, because, good, neutral, type Sentences, warn } from './told';

export const leaseSentences = {
  LeaseBound: ({ data }) =>
    neutral(
      `DHCP lease: ${data.ip} for ${client(data)}, ${data.leaseSeconds === foreverSeconds ? 'for good' : took(data.leaseSeconds)}${data.giaddr === null ? '' : `, through relay ${data.giaddr}`}`,
    ),
  LeaseRenewed: ({ data }) => neutral(`DHCP lease renewed: ${data.ip} for ${client(data)}`),
  LeaseReleased: ({ data }) => neutral(`DHCP lease released: ${data.ip} by ${client(data)}`),
  LeaseExpired: ({ data: { ip, cause, ...data } }) =>
    neutral(
      cause === 'time'
        ? `DHCP lease ran out: ${ip} of ${client(data)}`
        : `DHCP lease ended: ${ip} of ${client(data)}, which has another address now`,
    ),
  LeaseEnded: ({ data: { ip, was, ...data } }, { by }) =>
    neutral(
      was === 'bound'
        ? `DHCP lease ended ${by}: ${ip} of ${client(data)}`
        : `quarantine of ${ip} ended ${by}: it may be leased again`,
    ),
  LeaseDeclined: ({ data }) =>
    bad(`DHCP lease declined: ${data.ip} is in use by another machine, says ${client(data)}${because(data.message)}`),
  LeaseRefused: ({ data }) => bad(`DHCP refused ${data.requested} to ${client(data)}${because(data.reason)}`),
  LeaseConflictFound: ({ data: { ip, answeredBy, quarantinedUntil } }) =>
    bad(
      `${ip} is in use${answeredBy === null ? '' : ` by ${formatMac(answeredBy)}`} though it was never leased: given to nobody until ${quarantinedUntil}`,
    ),
  QuarantineEnded: ({ data: { ip, quarantinedUntil, probed } }) =>
    warn(
      `${ip}, declined and in quarantine until ${quarantinedUntil}, is given out again: no other address is left${probed ? ', and nobody answers on it' : ''}`,
    ),
  LeaseRelayed: ({ data: { ip, giaddr, circuitId, remoteId } }) =>
    neutral(
      `relay ${giaddr} says where ${ip} is plugged in: ${[
        ...(circuitId === null ? [] : [`circuit ${idText(circuitId)}`]),
        ...(remoteId === null ? [] : [`remote ${idText(remoteId)}`]),
      ].join(', ')}`,
    ),
  PoolTaken: ({ data: { address, epoch } }) =>
    neutral(`boots at ${address} answers for this lease pool now (epoch ${epoch})`),
  DhcpServerFound: ({ data: { server, sign, clientMac, offered } }) =>
    bad(
      `another DHCP server is on the wire: ${server}, seen by ${signs[sign]} ${asker(clientMac)}${offered === null ? '' : ` for ${offered}`}`,
    ),
  PoolDefined: ({ data: { pool, ranges, size } }) =>
    neutral(`DHCP pool ${pool} has ${size} addresses: ${ranges.join(', ')}`),
  PoolDropped: ({ data: { pool } }) => neutral(`DHCP pool ${pool} is gone from the settings`),
  ServerNamed: ({ data: { duid } }) => neutral(`DHCPv6 servers call themselves ${duid}`),
  PoolUtilisationCrossed: ({ data: { pool, level, before, used, size } }) => {
    const text = `DHCP pool ${pool}: ${used} of ${size} addresses in use`;
    if (level === 100) return bad(`${text}, none is left`);
    return level > before ? warn(`${text}, over ${level} %`) : good(`${text}, below ${before} % again`);
  },
} as const satisfies Sentences<LeaseEvent | DhcpServiceEvent>;

/** As text where it is text: most switches send the name of the port. */
export function idText(hex: string): string {
  const bytes = hex.match(/../g)?.map((pair) => parseInt(pair, 16)) ?? [];
  const isText = bytes.length > 0 && bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
  return isText ? String.fromCharCode(...bytes) : hex;
}

const signs = {
  offer: 'its OFFER to',
  ack: 'its ACK to',
  nak: 'its NAK to',
  request: 'a REQUEST to it by',
} as const;

function asker(mac: string): string {
  return mac === serverProbeMac ? 'the question of boots' : formatMac(mac);
}

function client({ mac, clientId }: LeaseClient): string {
  return mac === null ? (clientId ?? 'an unknown client') : formatMac(mac);
}
