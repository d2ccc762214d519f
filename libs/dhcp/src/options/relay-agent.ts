import { MalformedOptionError } from '../errors';
import { latin1 } from '../fields';
import type { OptionCodec } from '../option-codec';
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
