export interface Answer {
  readonly method: 'icmp' | 'arp';
  /** `aa-bb-cc-dd-ee-ff`: who answered; null = behind a router, or not known. */
  readonly mac: string | null;
}

/** Asks the wire whether somebody has an address. */
export abstract class Probe {
  /** Whether anybody is asked at all. */
  abstract readonly asks: boolean;
  /** undefined: nobody answered in time. */
  abstract ask(ip: string): Promise<Answer | undefined>;
  abstract close(): Promise<void>;
}

/** Where nothing can be asked: nobody ever answers. */
export class NoProbe extends Probe {
  readonly asks = false;

  ask(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}
