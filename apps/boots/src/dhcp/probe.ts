export interface Answer {
  readonly method: 'icmp' | 'arp';
  /** Who answered, when that is known. */
  readonly mac: string | null;
}

/** Asks the wire whether somebody has an address. */
export abstract class Probe {
  /** undefined: nobody answered in time. */
  abstract ask(ip: string): Promise<Answer | undefined>;
}
