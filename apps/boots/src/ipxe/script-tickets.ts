import { createHash, createHmac, randomBytes } from 'node:crypto';

/** Carried by the URL of one machine's script, for one boot. */
export interface Ticket {
  readonly text: string;
  /** SHA-256, hex: all that the log keeps. */
  readonly hash: string;
}

/** One and the same for all messages of one DHCP conversation, so that a repeated REQUEST gets the URL that is in the log. */
export class ScriptTickets {
  readonly #key = randomBytes(32);

  of(mac: string, xid: number): Ticket {
    const text = createHmac('sha256', this.#key).update(`${mac} ${xid}`).digest('base64url').slice(0, 22);
    return { text, hash: hashOf(text) };
  }
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** For people to read: who has the ticket could fetch the script. */
export function withoutTicket(url: string): string {
  return url.replace(/\?ticket=.*$/, '');
}
