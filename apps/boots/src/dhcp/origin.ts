import { hexOf } from '@tinkerbell/bytes';
import {
  type DhcpPacket,
  MalformedOptionError,
  noAddress,
  relayInformation,
  type RelayInformation,
} from '@tinkerbell/dhcp';
import type { LeaseRelayed } from '@tinkerbell/events';

/** Where a request comes from, and what the relays on its way say about that. */
export interface Origin {
  /** An address of the client's network: by its relay's word (RFC 3527), its relay's own, the client's, ours. */
  readonly link: string;
  /** RFC 3527: the relay named the network, so no other will do. */
  readonly isLinkSelected: boolean;
  /** RFC 5107: the client has to take this address for the server; else our own. */
  readonly serverId: string;
  /** The client sent it to one server: to us, or to a relay that says so (RFC 5010). */
  readonly isUnicast: boolean;
  /** RFC 8357: the relay takes answers at the port that it sent from. */
  readonly hasOwnPort: boolean;
}

export function originOf(request: DhcpPacket, own: string, arrival: 'broadcast' | 'unicast' | 'pxe'): Origin {
  const { ciaddr, giaddr } = request;
  const isRelayed = giaddr !== noAddress;
  // Without a relay the option is the client's own invention, or a switch's, which knows no networks.
  const { linkSelection, serverIdOverride, wasUnicast, hasOwnPort = false } = isRelayed ? relayOf(request) : silent;
  return {
    link: addressIn(linkSelection) ?? addressIn(giaddr) ?? addressIn(ciaddr) ?? own,
    isLinkSelected: addressIn(linkSelection) !== undefined,
    serverId: addressIn(serverIdOverride) ?? own,
    isUnicast: isRelayed ? (wasUnicast ?? false) : arrival !== 'broadcast',
    hasOwnPort,
  };
}

function addressIn(text: string | undefined): string | undefined {
  return text === noAddress ? undefined : text;
}

/** Where the client is plugged in, by the word of its relay; undefined: there is none, or it does not say. */
export function pluggedIn(request: DhcpPacket): Pick<LeaseRelayed['data'], 'circuitId' | 'remoteId'> | undefined {
  if (request.giaddr === noAddress || !request.options.has(82)) return undefined;
  const { circuitId, remoteId } = relayOf(request);
  if (!circuitId && !remoteId) return undefined;
  return { circuitId: circuitId ? hexOf(circuitId) : null, remoteId: remoteId ? hexOf(remoteId) : null };
}

const silent: RelayInformation = {};

/** Some switches fill option 82 with what is no list of sub-options: it goes back as it came, and says nothing to us. */
function relayOf({ options }: DhcpPacket): RelayInformation {
  const raw = options.get(82);
  try {
    return raw ? relayInformation(raw) : silent;
  } catch (error) {
    if (error instanceof MalformedOptionError) return silent;
    throw error;
  }
}
