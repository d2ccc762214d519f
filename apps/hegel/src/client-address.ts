import ipaddr from 'ipaddr.js';

/** The caller cannot be told from what the connection and its proxies say. */
export class MalformedPeerError extends Error {
  constructor(readonly peer: string) {
    super(`${JSON.stringify(peer)} is not an IP address`);
  }
}

export interface TrustedProxies {
  readonly has: (address: string) => boolean;
}

/** `10.0.0.1, 172.18.0.0/29, fd00::/8`; empty parts are ignored. Throws MalformedPeerError naming a part that is neither. */
export function parseTrustedProxies(text: string): TrustedProxies {
  const ranges = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      try {
        if (part.includes('/')) return ipaddr.parseCIDR(part);
        const single = ipaddr.process(part);
        return [single, single.kind() === 'ipv4' ? 32 : 128] as [typeof single, number];
      } catch (error) {
        throw Object.assign(new MalformedPeerError(part), { cause: error });
      }
    });
  return {
    has: (address) => {
      const parsed = ipaddr.process(address);
      return ranges.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match([network, bits]));
    },
  };
}

/**
 * Who is really asking: from the peer leftwards through `X-Forwarded-For` while the hop is one of our proxies; the first other
 * address is the client. When every hop is trusted, the leftmost is. What stands left of an untrusted hop is never believed.
 */
export function clientAddress(peer: string, forwardedFor: string, trusted: TrustedProxies): string {
  const hops = forwardedFor
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  let client = normalise(peer);
  while (hops.length > 0 && trusted.has(client)) client = normalise(hops.pop() ?? '');
  return client;
}

/** Some proxies add the port; sockets give IPv4 as `::ffff:a.b.c.d` and link-local addresses with their zone. */
function normalise(text: string): string {
  const bare = text.replace(/^\[([^\]]+)\](?::\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  const address = bare.replace(/%.*$/, '');
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) throw new MalformedPeerError(text);
  return ipaddr.process(address).toString();
}
