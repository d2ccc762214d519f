import type { Pki } from '@tinkerbell/identity';

/** What shows a certificate and cannot look by itself whether there is a new one. */
export interface Shower {
  readonly name: string;
  readonly showAgain: () => Promise<void>;
}

const lookMs = 10_000;

/** A process that runs for years: its certificate is made anew in time, as at a start, and shown. */
export class Renewal {
  readonly #showers: { readonly shower: Shower; shown: string }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #fault = '';

  /** `ensure`: makes it anew where that is due; both are of one folder. */
  constructor(
    private readonly atStart: Pick<Pki, 'cert'>,
    private readonly ensure: () => Promise<Pick<Pki, 'cert' | 'expiresAt'>>,
    private readonly log: (line: string) => void,
  ) {}

  add(shower: Shower): void {
    this.#showers.push({ shower, shown: this.atStart.cert });
  }

  watch(everyMs = lookMs): void {
    this.#timer = setInterval(() => (this.#looking = this.#looking.then(() => this.look())), everyMs).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** What fails is tried again with the next look. */
  async look(): Promise<void> {
    try {
      const { cert, expiresAt } = await this.ensure();
      for (const each of this.#showers) {
        if (each.shown === cert) continue;
        await each.shower.showAgain();
        each.shown = cert;
        this.log(`${each.shower.name} has a new certificate, until ${expiresAt}`);
      }
      this.#fault = '';
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      if (fault !== this.#fault) this.log(`certificate not renewed, tried again: ${fault}`);
      this.#fault = fault;
    }
  }
}
