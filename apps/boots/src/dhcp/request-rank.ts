import { messageType, serverIdentifier } from '@tinkerbell/dhcp';

/** What a request is worth when not all can be answered, most first. */
export const ranks = ['renewal', 'selection', 'other'] as const;
export type Rank = (typeof ranks)[number];

const ciaddrAt = 12;
const optionsAt = 240;
const [pad, end] = [0, 255];
/** RFC 2132 §9.6. */
const requestType = 3;

/**
 * Told from a few bytes, for what is not decoded yet: a machine that has an address and would lose it, one that has chosen an offer, and
 * all others, bad messages among them.
 */
export function rankOf(bytes: Uint8Array): Rank {
  let isRequest = false;
  let hasChosen = false;
  for (let at = optionsAt; at < bytes.length && bytes[at] !== end;) {
    const code = bytes[at];
    if (code === messageType.code) isRequest = bytes[at + 2] === requestType;
    if (code === serverIdentifier.code) hasChosen = true;
    at += code === pad ? 1 : 2 + (bytes[at + 1] ?? 0);
  }
  if (!isRequest) return 'other';
  for (let at = ciaddrAt; at < ciaddrAt + 4; at++) if (bytes[at] !== 0) return 'renewal';
  return hasChosen ? 'selection' : 'other';
}
