import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { InvalidError } from '@tinkerbell/domain';
import ipaddr from 'ipaddr.js';

/** The webhook's address is one that we do not connect to. */
export class ForbiddenTargetError extends Error {
  constructor(
    readonly host: string,
    readonly address: string,
  ) {
    super(
      `${host === address ? address : `${host} is ${address}, which`} is not a public address: allow its network in TINK_WEBHOOK_NETWORKS`,
    );
  }
}

export type AddressTest = (address: string) => boolean;

/**
 * Public unicast addresses, and those that `allowed` names. Everything else (loopback, link-local, private, shared, multicast, documentation,
 * IPv4 inside IPv6 by whichever scheme) is how a webhook would reach what only this host can.
 */
export function mayConnect(allowed: AddressTest): AddressTest {
  return (address) => {
    const plain = address.replace(/%.*$/, '');
    if (isIP(plain) === 0) return false;
    const { range, text } = unmapped(plain);
    return range === 'unicast' || allowed(text);
  };
}

function unmapped(address: string): { readonly range: string; readonly text: string } {
  const parsed = ipaddr.process(address);
  return { range: parsed.range(), text: parsed.toString() };
}

/** The URL in its normal form. Throws InvalidError. */
export function checkedTarget(text: string, may: AddressTest): string {
  const refuse = (fault: string) => new InvalidError('webhook.url', `webhook.url ${fault}`);
  if (!URL.canParse(text)) throw refuse(`${JSON.stringify(text)} is not a URL`);
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse(`must be https or http, got ${url.protocol}`);
  if (url.username !== '' || url.password !== '') {
    throw refuse('may not hold a password: the log keeps it; requests are signed instead');
  }
  if (url.hash !== '') throw refuse('may not have a fragment');
  const host = hostOf(url);
  if (isIP(host) !== 0 && !may(host)) throw refuse(new ForbiddenTargetError(host, host).message);
  return url.href;
}

/** Without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

type Resolve = (
  host: string,
  options: { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A `lookup` for connections: what it answers is what is connected to, so a name cannot point elsewhere between a check and the connection.
 * A name with one forbidden address is forbidden. Addresses in the URL never come here: check those with `may` first.
 */
export function guardedLookup(may: AddressTest, resolve: Resolve = dnsLookup): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      const forbidden = error ? undefined : addresses.find(({ address }) => !may(address));
      const [first] = addresses ?? [];
      if (error ?? forbidden ?? !first) {
        callback(error ?? new ForbiddenTargetError(host, forbidden?.address ?? 'nothing'), '', 0);
      } else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
