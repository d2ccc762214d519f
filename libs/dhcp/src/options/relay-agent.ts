import { latin1, MalformedOptionError, type OptionCodec } from '@tinkerbell/bytes';
import { readIpv4 } from '../fields';
import { decodeSubOptions, encodeSubOptions, type SubOptions } from '../sub-options';

/** RFC 3046: what the relay says about where the client is plugged in. A reply carries it back unchanged, as the last option. */
export const relayAgent: OptionCodec<SubOptions> = {
  code: 82,
  name: 'relay-agent',
  decode: (raw) => decodeSubOptions(82, raw, false),
  encode: (values) => encodeSubOptions(values, false),
};

/**
 * Switch and port, e.g. `esr1.d11.lab1:ge-1/0/47`: sub-option 1 without the two characters of the logical unit (`.0`) at its end.
 * Throws MalformedOptionError when there is no circuit id.
 */
export function circuitId(raw: Uint8Array): string {
  const circuit = relayAgent.decode(raw).get(1);
  if (circuit === undefined) throw new MalformedOptionError({ option: 82, reason: 'no circuit id (sub-option 1)' });
  return latin1(circuit).slice(0, -2);
}

export interface RelayInformation {
  /** Sub-option 1: the relay's port. */
  readonly circuitId?: Uint8Array;
  /** Sub-option 2: the far end of the circuit. */
  readonly remoteId?: Uint8Array;
  /** Sub-option 5 (RFC 3527): an address of the client's link, when `giaddr` is not one. */
  readonly linkSelection?: string;
  /** Sub-option 10 (RFC 5010): the client sent its message to the relay alone. */
  readonly wasUnicast?: boolean;
  /** Sub-option 11 (RFC 5107): what the client is to take for the server, so that its renewals pass the relay. */
  readonly serverIdOverride?: string;
  /** Sub-option 19 (RFC 8357): the relay takes answers at the port that it sends from. */
  readonly hasOwnPort?: boolean;
}

/** Throws MalformedOptionError. */
export function relayInformation(raw: Uint8Array): RelayInformation {
  const found = relayAgent.decode(raw);
  const circuit = found.get(1);
  const remote = found.get(2);
  const link = address(found, 5);
  const flags = found.get(10)?.[0];
  const server = address(found, 11);
  return {
    ...(circuit ? { circuitId: circuit } : {}),
    ...(remote ? { remoteId: remote } : {}),
    ...(link === undefined ? {} : { linkSelection: link }),
    ...(flags === undefined ? {} : { wasUnicast: (flags & 0x80) !== 0 }),
    ...(server === undefined ? {} : { serverIdOverride: server }),
    ...(found.has(19) ? { hasOwnPort: true } : {}),
  };
}

function address(found: SubOptions, code: number): string | undefined {
  const value = found.get(code);
  if (value !== undefined && value.length !== 4) {
    throw new MalformedOptionError({ option: 82, reason: `sub-option ${code}: length ${value.length}, expected 4` });
  }
  return value && readIpv4(value, 0);
}
